// Level 3. Labels: backup, s3.
// The storage is down, or hangs, when something begins that needs it: it is said, nothing is lost, and it
// heals by itself.

import { describe, expect } from '@jest/globals';

import { runAction } from '../../scripts/demo/action.ts';
import {
  configureS3,
  integrateS3,
  postgresql,
  type S3Settings,
} from '../../scripts/demo/deploy.ts';
import { readStatus } from '../../scripts/demo/settle.ts';
import { stanzaName } from '../../src/core/names.ts';
import { listStatuses, makeBackup, onlyUnit, tryBackup } from '../support/e2e/backups.ts';
import { useFaultyCluster } from '../support/e2e/faulty-cluster.ts';
import { waitForMessages } from '../support/e2e/stamped-rows.ts';
import { waitUntilShown } from '../support/e2e/status-log.ts';

const nobodyAnswers =
  'connect ECONNREFUSED .*\\. Check the endpoint, and whether the storage server is up\\.';
/** So slow that a program that has just started has not ended. */
const crawl = 50_000;

describe('storage that goes away', () => {
  const { storage, model, say, check, ...cluster } = useFaultyCluster('e2e-s3-outages');
  const { untouched, settle } = cluster;
  const bucket = `outages-${Date.now()}`;
  let first = '';

  function settingsOf(path: string): S3Settings {
    return { ...storage().info, bucket, path };
  }

  check('a cluster with data, and without storage', async () => {
    await cluster.deploy(settingsOf('first'));
  });

  check('down before the relation: it is said, and set up when the server is there', async () => {
    await untouched(async () => {
      await storage().refuse();
      await integrateS3(model);
      const says = new RegExp(
        `^blocked: failed to access/create the bucket, check your S3 settings: .*${nobodyAnswers}$`,
      );
      await waitForMessages(model, [says], say);

      expect(await tryBackup(model)).toStrictEqual({
        kind: 'failed',
        message: expect.stringMatching(/^Unit is in a blocking state: failed to access\/create/),
      });
      await storage().pass();
      await settle();
    });
    // The bucket was not there either: the charm has made it.
    first = await makeBackup(model);
    expect(await listStatuses(model)).toStrictEqual(new Map([[first, 'finished']]));
  });

  const beginnings = [
    { action: 'create-backup', says: 'Failed to upload metadata to provided S3' },
    { action: 'list-backups', says: 'Failed to list PostgreSQL backups with error' },
    { action: 'restore', says: 'Failed to list PostgreSQL backups with error' },
  ];

  check('down when an action begins: it says so at once', async () => {
    await untouched(async () => {
      await storage().refuse();
      for (const { action, says } of beginnings) {
        const params = action === 'restore' ? { 'backup-id': first } : {};
        const call = { unit: onlyUnit, action, params, timeoutMs: 50_000 };
        const outcome = await runAction(model, call);

        expect(outcome).toStrictEqual({
          kind: 'failed',
          message: expect.stringMatching(new RegExp(`^${says}: .*${nobodyAnswers}$`)),
        });
      }
      const [unit] = (await readStatus(model)).applications[postgresql] ?? [];
      expect(unit).toMatchObject({ workload: 'active' });
    });
  });

  check('a server that hangs when a backup begins: it is given up', async () => {
    await untouched(async () => {
      await storage().pause();

      expect(await tryBackup(model)).toStrictEqual({
        kind: 'failed',
        message: expect.stringMatching(
          /^Failed to upload metadata to provided S3: .*: no answer in time\. .*whether the storage server is up\.$/,
        ),
      });
    });
    await cluster.expectWhole(first);
    await cluster.expectBackup();
  });

  check(
    'down when the stanza is created: it is said, and made when the server is there',
    async () => {
      const stanza = stanzaName(model.name, postgresql);
      await untouched(async () => {
        const beganMs = Date.now();
        await storage().throttle(crawl);
        await storage().whenRuns([`--stanza=${stanza}`, 'stanza-create'], 'refuse');
        await configureS3(model, settingsOf('second'));
        await cluster.occurred();
        // pgBackRest tries for just as long as it is given.
        const says =
          /^blocked: failed to initialize stanza, check your S3 settings: cannot run pgbackrest stanza-create: (no end within 120 s: the storage is slow or does not answer|\[\d+\]: unable to connect to .*)$/;
        // The next attempt fails sooner, and says something else.
        await waitUntilShown(model, onlyUnit, { sinceMs: beganMs, says, say });
        await storage().pass();
        await settle();
      });
      const made = await makeBackup(model);
      expect(await listStatuses(model)).toStrictEqual(new Map([[made, 'finished']]));
    },
  );
});
