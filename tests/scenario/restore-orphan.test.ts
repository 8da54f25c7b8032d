// pgBackRest outlives a Patroni that is killed while it restores: it has ended before any other data stand
// in the place that it writes to.

import { expect, test } from '@jest/globals';

import { endingCommand } from '../../src/adapters/restoring-program.ts';
import { updateStatus } from '../support/scenario/events.ts';
import {
  alone,
  asideFile,
  failed,
  markFile,
  phaseOf,
  serviceOf,
  withFiles,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  dataFile,
  fileOf,
  inWorld,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { run } from '../support/scenario/run.ts';

const orphan = '/proc/77/cmdline';
const other = '/proc/78/cmdline';
const words = (directory: string) =>
  ['pgbackrest', '--stanza=s', `--pg1-path=${directory}`, '--set=x', 'restore', ''].join('\0');

/** Patroni was killed while pgBackRest restored. */
const orphaned = async () =>
  withFiles(failed(await afterEvents(await alone(), updateStatus)), {
    [orphan]: words('/var/lib/postgresql/data/pgdata'),
    [other]: words('/var/lib/postgresql/data/trial-restore/data'),
  });

test('what still restores ends before the data of before come back', async () => {
  const given = await orphaned();
  expect(fileOf(given, asideFile)).toBeDefined();

  const { state: after, interruptions } = await run({
    charm: underTest,
    state: given,
    event: updateStatus,
  });

  expect(fileOf(after, orphan)).toBeUndefined();
  expect(fileOf(after, other)).toBeDefined();
  expect(fileOf(after, dataFile)).toBe('17\n');
  expect(serviceOf(after)).toBe('active');
  const back = interruptions.filter(({ state }) => fileOf(state, asideFile) === undefined);
  expect(back.length).toBeGreaterThan(2);
  for (const { state } of back) expect(fileOf(state, orphan)).toBeUndefined();
});

test('as long as it does not end, the data of before stay aside', async () => {
  const { state: after } = await run({
    charm: underTest,
    state: await orphaned(),
    event: updateStatus,
    execs: () => ({
      postgresql: [{ command: endingCommand, respond: () => ({ exitCode: 1 }) }],
    }),
  });

  expect(fileOf(after, asideFile)).toBeDefined();
  expect(fileOf(after, markFile)).toContain('"phase":"undoing"');
  expect(phaseOf(after)).toBe('stop');
  expect(serviceOf(after)).not.toBe('active');

  const reached = await afterEvents(after, updateStatus);
  expect(fileOf(reached, orphan)).toBeUndefined();
  expect(fileOf(reached, dataFile)).toBe('17\n');
});

/** pgBackRest copies, and Patroni waits for it. */
const copying = async (output: string) => {
  const begun = await afterEvents(await alone(), updateStatus);
  const state = 'running custom bootstrap script';
  const own = { name: 'postgresql-k8s-0', role: 'replica', state, timeline: 1 } as const;
  return withFiles(inWorld(begun, { patroni: { members: [own] } }), {
    [orphan]: words('/var/lib/postgresql/data/pgdata'),
    '/var/log/postgresql/patroni-output.log': output,
  });
};

test('what has failed and does not end is ended, so that Patroni gives up', async () => {
  const given = await copying('ERROR: [101]: raised from local-2 protocol: TLS error\n');
  const after = await afterEvents(given, updateStatus);

  expect(fileOf(after, orphan)).toBeUndefined();
  expect(serviceOf(after)).toBe('active');
  expect(fileOf(after, asideFile)).toBeDefined();
});

test('what copies goes on', async () => {
  const given = await copying('WARN: a path cannot be synced\n');

  expect(fileOf(await afterEvents(given, updateStatus), orphan)).toBeDefined();
});
