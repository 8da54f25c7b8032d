import { describe, expect, test } from '@jest/globals';

import { CodedError } from '../../../../lib/base/error.ts';
import type { HookEnvironment } from '../../../../lib/juju/context.ts';
import { dispatch } from '../../../../lib/juju/dispatch.ts';
import type { JujuEvent } from '../../../../lib/juju/event.ts';
import type { CharmDefinition, Handler } from '../../../../lib/juju/hook.ts';
import { isRecord } from '../../../../lib/juju/tools/json.ts';
import { actionEnvironmentOf, environmentOf } from '../../../support/hook-context.ts';
import { type Answer, failure, scriptHookTools } from '../../../support/scripted-hook-tools.ts';

type Handlers = CharmDefinition<undefined>['handlers'];

interface Outcome {
  readonly exitCode: number;
  /** Without juju-log. */
  readonly calls: readonly string[];
  /** First lines of what was logged, with their level. */
  readonly log: readonly string[];
  readonly unexpected: readonly string[];
}

async function run(
  env: HookEnvironment,
  charm: CharmDefinition<undefined> | Handlers,
  script: Readonly<Record<string, Answer>> = {},
): Promise<Outcome> {
  const tools = scriptHookTools({ 'state-get': 'null', 'juju-log': '', ...script });
  const definition = isDefinition(charm) ? charm : { handlers: charm };
  const exitCode = await dispatch({ env, port: tools.port, ports: undefined, charm: definition });
  const [logged, calls] = [true, false].map((wanted) =>
    tools.calls().filter((call) => call.startsWith('juju-log ') === wanted),
  );
  return {
    exitCode,
    calls: calls ?? [],
    log: (logged ?? []).map(
      (call) => call.replace('juju-log --log-level ', '').split('\n')[0] ?? '',
    ),
    unexpected: tools.unexpected(),
  };
}

function isDefinition(
  charm: CharmDefinition<undefined> | Handlers,
): charm is CharmDefinition<undefined> {
  return 'handlers' in charm && typeof charm.handlers === 'object';
}

function waiting(...events: readonly unknown[]): Readonly<Record<string, Answer>> {
  const state = { 'deferred-events-0': JSON.stringify(events) };
  return { 'state-get': JSON.stringify(state), 'state-set': '', 'state-delete': '' };
}

function queued(...events: readonly JujuEvent[]): string {
  return `state-set --file - < ${JSON.stringify({ 'deferred-events-0': JSON.stringify(events) })}`;
}

const emptied = 'state-delete -- deferred-events-0';
const elected: JujuEvent = { kind: 'lifecycle', name: 'leader-elected' };
const ready: JujuEvent = { kind: 'pebble-ready', name: 'pg-pebble-ready', container: 'pg' };
const changed: JujuEvent = {
  kind: 'relation',
  name: 'db-relation-changed',
  change: 'changed',
  relation: { endpoint: 'db', id: 7 },
  remoteApp: 'shop',
};
const broken: JujuEvent = { ...changed, name: 'db-relation-broken', change: 'broken' };

const defer: Handler<undefined> = async (hook) => {
  await Promise.resolve();
  hook.defer();
};
const fail: Handler<undefined> = async () => {
  await Promise.resolve();
  throw new Error('no');
};
const nothing: Handler<undefined> = async () => {
  await Promise.resolve();
};

/** A handler that notes the events that it gets. */
function note(seen: string[]): Handler<undefined> {
  return async ({ event }) => {
    await Promise.resolve();
    seen.push(event.name);
  };
}

