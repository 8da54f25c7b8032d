// No error of the framework shows a secret, in whatever form somebody prints the error.

import { inspect } from 'node:util';

import { describe, expect, test } from '@jest/globals';

import { ProcessError } from '../../../../lib/base/process.ts';
import { Secret } from '../../../../lib/base/secret.ts';
import { JujuError } from '../../../../lib/juju/error.ts';
import { describeError } from '../../../../lib/juju/log.ts';
import { createJuju } from '../../../../lib/juju/model.ts';
import { credentialGet } from '../../../../lib/juju/tools/credential.ts';
import type { HookToolPort } from '../../../../lib/juju/tools/port.ts';
import { relationSet } from '../../../../lib/juju/tools/relation.ts';
import { secretAdd, secretGet, secretSet } from '../../../../lib/juju/tools/secret.ts';
import { stateSet } from '../../../../lib/juju/tools/state.ts';
import { contextOf } from '../../../support/hook-context.ts';
import { type Answer, failure, scriptHookTools } from '../../../support/scripted-hook-tools.ts';

const planted = 'correct-horse-battery-staple';
const content = { password: new Secret(planted) };
const relation = { endpoint: 'db', id: 7 };

interface Row {
  readonly summary: string;
  readonly answer: Answer;
  readonly more?: Readonly<Record<string, Answer>>;
  readonly run: (port: HookToolPort) => Promise<unknown>;
}

const rows: readonly Row[] = [
  {
    summary: 'adding a secret, when Juju quotes it',
    answer: failure(`yaml: cannot unmarshal !!str \`${planted}\` into int, near "${planted}"`),
    run: async (port) => await secretAdd(port, { owner: 'unit', label: 'l', content }),
  },
  {
    summary: 'changing a secret, when Juju quotes it',
    answer: failure(`key value '${planted}' not valid`),
    run: async (port) => {
      await secretSet(port, 'secret:a', { content });
    },
  },
  {
    summary: 'writing a databag, when Juju quotes it',
    answer: failure(`cannot parse "${planted}"`),
    run: async (port) => {
      await relationSet(port, { relation, owner: 'unit', values: { password: planted } });
    },
  },
  {
    summary: 'writing state, when Juju quotes it',
    answer: failure(`cannot parse "${planted}"`),
    run: async (port) => {
      await stateSet(port, { password: planted });
    },
  },
  {
    summary: 'reading a secret that is cut off',
    answer: `{"password":"${planted}`,
    run: async (port) => await secretGet(port, { label: 'l' }),
  },
  {
    summary: 'reading a secret of another shape',
    answer: `{"password":["${planted}"]}`,
    run: async (port) => await secretGet(port, { label: 'l' }),
  },
  {
    summary: 'reading a credential that is cut off',
    answer: `{"credential":{"attrs":{"Token":"${planted}`,
    run: async (port) => await credentialGet(port),
  },
  {
    summary: 'a handler that sets a secret',
    answer: failure(`secret with value ${planted} is too large`),
    more: { 'secret-get': failure('secret not found') },
    run: async (port) => {
      const juju = createJuju(contextOf({ kind: 'lifecycle', name: 'start' }), port);
      return await juju.setSecret({ label: 'l', owner: 'unit', content });
    },
  },
];

describe('an error shows no secret', () => {
  for (const { summary, answer, more, run } of rows) {
    test(`of ${summary}`, async () => {
      const tools = ['secret-add', 'secret-set', 'secret-get', 'relation-set', 'state-set'];
      const all = [...tools, 'credential-get'];
      const script = Object.fromEntries(all.map((each) => [each, answer]));
      const { port } = scriptHookTools({ ...script, ...more });

      const error = await caught(run(port));

      expect(error).toBeInstanceOf(JujuError);
      expect(printed(error)).not.toContain(planted);
    });
  }

  test('of a process, which is told neither arguments nor output', () => {
    const error = new ProcessError('secret-add', 'timeout', 'no end within 5 ms');

    expect(Object.keys(error).toSorted()).toEqual(['code', 'fields', 'hint', 'name', 'reason']);
  });
});

test('content that was read, and content that waits to be written, print as placeholders', async () => {
  const { port } = scriptHookTools({ 'secret-get': `{"password":"${planted}"}` });

  const read = await secretGet(port, { label: 'l' });

  expect(`${inspect(read)} ${JSON.stringify(read)} ${String(read['password'])}`).not.toContain(
    planted,
  );
});

async function caught(running: Promise<unknown>): Promise<unknown> {
  return await running.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function printed(error: unknown): string {
  return [
    String(error),
    inspect(error, { depth: 20, showHidden: true }),
    JSON.stringify(error),
    describeError(error),
  ].join('\n');
}
