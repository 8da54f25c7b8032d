// Level 1. Labels: backup, s3.
// Each way in which the storage can be wrong: the unit is blocked with a sentence that says what to
// do, a backup is refused, and correcting it heals without a restart.

import { describe, expect } from '@jest/globals';

import { type S3Info, s3Info } from '../../cloud/client.ts';
import { requireAction, runAction } from '../../scripts/demo/action.ts';
import { findPrimary, waitUntilArchiving } from '../../scripts/demo/cluster.ts';
import {
  configureS3,
  deployPostgresql,
  deployS3Integrator,
  integrateS3,
  postgresql,
  type S3Settings,
  s3Integrator,
  updateS3Keys,
} from '../../scripts/demo/deploy.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { putObject } from '../support/e2e/bucket.ts';
import { image, useModel } from '../support/e2e/test-model.ts';
import { loadSmallData, readFootprint } from '../support/e2e/untouched.ts';

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

describe('storage that is wrong', () => {
  const { model, say, check } = useModel('e2e-s3-faults');
  const expected = { [postgresql]: 1, [s3Integrator]: 1 };
  const unit = `${postgresql}/0`;

  async function goodSettings(): Promise<S3Settings> {
    return { ...(await s3Info()), bucket: 's3-faults', path: 'own' };
  }

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
    await deployPostgresql(model, { units: 1, image });
    await deployS3Integrator(model, await goodSettings());
    await waitUntilSettled(model, expected, { say });
    await integrateS3(model);
    await waitUntilArchiving(model, say);
    await waitUntilSettled(model, expected, { say });
    await loadSmallData(await findPrimary(model));
    await putForeignMark(await s3Info());
  });

  async function putForeignMark(info: S3Info): Promise<void> {
    await putObject(info, {
      bucket: 's3-faults',
      key: 'somebody-else/model-uuid.txt',
      content: '00000000-0000-4000-8000-000000000000',
    });
  }

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
});
