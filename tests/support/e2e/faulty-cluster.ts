/** A cluster of one unit beside a storage that can be told to go wrong, for the tests of one file. */

import { expect } from '@jest/globals';

import { waitUntilArchiving } from '../../../scripts/demo/cluster.ts';
import { openServer, type Server } from '../../../scripts/demo/database.ts';
import {
  deployPostgresql,
  deployS3Integrator,
  integrateS3,
  postgresql,
  type S3Settings,
  s3Integrator,
} from '../../../scripts/demo/deploy.ts';
import { waitUntilSettled } from '../../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../../scripts/demo/wait.ts';
import { listStatuses, loadLargeData, makeBackup, onlyUnit, readSpans } from './backups.ts';
import { type FaultyStorage, type OwnServerOptions, useFaultyStorage } from './faulty-storage.ts';
import { archiveAll, waitForMessages } from './stamped-rows.ts';
import { image, type TestModel, useModel } from './test-model.ts';
import { loadSmallData, readFootprint } from './untouched.ts';

/** Of the database; about a fifth of it are sent, compressed. */
const megabytes = 150;
/** Somewhere in the middle of a backup or of a restore. */
export const middle = 10e6;

export interface FaultyCluster extends TestModel {
  readonly storage: () => FaultyStorage;
  readonly server: Server;
  /** Deploys it with data and without storage. */
  readonly deploy: (settings: S3Settings) => Promise<void>;
  /** Sets storage up that works; gives the id of a first backup. */
  readonly relate: () => Promise<string>;
  /** What somebody does must leave data, server process and timeline as they were. */
  readonly untouched: (doing: () => Promise<void>) => Promise<void>;
  /** Waits until nothing is wrong any more. */
  readonly settle: () => Promise<void>;
  /** Waits until the storage has done what it was told to do later. */
  readonly occurred: () => Promise<void>;
  /** Of all that was committed since a backup nothing is missing in the repository. */
  readonly expectWhole: (since: string) => Promise<void>;
  /** A backup can be made, and what is listed has come to a good end. */
  readonly expectBackup: () => Promise<string>;
}

export function useFaultyCluster(name: string, own?: OwnServerOptions): FaultyCluster {
  const storage = useFaultyStorage(own);
  const test = useModel(name);
  const { model, say } = test;
  const server = openServer(model, onlyUnit);
  const expected = { [postgresql]: 1, [s3Integrator]: 1 };

  async function settle(): Promise<void> {
    await waitUntilSettled(model, expected, { say });
    await waitUntilArchiving(model, say);
    await waitForMessages(model, [/^active: Primary$/], say);
  }

  return {
    ...test,
    storage,
    server,
    settle,
    deploy: async (settings) => {
      // As often as Juju allows: that is what heals.
      await model.run('model-config', ['update-status-hook-interval=1m']);
      await deployPostgresql(model, { units: 1, image });
      await deployS3Integrator(model, settings);
      await waitUntilSettled(model, expected, { say });
      await loadSmallData(server);
      await loadLargeData(server, megabytes);
    },
    relate: async () => {
      await integrateS3(model);
      await settle();
      return await makeBackup(model);
    },
    untouched: async (doing) => {
      const before = await readFootprint(server);
      try {
        await doing();
      } finally {
        await storage().pass();
      }
      expect(await readFootprint(server)).toStrictEqual(before);
    },
    occurred: async () => {
      await waitFor(
        async () =>
          (await storage().hasFired()) ? there(true) : notYet('nothing has happened yet'),
        { what: 'the outage', timeoutMs: 240_000, say, intervalMs: 200 },
      );
    },
    expectWhole: async (since) => {
      const now = await writeSomething(server);
      await archiveAll(model, say);
      const spans = await readSpans(model);
      expect(spans.map(({ from }) => from)).toStrictEqual([since]);
      expect(spans.every(({ latest }) => latest >= now)).toBe(true);
    },
    expectBackup: async () => {
      const made = await makeBackup(model);
      const statuses = await listStatuses(model);
      expect(statuses.get(made)).toBe('finished');
      expect(new Set(statuses.values())).toStrictEqual(new Set(['finished']));
      return made;
    },
  };
}

/** So that there is WAL to be archived; gives the time, as `list-backups` does. */
async function writeSomething(server: Server): Promise<string> {
  await server.query(`select pg_logical_emit_message(true, 'test', '')`);
  const time = `to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`;
  return await server.query(`select ${time}`);
}
