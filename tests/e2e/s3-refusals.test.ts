// Level 3. Labels: backup, s3.
// A server that begins to refuse in the middle of a backup: the keys are replaced, or its disk is full.

import { describe, expect } from '@jest/globals';

import { updateS3Keys } from '../../scripts/demo/deploy.ts';
import { listStatuses, tryBackup } from '../support/e2e/backups.ts';
import { middle, useFaultyCluster } from '../support/e2e/faulty-cluster.ts';
import { waitUntilSent } from '../support/e2e/faulty-storage.ts';
import { waitForMessages } from '../support/e2e/stamped-rows.ts';

const slow = 1.5e6;

const former = { accessKey: 'former', secretKey: 'secret-of-the-former' };
const later = { accessKey: 'later', secretKey: 'secret-of-the-later' };

describe('storage that refuses', () => {
  const users = [{ ...former, role: 'userplus' as const }];
  const { storage, model, say, check, server, ...cluster } = useFaultyCluster('e2e-s3-refusals', {
    megabytes: 400,
    users,
  });
  const { untouched, settle } = cluster;
  let first = '';

  check('a cluster with data and a backup', async () => {
    await cluster.deploy({ ...storage().info, ...former, bucket: 'refusals', path: 'own' });
    first = await cluster.relate();
  });

  check('keys that are replaced, the former ones refused at once', async () => {
    await untouched(async () => {
      await storage().throttle(slow);
      const trying = tryBackup(model);
      await waitUntilSent(storage(), middle, say);
      await storage().setUsers([{ ...later, role: 'admin' }]);
      await updateS3Keys(model, later);
      await storage().pass();

      expect(await trying).toStrictEqual({
        kind: 'failed',
        message: expect.stringMatching(
          /^Failed to backup PostgreSQL with error: cannot run pgbackrest backup: \[\d+\]: .*; cannot write object .*\. Check the access key\.$/,
        ),
      });
      await settle();
      expect([...(await listStatuses(model)).values()].at(-1)).toBe('failed: interrupted');
      await cluster.expectBackup();
    });
    await cluster.expectWhole(first);
  });

  check('a disk that is full, until there is space', async () => {
    await untouched(async () => {
      await storage().throttle(slow);
      const trying = tryBackup(model);
      await waitUntilSent(storage(), middle, say);
      await storage().fill();
      await storage().pass();
      await server.query('select pg_switch_wal()');

      expect(await trying).toStrictEqual({
        kind: 'failed',
        message: expect.stringMatching(
          /^Failed to backup PostgreSQL with error: cannot run pgbackrest backup: \[\d+\]: .*; cannot write object .*\. Free space on the storage server, or raise its quota\.$/,
        ),
      });
      const says = /^active: Primary \(archiving fails, \d+ WAL files waiting\)$/;
      await waitForMessages(model, [says], say);
      await storage().free();
      await settle();
      expect([...(await listStatuses(model)).values()].at(-1)).toBe('failed: interrupted');
      await cluster.expectBackup();
    });
    await cluster.expectWhole(first);
  });
});
