// Level 3. Labels: backup, s3.
// A bucket that is not there, that may not be made, or that others keep their backups in.

import { describe, expect } from '@jest/globals';

import { runAction } from '../../scripts/demo/action.ts';
import { configureS3, integrateS3, type S3Settings } from '../../scripts/demo/deploy.ts';
import { dataDirectory } from '../../src/core/names.ts';
import { listStatuses, makeBackup, onlyUnit, tryBackup } from '../support/e2e/backups.ts';
import { useFaultyCluster } from '../support/e2e/faulty-cluster.ts';
import { waitForMessages } from '../support/e2e/stamped-rows.ts';

const keys = { accessKey: 'keys', secretKey: 'secret-of-the-keys' };
const bucket = 'buckets';
const foreignFolder = ['--repo1-path=/foreign'];

describe('buckets that are not as they should be', () => {
  const users = [{ ...keys, role: 'user' as const }];
  const { storage, model, say, check, server, ...cluster } = useFaultyCluster('e2e-s3-buckets', {
    megabytes: 400,
    users,
  });
  const { untouched, settle } = cluster;
  let first = '';

  function settingsOf(path: string): S3Settings {
    return { ...storage().info, ...keys, bucket, path };
  }

  check('a cluster with data, and keys that may not make a bucket', async () => {
    await cluster.deploy(settingsOf('own'));
  });

  check('a bucket that may not be made: it is said, and made when that is allowed', async () => {
    await untouched(async () => {
      await integrateS3(model);
      const says =
        /^blocked: failed to access\/create the bucket, check your S3 settings: cannot create bucket "buckets": .*\. Create the bucket, or allow the access key to do so\.$/;
      await waitForMessages(model, [says], say);
      await storage().setUsers([{ ...keys, role: 'userplus' }]);
      await settle();
    });
    first = await makeBackup(model);
    expect(await listStatuses(model)).toStrictEqual(new Map([[first, 'finished']]));
  });

  check('a bucket that is taken away: it is said, and WAL waits until it is back', async () => {
    await untouched(async () => {
      await storage().hide(bucket);
      await server.query(`select pg_logical_emit_message(true, 'test', ''), pg_switch_wal()`);
      const listed = await runAction(model, { unit: onlyUnit, action: 'list-backups' });

      const why = 'The specified bucket does not exist\\. Check the name of the bucket\\.$';
      expect(await tryBackup(model)).toStrictEqual({
        kind: 'failed',
        message: expect.stringMatching(
          new RegExp(`^Failed to upload metadata to provided S3: .*${why}`),
        ),
      });
      expect(listed).toStrictEqual({
        kind: 'failed',
        message: expect.stringMatching(
          new RegExp(`^Failed to list PostgreSQL backups with error: .*${why}`),
        ),
      });
      await storage().show(bucket);
      await settle();
    });
    await cluster.expectWhole(first);
    await cluster.expectBackup();
  });

  /** All files of the other cluster, with their sizes and times. */
  async function readForeign(): Promise<string> {
    const args = ['repo-ls', ...foreignFolder, '--recurse', '--output=json'];
    return (await server.program('pgbackrest', args)).stdout;
  }

  check('backups of another cluster: they are left alone, and so is the own data', async () => {
    const stanza = ['--stanza=other.patroni-other', `--pg1-path=${dataDirectory}`, '--no-online'];
    await server.program('pgbackrest', [...foreignFolder, ...stanza, 'stanza-create']);
    const before = await readForeign();
    await untouched(async () => {
      await configureS3(model, settingsOf('foreign'));
      const says = /^blocked: the S3 repository has backups from another cluster$/;
      await waitForMessages(model, [says], say);

      expect(await tryBackup(model)).toStrictEqual({
        kind: 'failed',
        message: 'Unit is in a blocking state: the S3 repository has backups from another cluster',
      });
      expect(before).toContain('backup/other.patroni-other/backup.info');
      expect(await readForeign()).toBe(before);
      await configureS3(model, settingsOf('own'));
      await settle();
    });
    await cluster.expectBackup();
  });
});
