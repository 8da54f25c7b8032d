// Restored data that the cluster has gone on without, on the only unit that is left, and what waits for
// units that have not copied restored data yet.

import { expect, test } from '@jest/globals';

import { abandonedData } from '../../src/core/status.ts';
import { action, updateStatus } from '../support/scenario/events.ts';
import {
  failed,
  markFile,
  request,
  root,
  serviceOf,
  version,
  withBags,
  withFiles,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  backupLabel,
  dataFile,
  fileOf,
  inWorld,
  primary,
  remembering,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';

/** An only unit with data that the others had gone on without, which they are not any more. */
const leftAlone = async (mark: Readonly<Record<string, string>>) =>
  inWorld(
    withFiles(
      withBags(remembering(await withBackup()), { app: { 'restores-abandoned': 'r1' } }),
      mark,
    ),
    { patroni: { members: [] } },
  );

const marks: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'has restored': {
    [markFile]: JSON.stringify({
      label: backupLabel,
      stanza: 's',
      phase: 'restored',
      old: 'none',
      request: 'r1',
    }),
  },
  'has copied': { [`${root}/restore-copied`]: 'r1\n' },
};

for (const [what, mark] of Object.entries(marks)) {
  const order = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });

  test(`on data that a unit ${what} in vain another backup can be restored`, async () => {
    const held = await afterEvents(await leftAlone(mark), updateStatus);
    expect(held.unitStatus).toEqual(abandonedData);

    const begun = await afterEvents(held, order, updateStatus);
    const up = inWorld(withFiles(begun, { [dataFile]: 'restored\n' }), {
      patroni: { members: [primary(0)] },
    });
    const after = await afterEvents(up, updateStatus, updateStatus);

    expect(serviceOf(begun)).toBe('active');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    expect(fileOf(after, markFile)).toBeUndefined();
    expect(fileOf(after, `${root}/restore-copied`)).toBeUndefined();
  });

  test(`data that a unit ${what} in vain stay down when that fails`, async () => {
    const begun = await afterEvents(await leftAlone(mark), updateStatus, order);
    const failing = inWorld(failed(begun), { patroni: { members: [] } });

    const first = await afterEvents(failing, updateStatus);
    const after = await afterEvents(first, updateStatus, updateStatus);

    expect(serviceOf(first)).not.toBe('active');
    expect(serviceOf(after)).not.toBe('active');
    expect(fileOf(after, dataFile)).toBe(String(version.content));
    expect(after.unitStatus).toEqual(abandonedData);
  });
}

test('a primary says who keeps its WAL from being archived', async () => {
  const given = withBags(await withBackup({ others: [1, 2] }), {
    app: { 'restore-request': request('clone') },
    others: { 'restore-stopped': 'r1' },
  });
  const started = {
    ...given,
    relations: given.relations.map((one) =>
      one.endpoint === 'database-peers'
        ? { ...one, remoteUnits: { ...one.remoteUnits, 'postgresql-k8s/1': {} } }
        : one,
    ),
  };

  const after = await afterEvents(started, updateStatus);

  expect(after.unitStatus.message).toBe(
    'Primary (no WAL is archived until postgresql-k8s/2 begin to copy the restored data, or are removed)',
  );
});
