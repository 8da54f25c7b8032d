/** Three units that a client writes to from the set-up of the tests until their end. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll } from '@jest/globals';

import { deployPostgresql, postgresql } from '../../../scripts/demo/deploy.ts';
import { waitUntilSettled } from '../../../scripts/demo/settle.ts';
import { findPrimary } from '../../../scripts/faults/primary.ts';
import { createTestTable, database, user } from '../../../scripts/faults/test-table.ts';
import { startWriter, type Writer } from '../../../scripts/faults/writer-client.ts';
import { image, type TestModel } from './test-model.ts';

const pace = { intervalMs: 20, connectTimeoutMs: 1_000, statementTimeoutMs: 1_000 };
const numbers = [0, 1, 2];

export const pods = numbers.map((number) => `${postgresql}-${number}`);
export const units = numbers.map((number) => `${postgresql}/${number}`);

export interface WrittenCluster {
  /** The client; there from the end of the set-up. */
  readonly writer: () => Writer;
  /** Waits until every unit is active and idle. */
  readonly settle: () => Promise<void>;
}

export function useWrittenCluster({ model, say }: TestModel): WrittenCluster {
  let folder: string | undefined;
  let writer: Writer | undefined;

  async function settle(): Promise<void> {
    await waitUntilSettled(model, { [postgresql]: units.length }, { say });
  }

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'written-cluster-'));
    await deployPostgresql(model, { units: units.length, image });
    await settle();
    const pod = await findPrimary(model.name, postgresql);
    const password = await createTestTable({ namespace: model.name, pod });
    const host = `${postgresql}-primary.${model.name}.svc.cluster.local`;
    writer = startWriter(
      { host, database, user, password, firstId: 1, ...pace },
      path.join(folder, 'writes'),
    );
  }, 600_000);

  afterAll(async () => {
    await writer?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  return {
    settle,
    writer: () => {
      if (writer === undefined) throw new Error('cannot use the writer: it was never started');
      return writer;
    },
  };
}
