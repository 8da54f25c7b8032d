// A backup that has failed and whose processes do not end: pgBackRest would wait half an hour for them.

import { once } from 'node:events';

import { expect, test } from '@jest/globals';

import type { ExecOptions } from '../../../../lib/pebble/pebble.ts';
import { backup, PgbackrestError } from '../../../../src/adapters/pgbackrest.ts';
import { createFakePebble } from '../../../support/fake-pebble.ts';

const failure = 'P00  ERROR: [101]: raised from local-2 protocol: TLS error';
const over = 'P00   INFO: backup command end: aborted with exception [101]';

/** A backup whose program does this; gives how long was waited for it. */
async function attempt(act: (options: ExecOptions) => Promise<number>) {
  const waits: number[] = [];
  const pebble = {
    ...createFakePebble({ container: 'postgresql' }),
    exec: async (_command: readonly string[], options: ExecOptions) => ({
      exitCode: await act(options),
      stdout: '',
      stderr: '',
    }),
  };
  const clock = {
    nowMs: () => 0,
    sleep: async (ms: number) => {
      waits.push(ms);
      await Promise.resolve();
    },
  };
  const request = { stanza: 'one', type: 'full', replica: false, onLine: () => undefined } as const;
  const outcome = await backup(pebble, { ...request, clock }).catch((error: unknown) => error);
  return { outcome, waits };
}

test('a backup that has failed is killed when it does not end, and its reason is told', async () => {
  const { outcome, waits } = await attempt(async ({ kill, onStdout }) => {
    onStdout?.(`${failure}\n${over}\n`);
    if (kill?.aborted === false) await once(kill, 'abort');
    return 137;
  });

  expect(outcome).toBeInstanceOf(PgbackrestError);
  expect(outcome).toMatchObject({
    message: 'cannot run pgbackrest backup: [101]: raised from local-2 protocol: TLS error',
  });
  expect(waits).toEqual([30_000]);
});

test('a backup that goes on is left alone', async () => {
  const { outcome, waits } = await attempt(async ({ kill, onStdout }) => {
    onStdout?.('P00   INFO: backup command end: completed successfully\n');
    await Promise.resolve();
    return kill?.aborted === true ? 137 : 0;
  });

  expect(outcome).toMatchObject({ exitCode: 0 });
  expect(waits).toEqual([]);
});
