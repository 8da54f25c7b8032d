// Level 3. Labels: backup, s3.
// The storage is slow, loses its connections, or goes away for good in the middle of a backup.

import { describe, expect } from '@jest/globals';

import { listStatuses, makeBackup, tryBackup } from '../support/e2e/backups.ts';
import { middle, useFaultyCluster } from '../support/e2e/faulty-cluster.ts';

const slow = 2e6;

describe('storage that goes away in a backup', () => {
  const { storage, model, check, ...cluster } = useFaultyCluster('e2e-s3-backup-outages');
  const { untouched } = cluster;
  let first = '';

  check('a cluster with data and a backup', async () => {
    await cluster.deploy({ ...storage().info, bucket: `outages-${Date.now()}`, path: 'own' });
    first = await cluster.relate();
  });

  check('a slow server: the backup takes its time', async () => {
    await untouched(async () => {
      await storage().throttle(slow);
      const [before, startedMs] = [await storage().sent(), Date.now()];
      const made = await makeBackup(model);
      const seconds = (Date.now() - startedMs) / 1000;
      const bytes = (await storage().sent()) - before;

      expect(bytes).toBeGreaterThan(middle);
      expect(seconds).toBeGreaterThan(bytes / slow);
      expect((await listStatuses(model)).get(made)).toBe('finished');
    });
  });

  check('connections that are cut in the middle of a backup: it goes on', async () => {
    await untouched(async () => {
      await storage().whenSent(middle, 'cut');
      const made = await makeBackup(model);

      expect(await storage().hasFired()).toBe(true);
      expect((await listStatuses(model)).get(made)).toBe('finished');
    });
    await cluster.expectWhole(first);
  });

  check('down for good: it fails, is listed, and the next one is made', async () => {
    await untouched(async () => {
      await storage().whenSent(middle, 'drop');
      const outcome = await tryBackup(model);

      expect(await storage().hasFired()).toBe(true);
      expect(outcome).toStrictEqual({
        kind: 'failed',
        message: expect.stringMatching(
          /^Failed to backup PostgreSQL with error: cannot run pgbackrest backup: \[\d+\]: .*; cannot write object .*\. Check the endpoint, and whether the storage server is up\.$/,
        ),
      });
      await storage().pass();
      expect([...(await listStatuses(model)).values()].at(-1)).toBe('failed: interrupted');
      await cluster.expectBackup();
      await cluster.settle();
    });
    await cluster.expectWhole(first);
  });
});
