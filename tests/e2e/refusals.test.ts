// Level 1. Labels: backup, restore, s3.
// What cannot be done is refused with a sentence, and nothing is touched: restores, and whatever needs a
// storage that is wrong. The latter begins with the unit and the storage that the former has left.

import { describe, expect } from '@jest/globals';

import { s3Info } from '../../cloud/client.ts';
import { requireAction, runAction } from '../../scripts/demo/action.ts';
import {
  findPrimary,
  listUnits,
  waitUntilAlone,
  waitUntilArchiving,
} from '../../scripts/demo/cluster.ts';
import {
  configureS3,
  deployPostgresql,
  deployS3Integrator,
  integrateS3,
  postgresql,
  type S3Settings,
  s3Integrator,
  scalePostgresql,
  updateS3Keys,
} from '../../scripts/demo/deploy.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { putObject } from '../support/e2e/bucket.ts';
import { image, type TestModel, useModel } from '../support/e2e/test-model.ts';
import { loadSmallData, readFootprint } from '../support/e2e/untouched.ts';

const expected = { [postgresql]: 1, [s3Integrator]: 1 };
const bucket = 'refusals';
const path = `run-${Date.now()}`;

async function goodSettings(): Promise<S3Settings> {
  return { ...(await s3Info()), bucket, path };
}

function refuseRestores({ model, say, check }: TestModel): void {
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
    await deployS3Integrator(model, await goodSettings());
    await integrateS3(model);
    await waitUntilArchiving(model, say);
    const [unit = ''] = listUnits(await waitUntilSettled(model, expected, { say }));

    const ids = ['2026-01-31T12:00:00Z', 'latest', '../../etc', '20260131-120000F'];
    for (const id of ids) await expectRefusal(unit, { 'backup-id': id }, /^Invalid backup-id: /);
  });

  check('no id at all is refused', async () => {
    const [unit = ''] = listUnits(await readStatus(model));

    await expectRefusal(unit, {}, /backup-id/);
  });

  check('the unit is as active as before', async () => {
    const status = await waitUntilSettled(model, expected, { say, timeoutMs: 60_000 });

    expect(status.applications[postgresql]?.map(({ message }) => message)).toStrictEqual([
      'Primary',
    ]);
  });
}

interface Fault {
  readonly summary: string;
  readonly change: Partial<S3Settings>;
  readonly says: RegExp;
}

const bucketMessage = 'failed to access/create the bucket, check your S3 settings';

const faults: readonly Fault[] = [
  {
    summary: 'a wrong access key',
    change: { accessKey: 'nobody' },
    says: new RegExp(`^${bucketMessage}: .*Check the access key`),
  },
  {
    summary: 'a wrong secret key',
    change: { secretKey: 'wrong' },
    says: new RegExp(`^${bucketMessage}: .*Check the secret key`),
  },
  {
    summary: 'a host that nobody knows',
    change: { endpoint: 'https://s3.nowhere.invalid' },
    says: new RegExp(`^${bucketMessage}: .*Check the endpoint`),
  },
  {
    summary: 'a certificate that nobody trusts',
    change: { caPem: '' },
    says: new RegExp(`^${bucketMessage}: .*Set tls-ca-chain`),
  },
  {
    summary: 'a bucket of another cluster',
    change: { path: 'somebody-else' },
    says: /^the S3 repository has backups from another cluster/,
  },
];

/** Each way in which the storage can be wrong: correcting it heals without a restart. */
function refuseStorage({ model, say, check }: TestModel): void {
  const unit = `${postgresql}/0`;

  async function apply(settings: S3Settings): Promise<void> {
    await updateS3Keys(model, settings);
    await configureS3(model, settings);
  }

  /** Waits for a message in the unit's status. */
  async function waitForBlocked(says: RegExp): Promise<void> {
    await waitFor(
      async () => {
        const seen = (await readStatus(model)).applications[postgresql]?.[0];
        if (seen?.workload === 'blocked' && says.test(seen.message)) return there(true);
        return notYet(`${unit} ${seen?.workload}: ${seen?.message}`);
      },
      { what: `a status like ${says.source}`, timeoutMs: 180_000, say },
    );
  }

  check('a cluster with good storage is there', async () => {
    await waitUntilArchiving(model, say);
    await waitUntilSettled(model, expected, { say });
    await putObject(await s3Info(), {
      bucket,
      key: 'somebody-else/model-uuid.txt',
      content: '00000000-0000-4000-8000-000000000000',
    });
  });

  for (const { summary, change, says } of faults) {
    check(`${summary} blocks with a sentence, and correcting it heals`, async () => {
      const good = await goodSettings();
      const before = await readFootprint(await findPrimary(model));

      await apply({ ...good, ...change });
      await waitForBlocked(says);
      const refused = await runAction(model, { unit, action: 'create-backup' });
      await apply(good);
      await waitUntilSettled(model, expected, { say });

      expect(refused).toStrictEqual({ kind: 'failed', message: expect.stringMatching(/./) });
      expect(await readFootprint(await findPrimary(model))).toStrictEqual(before);
    });
  }

  check('after all that a backup can be made', async () => {
    await waitUntilArchiving(model, say);

    const results = await requireAction(model, {
      unit,
      action: 'create-backup',
      timeoutMs: 300_000,
    });

    expect(results['backup-status']).toBe('backup created');
  });
}

describe('what cannot be done', () => {
  const test = useModel('e2e-refusals');
  describe('a restore that cannot be done', () => {
    refuseRestores(test);
  });
  describe('storage that is wrong', () => {
    refuseStorage(test);
  });
});
