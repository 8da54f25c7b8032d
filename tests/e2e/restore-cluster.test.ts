// Level 3. Labels: backup, restore, scaling.
// Three units are restored as one cluster; and when that fails they are what they were before.

import { describe, expect } from '@jest/globals';

import { s3Info } from '../../cloud/client.ts';
import { requireAction } from '../../scripts/demo/action.ts';
import {
  findPrimary,
  listUnits,
  waitUntilArchiving,
  waitUntilReplicated,
} from '../../scripts/demo/cluster.ts';
import { openServer } from '../../scripts/demo/database.ts';
import {
  deployPostgresql,
  deployS3Integrator,
  integrateS3,
  postgresql,
  s3Integrator,
} from '../../scripts/demo/deploy.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import {
  archiveAll,
  backUp,
  breakBackup,
  makeStamps,
  readStamps,
  stamp,
  waitForMessages,
} from '../support/e2e/stamped-rows.ts';
import { image, useModel } from '../support/e2e/test-model.ts';

describe('a restore of three units', () => {
  const { model, say, check } = useModel('e2e-restore-all');
  const expected = { [postgresql]: 3, [s3Integrator]: 1 };
  let backup = '';

  async function readAll(): Promise<readonly string[]> {
    const units = listUnits(await readStatus(model)).map((unit) => openServer(model, unit));
    await waitUntilReplicated(model, units, say);
    return await Promise.all(units.map(readStamps));
  }

  async function restore(params: Readonly<Record<string, string>>): Promise<void> {
    const units = (await readStatus(model)).applications[postgresql] ?? [];
    const unit = units.find(({ leader }) => leader)?.name ?? '';
    const all = { ...params, 'all-units': 'true' };
    await requireAction(model, { unit, action: 'restore', params: all, guessTypes: true });
  }

  check('three units with a backup and rows', async () => {
    await deployPostgresql(model, { units: 3, image });
    await waitUntilSettled(model, { [postgresql]: 3 }, { say });
    // What an earlier run has left belongs to another cluster.
    const path = `${model.name}-${Date.now()}`;
    await deployS3Integrator(model, { ...(await s3Info()), bucket: 'restore', path });
    await integrateS3(model);
    await waitUntilArchiving(model, say);
    await waitUntilSettled(model, expected, { say });
    await makeStamps(await findPrimary(model));
    await stamp(model, 1);
    backup = await backUp(model);
    await stamp(model, 2);
    await archiveAll(model, say);

    expect(await readAll()).toStrictEqual(['1 2', '1 2', '1 2']);
  });

  check('all units have the data of the backup, and follow one primary', async () => {
    await restore({ 'backup-id': backup });
    await waitForMessages(model, [/^active/, /^active/, /^active/], say);
    await waitUntilSettled(model, expected, { say });

    expect(await readAll()).toStrictEqual(['1', '1', '1']);
    await stamp(model, 3);
    expect(await readAll()).toStrictEqual(['1 3', '1 3', '1 3']);
    await archiveAll(model, say);
  });

  check('when it fails all units have the data of before', async () => {
    await stamp(model, 4);
    await archiveAll(model, say);
    await breakBackup(model, backup);
    await restore({ 'backup-id': backup });
    await waitForMessages(model, [/^active/, /^active/, /^active/], say);
    await waitUntilSettled(model, expected, { say });
    const units = (await readStatus(model)).applications[postgresql] ?? [];

    expect(units.map(({ message }) => message).join()).toMatch(
      /the restore of .* failed, .*: \[\d+\]: /,
    );
    expect(await readAll()).toStrictEqual(['1 3 4', '1 3 4', '1 3 4']);
    await stamp(model, 5);
    expect(await readAll()).toStrictEqual(['1 3 4 5', '1 3 4 5', '1 3 4 5']);
  });
});