describe('an event', () => {
  test('reaches its handler, then the statuses, and the most severe one is set', async () => {
    const outcome = await run(
      environmentOf('start'),
      {
        handlers: {
          start: async ({ status }) => {
            await Promise.resolve();
            status({ level: 'waiting', message: 'for peers' });
          },
        },
        collectStatus: async ({ status }) => {
          await Promise.resolve();
          status({ level: 'active', message: '' });
        },
      },
      { 'status-get': '{"status":"active","message":""}', 'status-set': '' },
    );

    expect(outcome).toEqual({
      exitCode: 0,
      calls: ['state-get', 'status-get --include-data', 'status-set waiting -- for peers'],
      log: [],
      unexpected: [],
    });
  });

  test('that nobody handles costs one call', async () => {
    const outcome = await run(environmentOf('config-changed'), {
      handlers: {},
      collectStatus: fail,
    });

    expect(outcome).toEqual({ exitCode: 0, calls: ['state-get'], log: [], unexpected: [] });
  });

  test('tells the path that its handler walked', async () => {
    const tools = scriptHookTools({ 'state-get': 'null', 'juju-log': '' });
    const walked: unknown[] = [];
    const handlers: Handlers = {
      start: async ({ walk }) => {
        await Promise.resolve();
        if (walk.decide('is_leader', true)) walk.step('generate');
      },
    };

    await dispatch({
      env: environmentOf('start'),
      port: tools.port,
      ports: undefined,
      charm: { handlers },
      onWalk: (path, end) => walked.push([path, end]),
    });

    expect(tools.calls().at(-1)).toBe(
      'juju-log --log-level DEBUG -- start: is_leader=yes → generate → return',
    );
    expect(walked).toEqual([
      [
        { handler: 'start', path: [{ node: 'is_leader', answer: true }, { node: 'generate' }] },
        'return',
      ],
    ]);
  });

  test('whose handler throws fails the hook, and nothing is written', async () => {
    const outcome = await run(environmentOf('start'), {
      handlers: {
        start: async ({ juju, status }) => {
          await Promise.resolve();
          juju.setState({ a: '1' });
          status({ level: 'active', message: '' });
          throw new Error('no');
        },
      },
      collectStatus: fail,
    });

    expect(outcome).toEqual({
      exitCode: 1,
      calls: ['state-get'],
      log: ['ERROR -- Error: no'],
      unexpected: [],
    });
  });

  test('whose writes Juju refuses fails the hook before a status is set', async () => {
    const outcome = await run(
      environmentOf('start'),
      {
        start: async ({ juju, status }) => {
          await Promise.resolve();
          juju.setState({ a: '1' });
          status({ level: 'active', message: '' });
        },
      },
      { 'state-set': failure('quota limit exceeded') },
    );

    expect(outcome.exitCode).toBe(1);
    expect(outcome.calls).toEqual(['state-get', 'state-set --file - < {"a":"1"}']);
  });

  test('without an environment fails, and the log says what is missing', async () => {
    const outcome = await run({}, {});

    expect([outcome.exitCode, outcome.calls]).toEqual([1, []]);
    expect(outcome.log[0]).toContain('JUJU_UNIT_NAME');
  });

  test('shows progress at once, and the log that led there before it', async () => {
    const order: string[] = [];
    const tools = scriptHookTools({
      'state-get': 'null',
      'status-get': '{"status":"active","message":""}',
      'status-set': '',
      'juju-log': '',
    });
    await dispatch({
      env: environmentOf('start'),
      port: async (call) => {
        order.push(call.tool);
        return await tools.port(call);
      },
      ports: undefined,
      charm: {
        handlers: {
          start: async ({ juju, log }) => {
            log('INFO', 'long work begins');
            await juju.showProgress({ level: 'maintenance', message: 'restoring' });
            log('INFO', 'done');
          },
        },
      },
    });

    expect(order).toEqual(['state-get', 'juju-log', 'status-get', 'status-set', 'juju-log']);
  });
});

