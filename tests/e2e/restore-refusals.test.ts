// Level 1. Labels: backup, restore.
// A restore that cannot be done is refused with a sentence, and nothing is touched.

import { describe, expect } from '@jest/globals';

import { s3Info } from '../../cloud/client.ts';
import { runAction } from '../../scripts/demo/action.ts';
import {
  findPrimary,
  listUnits,
  waitUntilAlone,
  waitUntilArchiving,
} from '../../scripts/demo/cluster.ts';
import {
  deployPostgresql,
  deployS3Integrator,
  integrateS3,
  postgresql,
  s3Integrator,
  scalePostgresql,
} from '../../scripts/demo/deploy.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { image, useModel } from '../support/e2e/test-model.ts';
import { loadSmallData, readFootprint } from '../support/e2e/untouched.ts';

describe('a restore that cannot be done', () => {
  const { model, say, check } = useModel('e2e-refusals');

  /** Asks for a restore, and holds what it says and what there is against what there was. */
  async function expectRefusal(
    unit: string,
    params: Readonly<Record<string, string>>,
    message: RegExp,
  ): Promise<void> {
    const before = await readFootprint(await findPrimary(model));

    const outcome = await runAction(model, { unit, action: 'restore', params });

    expect(outcome).toStrictEqual({ kind: 'failed', message: expect.stringMatching(message) });
    expect(await readFootprint(await findPrimary(model))).toStrictEqual(before);
  }

  const anyBackup = { 'backup-id': '2026-01-31T12:00:00Z' };

  check('two units with data are there', async () => {
    await deployPostgresql(model, { units: 2, image });
    await waitUntilSettled(model, { [postgresql]: 2 }, { say });
    await loadSmallData(await findPrimary(model));
  });

  check('a cluster of several units refuses, on the leader and elsewhere', async () => {
    const { applications } = await readStatus(model);
    const units = applications[postgresql] ?? [];

    expect(units.filter(({ leader }) => leader)).toHaveLength(1);
    expect(units).toHaveLength(2);
    for (const { name } of units) await expectRefusal(name, anyBackup, /more than one unit/);
  });

  check('without S3 there is nothing to restore from', async () => {
    await scalePostgresql(model, 1);
    await waitUntilSettled(model, { [postgresql]: 1 }, { say });
    await waitUntilAlone(await findPrimary(model), say);
    const status = await waitUntilSettled(model, { [postgresql]: 1 }, { say });

    const [unit = ''] = listUnits(status);
    await expectRefusal(unit, anyBackup, /^Relation with s3-integrator charm missing/);
  });

  check('an id that is in no list is refused', async () => {
    await deployS3Integrator(model, { ...(await s3Info()), bucket: 'refusals', path: model.name });
    await integrateS3(model);
    await waitUntilArchiving(model, say);
    const expected = { [postgresql]: 1, [s3Integrator]: 1 };
    const [unit = ''] = listUnits(await waitUntilSettled(model, expected, { say }));

    const ids = ['2026-01-31T12:00:00Z', 'latest', '../../etc', '20260131-120000F'];
    for (const id of ids) await expectRefusal(unit, { 'backup-id': id }, /^Invalid backup-id: /);
  });

  check('no id at all is refused', async () => {
    const [unit = ''] = listUnits(await readStatus(model));

    await expectRefusal(unit, {}, /backup-id/);
  });

  check('the unit is as active as before', async () => {
    const expected = { [postgresql]: 1, [s3Integrator]: 1 };
    const status = await waitUntilSettled(model, expected, { say, timeoutMs: 60_000 });

    expect(status.applications[postgresql]?.map(({ message }) => message)).toStrictEqual([
      'Primary',
    ]);
  });
});
