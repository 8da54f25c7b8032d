// A restored database that answers, and refuses for good what the charm needs in it: that fails no hook, what
// remains is said, and there is a way out.

import { expect, test } from '@jest/globals';

import { action, updateStatus } from '../support/scenario/events.ts';
import {
  alone,
  appData,
  asideFile,
  expectOldState,
  failed,
  markFile,
  peersOf,
  phaseOf,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  dataFile,
  fileOf,
  inWorld,
  primary,
  remembering,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';

const restore = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });
const cancel = action('cancel-restore');

/** The restored database answers. */
const refusing = (given: PostgresqlState, fault = '42501') =>
  inWorld(given, {
    patroni: { members: [primary(0)] },
    postgres: { faults: { setUp: fault } },
  });
const willing = (given: PostgresqlState) => inWorld(given, { postgres: { faults: {} } });

const single = async () => await afterEvents(remembering(await withBackup()), restore);
const cluster = async () => await afterEvents(await alone(), updateStatus);
/** The data of before have gone first. */
const small = async () => {
  const volume = { freeBytes: 100_000_000, usedBytes: 2 ** 30 };
  return await afterEvents(inWorld(remembering(await withBackup()), { volume }), restore);
};

const start = 'the restored database cannot be set up: cannot setUp: 42501; see to it, or ';
const blocked = (way: string) => ({ level: 'blocked', message: `${start}${way}` });
const explained = async (given: PostgresqlState) =>
  (await run({ charm: underTest, state: given, event: action('explain', { format: 'text' }) }))
    .action.results['explanation'];

for (const [what, begun] of [
  ['of an only unit', single],
  ['of a cluster', cluster],
] as const) {
  const stuck = async () => await afterEvents(refusing(await begun()), updateStatus, updateStatus);

  test(`a restore ${what} that cannot be set up says so, and keeps the data of before`, async () => {
    const after = await stuck();

    expect(after.unitStatus).toEqual(blocked('go back with cancel-restore'));
    expect(fileOf(after, asideFile)).toBe('17\n');
    expect(appData(after)).toHaveProperty('restoring-backup');
    const text = await explained(after);
    expect(text).toContain('tried again by each hook: cannot setUp: 42501.');
    expect(text).toContain('cancel-restore puts them in force');
  });

  test(`a restore ${what} that cannot be set up is cancelled`, async () => {
    const { state: after, action: ended } = await run({
      charm: underTest,
      state: await stuck(),
      event: cancel,
    });

    expect(ended.results).toEqual({ status: 'restore cancelled' });
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(fileOf(after, asideFile)).toBeUndefined();
    expect(appData(after)).not.toHaveProperty('restoring-backup');
    expectOldState(after);
    if (what === 'of a cluster') expect(phaseOf(after)).toBe('keep');
  });

  test(`a restore ${what} is in force as soon as it can be set up`, async () => {
    const after = await afterEvents(willing(await stuck()), updateStatus);

    expect(fileOf(after, asideFile)).toBeUndefined();
    if (what === 'of a cluster') expect(phaseOf(after)).toBe('clone');
    else expect(fileOf(after, markFile)).toBeUndefined();
    expect(peersOf(after).localApp).not.toHaveProperty('restoring-backup');
  });
}

scenario('what cannot be set up is tried again without any harm', {
  charm: underTest,
  given: async () => refusing(await cluster()),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(phaseOf(after)).toBe('stop');
    expect(after.unitStatus).toEqual(blocked('go back with cancel-restore'));
  },
});

test('whoever may not even log in is told so, too', async () => {
  const after = await afterEvents(refusing(await single(), 'refused-login'), updateStatus);

  expect(after.unitStatus.message).toContain('cannot be set up: cannot setUp: refused-login');
});

test('where no data of before are left, another restore is the way', async () => {
  const after = await afterEvents(refusing(await small()), updateStatus);

  expect(after.unitStatus).toEqual(blocked('restore another backup'));
  expect(await explained(after)).toContain('no data of before to go back to: restore another');

  const { action: refused } = await run({ charm: underTest, state: after, event: cancel });
  expect(refused.failed).toBe('The data of before are gone, so there is nothing to go back to');

  const { action: again, state } = await run({ charm: underTest, state: after, event: restore });
  expect(again.failed).toBeUndefined();
  const restored = await afterEvents(willing(state), updateStatus);
  expect(appData(restored)).not.toHaveProperty('restoring-backup');
  expect(fileOf(restored, markFile)).toBeUndefined();
});

test('when it does not even run any more, that is what is said', async () => {
  const stuck = await afterEvents(refusing(await small()), updateStatus);
  const given = inWorld(failed(stuck), { patroni: { members: [] } });

  const after = await afterEvents(given, updateStatus);

  expect(after.unitStatus.message).toMatch(
    /^Failed to restore backup: .*; no data are left here, restore another backup$/,
  );
  expect(await explained(after)).toContain('Wait for another restore');
});