describe('a deferred event', () => {
  test('is kept in the state as it came', async () => {
    const outcome = await run(
      environmentOf('db-relation-changed', {
        JUJU_RELATION: 'db',
        JUJU_RELATION_ID: 'db:7',
        JUJU_REMOTE_APP: 'shop',
      }),
      { 'db-relation-changed': defer },
      { 'state-set': '' },
    );

    expect([outcome.exitCode, outcome.calls]).toEqual([0, ['state-get', queued(changed)]]);
  });

  test('is handled before the event that Juju sent, oldest first, and is then gone', async () => {
    const seen: string[] = [];
    const handler = note(seen);
    const outcome = await run(
      environmentOf('start'),
      { start: handler, 'leader-elected': handler, 'pg-pebble-ready': handler },
      waiting(ready, elected),
    );

    expect([outcome.exitCode, outcome.calls]).toEqual([0, ['state-get', emptied]]);
    expect(seen).toEqual(['pg-pebble-ready', 'leader-elected', 'start']);
  });

  test('is handled when nobody handles the event that Juju sent', async () => {
    const seen: string[] = [];
    const outcome = await run(
      environmentOf('config-changed'),
      { 'leader-elected': note(seen) },
      waiting(elected),
    );

    expect([outcome.calls, seen]).toEqual([['state-get', emptied], ['leader-elected']]);
  });

  test('that is deferred again keeps its place and costs no write', async () => {
    const outcome = await run(
      environmentOf('start'),
      { start: nothing, 'leader-elected': defer },
      waiting(elected),
    );

    expect(outcome.calls).toEqual(['state-get']);
  });

  test('that comes again while it waits is queued once', async () => {
    const outcome = await run(
      environmentOf('leader-elected'),
      { 'leader-elected': defer },
      waiting(elected),
    );

    expect([outcome.exitCode, outcome.calls]).toEqual([0, ['state-get']]);
  });

  test('of another remote unit is another event', async () => {
    const unit: JujuEvent = { ...changed, remoteUnit: 'shop/1' };
    const outcome = await run(
      environmentOf('db-relation-changed', {
        JUJU_RELATION_ID: 'db:7',
        JUJU_REMOTE_APP: 'shop',
        JUJU_REMOTE_UNIT: 'shop/1',
      }),
      { 'db-relation-changed': defer },
      { ...waiting(changed), 'relation-ids db': '["db:7"]' },
    );

    expect(outcome.calls).toEqual(['state-get', 'relation-ids db', queued(changed, unit)]);
  });

  test('that throws stays, what it wrote is forgotten, and the rest goes on', async () => {
    const outcome = await run(
      environmentOf('start'),
      {
        'leader-elected': async ({ juju, status }) => {
          await Promise.resolve();
          juju.setState({ lost: '1' });
          status({ level: 'blocked', message: 'lost' });
          throw new Error('outer', { cause: new Error('inner') });
        },
        'pg-pebble-ready': async ({ juju }) => {
          await Promise.resolve();
          juju.setState({ deferred: '1' });
        },
        start: async ({ juju }) => {
          await Promise.resolve();
          juju.setState({ main: '1' });
        },
      },
      waiting(elected, ready),
    );

    const left = JSON.stringify({
      deferred: '1',
      main: '1',
      'deferred-events-0': JSON.stringify([elected]),
    });
    expect(outcome).toEqual({
      exitCode: 0,
      calls: ['state-get', `state-set --file - < ${left}`],
      log: [
        'DEBUG -- handling deferred "leader-elected"',
        'ERROR -- cannot handle deferred "leader-elected", which stays deferred: Error: outer',
        'DEBUG -- handling deferred "pg-pebble-ready"',
      ],
      unexpected: [],
    });
  });

  test('stays in the queue when the event that Juju sent fails the hook', async () => {
    const outcome = await run(
      environmentOf('start'),
      { start: fail, 'leader-elected': nothing },
      waiting(elected),
    );

    expect([outcome.exitCode, outcome.calls]).toEqual([1, ['state-get']]);
  });

  test('is dropped when its relation is gone', async () => {
    const outcome = await run(
      environmentOf('start'),
      { start: nothing, 'db-relation-changed': fail },
      { ...waiting(changed), 'relation-ids db': '["db:8"]' },
    );

    expect(outcome).toEqual({
      exitCode: 0,
      calls: ['state-get', 'relation-ids db', emptied],
      log: ['INFO -- dropping deferred "db-relation-changed": its relation is gone'],
      unexpected: [],
    });
  });

  test('about a broken relation is handled although its relation is gone', async () => {
    const seen: string[] = [];
    const outcome = await run(
      environmentOf('start'),
      { 'db-relation-broken': note(seen) },
      waiting(broken),
    );

    expect([outcome.calls, seen]).toEqual([['state-get', emptied], ['db-relation-broken']]);
  });

  test('is dropped when the charm no longer handles it', async () => {
    const outcome = await run(environmentOf('start'), {}, waiting(elected));

    expect([outcome.calls, outcome.log]).toEqual([
      ['state-get', emptied],
      ['INFO -- dropping deferred "leader-elected": nobody handles it any more'],
    ]);
  });

  test('of an unknown kind is dropped, the others are not', async () => {
    const seen: string[] = [];
    const outcome = await run(
      environmentOf('start'),
      { 'leader-elected': note(seen) },
      waiting({ kind: 'moon-phase', name: 'full' }, 7, elected),
    );

    expect([outcome.exitCode, seen, outcome.log[0]]).toEqual([
      0,
      ['leader-elected'],
      'ERROR -- dropping 2 deferred events: cannot read them',
    ]);
  });

  test('waits while the unit stops', async () => {
    const seen: string[] = [];
    const outcome = await run(
      environmentOf('stop'),
      { stop: note(seen), 'leader-elected': note(seen) },
      waiting(elected),
    );

    expect([outcome.calls, seen]).toEqual([['state-get'], ['stop']]);
  });

  const undeferrable: readonly HookEnvironment[] = [
    environmentOf('stop'),
    environmentOf('remove'),
    environmentOf('secret-rotate', { JUJU_SECRET_ID: 'secret:a' }),
    environmentOf('secret-expired', { JUJU_SECRET_ID: 'secret:a', JUJU_SECRET_REVISION: '1' }),
  ];
  for (const env of undeferrable) {
    const name = env['JUJU_HOOK_NAME'] ?? '';
    test(`is never "${name}"`, async () => {
      const outcome = await run(env, { [name]: defer });

      expect(outcome.exitCode).toBe(1);
      expect(outcome.log[0]).toContain(`cannot defer "${name}"`);
    });
  }

  test('is nothing that collecting statuses may ask for', async () => {
    const outcome = await run(environmentOf('start'), {
      handlers: { start: nothing },
      collectStatus: defer,
    });

    expect(outcome.exitCode).toBe(1);
  });

  test('waits together with so many others that one value does not hold them', async () => {
    const many = Array.from(
      { length: 600 },
      (_, index): JujuEvent => ({
        ...changed,
        remoteUnit: `größe-${index}/0`,
      }),
    );
    const first = await run(
      environmentOf('start'),
      { start: defer, 'db-relation-changed': defer },
      {
        'state-get': JSON.stringify({ 'deferred-events-0': JSON.stringify(many) }),
        'state-set': '',
        'relation-ids db': '["db:7"]',
      },
    );
    const written = first.calls.at(-1)?.replace('state-set --file - < ', '') ?? '';
    const seen: string[] = [];
    const second = await run(
      environmentOf('config-changed'),
      { start: note(seen), 'db-relation-changed': note(seen) },
      { 'state-get': written, 'state-delete': '', 'relation-ids db': '["db:7"]' },
    );

    const state: unknown = JSON.parse(written);
    expect(lengthsOf(state).map((length) => length <= 65_536)).toEqual([true, true]);
    expect([second.exitCode, seen.length, seen.at(-1)]).toEqual([0, 601, 'start']);
  });
});

function lengthsOf(state: unknown): readonly number[] {
  return Object.values(isRecord(state) ? state : {}).map((value) => String(value).length);
}

describe('an action', () => {
  test('is handled under its own key and gives its results', async () => {
    const outcome = await run(
      actionEnvironmentOf('create-backup'),
      {
        'action:create-backup': async ({ juju }) => {
          await Promise.resolve();
          juju.action().setResults({ 'backup-id': '1' });
        },
      },
      { 'action-set': '' },
    );

    expect(outcome).toEqual({
      exitCode: 0,
      calls: ['state-get', 'action-set -- backup-id=1'],
      log: [],
      unexpected: [],
    });
  });

  test('that fails as expected tells why and what to do, and forgets what it wrote', async () => {
    const outcome = await run(
      actionEnvironmentOf('restore'),
      {
        'action:restore': async ({ juju }) => {
          await Promise.resolve();
          juju.setState({ lost: '1' });
          throw new CodedError('cannot restore: two units', { code: 'x', hint: 'Remove one.' });
        },
      },
      { 'action-fail': '' },
    );

    expect(outcome).toEqual({
      exitCode: 0,
      calls: ['state-get', 'action-fail -- cannot restore: two units. Remove one.'],
      log: ['WARNING -- restore: cannot restore: two units'],
      unexpected: [],
    });
  });

  test('that meets a bug fails with its message and logs the stack', async () => {
    const outcome = await run(
      actionEnvironmentOf('restore'),
      { 'action:restore': fail },
      { 'action-fail': '' },
    );

    expect(outcome).toEqual({
      exitCode: 0,
      calls: ['state-get', 'action-fail -- no'],
      log: ['ERROR -- Error: no'],
      unexpected: [],
    });
  });

  test('that fails keeps what deferred events did, and its failure whatever the statuses do', async () => {
    const outcome = await run(
      actionEnvironmentOf('restore'),
      {
        handlers: { 'action:restore': fail, 'leader-elected': nothing },
        collectStatus: async () => {
          await Promise.resolve();
          throw new Error('statuses');
        },
      },
      { ...waiting(elected), 'action-fail': '' },
    );

    expect(outcome).toEqual({
      exitCode: 0,
      calls: ['state-get', emptied, 'action-fail -- no'],
      log: ['DEBUG -- handling deferred "leader-elected"', 'ERROR -- Error: no'],
      unexpected: [],
    });
  });

  test('that the charm does not have fails', async () => {
    const outcome = await run(actionEnvironmentOf('dance'), {}, { 'action-fail': '' });

    expect(outcome.calls).toEqual(['state-get', 'action-fail -- this charm has no action "dance"']);
  });

  test('cannot be deferred', async () => {
    const outcome = await run(
      actionEnvironmentOf('restore'),
      { 'action:restore': defer },
      { 'action-fail': '' },
    );

    expect(outcome.calls).toEqual([
      'state-get',
      'action-fail -- cannot defer "restore": it must be handled when it comes',
    ]);
  });
});

test('with a clock the log tells how long it took, if it tells anything', async () => {
  let nowMs = 1000;
  const clock = { nowMs: () => (nowMs += 25), sleep: async () => await Promise.resolve() };
  const tools = scriptHookTools({ 'state-get': 'null', 'juju-log': '' });
  const handlers: Handlers = {
    start: async ({ log }) => {
      await Promise.resolve();
      log('DEBUG', 'something');
    },
  };

  const env = environmentOf('start');
  await dispatch({ env, port: tools.port, ports: undefined, charm: { handlers }, clock });

  expect(tools.calls().at(-1)).toBe(
    'juju-log --log-level DEBUG -- something\ntook 25 ms and 1 hook tool calls before this line',
  );
});
