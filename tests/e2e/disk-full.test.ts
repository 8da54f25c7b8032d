// Level 2. Labels: storage, deploy.
// A client fills volumes of 1 GiB until nothing more can be written, then space is freed: the cluster
// protects itself, heals by itself, and every acknowledged row is there.

import { describe, expect } from '@jest/globals';

import { findPrimary, listUnits, waitUntilReplicated } from '../../scripts/demo/cluster.ts';
import { openServer } from '../../scripts/demo/database.ts';
import { deployPostgresql, postgresql } from '../../scripts/demo/deploy.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { unitOf } from '../../scripts/faults/names.ts';
import { fetchCluster } from '../../scripts/faults/pods.ts';
import { type FillingWriter, startFillingWriter } from '../support/e2e/filling-writer.ts';
import { image, useModel } from '../support/e2e/test-model.ts';

const settledMs = 600_000;
const full = 'pgdata volume is full, clients may only read';
const low = '<10% free space on pgdata volume.';

describe('a disk that a client fills', () => {
  const { model, say, check } = useModel('e2e-disk-full');
  const expected = { [postgresql]: 3 };
  let writer: FillingWriter | undefined;

  /** Waits until the unit of the primary, whoever that is by then, says what clients meet. */
  async function waitUntilTold(): Promise<void> {
    await waitFor(
      async () => {
        const { members } = await fetchCluster(model.name, postgresql);
        const leader = members.find(({ role }) => role === 'leader');
        if (leader === undefined) return notYet('nobody leads');
        const primary = unitOf(leader.name);
        const units = (await readStatus(model)).applications[postgresql] ?? [];
        const shown = units.find(({ name }) => name === primary);
        if (shown?.workload === 'blocked' && shown.message === full) return there(true);
        return notYet(`${primary} shows ${shown?.workload} "${shown?.message}"`);
      },
      { what: 'the primary to say what is wrong', say, timeoutMs: 60_000 },
    );
  }

  /** Waits until the client may write this number, which takes a turn of Patroni. */
  async function waitUntilWritten(n: number): Promise<void> {
    await waitFor(
      async () => {
        const refusal = (await writer?.attempt(n)) ?? 'nobody writes';
        return refusal === '' ? there(true) : notYet(`refused: "${refusal}"`);
      },
      { what: 'the client to write again', say, timeoutMs: 60_000 },
    );
  }

  check('volumes are no larger than their claims', async () => {
    const pool = ['sized', 'kubernetes', 'storage-class=local-sized'];
    await model.run('create-storage-pool', pool);
    await deployPostgresql(model, { units: 3, image, storage: 'pgdata=sized,1G' });
    await waitUntilSettled(model, expected, { say, timeoutMs: settledMs });
  });

  check('a client that fills them is made to stop, and told why', async () => {
    const filling = await startFillingWriter(
      model.name,
      `${postgresql}-0`,
      await findPrimary(model),
    );
    writer = filling;
    const told = await waitFor(
      async () => {
        const text = await filling.refusal();
        return text.includes('read-only') ? there(text) : notYet(`refused: "${text}"`);
      },
      { what: 'the end of writing', say, timeoutMs: 600_000, intervalMs: 5_000 },
    );

    expect(told).toContain('cannot execute INSERT in a read-only transaction');
    await filling.stop();
  });

  check('every acknowledged row can be read, and the unit says what is wrong', async () => {
    const acknowledged = (await writer?.acknowledged()) ?? [];
    const primary = await findPrimary(model);
    const rows = await primary.query('SELECT n FROM filled', { database: 'filling' });
    const present = new Set(rows.split('\n').map(Number));

    expect(acknowledged.length).toBeGreaterThan(100);
    expect(acknowledged.filter((n) => !present.has(n))).toEqual([]);
    await waitUntilTold();
    expect(await writer?.attempt(0)).toContain('cannot execute INSERT in a read-only transaction');
    const units = (await readStatus(model)).applications[postgresql] ?? [];
    const blocked = units.filter(({ workload }) => workload === 'blocked');
    // The others have the same data, and perhaps less WAL.
    expect(blocked.filter(({ message }) => message !== full && message !== low)).toEqual([]);
  });

  check('when space is freed all is active again by itself, and nothing is corrupt', async () => {
    const primary = await findPrimary(model);
    await primary.query('DELETE FROM filled WHERE n > 20; VACUUM filled; CHECKPOINT', {
      database: 'filling',
      timeoutMs: 300_000,
    });
    await waitUntilSettled(model, expected, { say, timeoutMs: settledMs });
    const servers = listUnits(await readStatus(model)).map((unit) => openServer(model, unit));
    await waitUntilWritten(0);
    await waitUntilReplicated(model, servers, say);

    const leader = await findPrimary(model);
    await leader.query('CREATE EXTENSION amcheck; CREATE TABLE again AS SELECT 1 AS n', {
      database: 'filling',
    });
    const checks = `SELECT count(bt_index_check(c.oid, true)) > 100 FROM pg_class c
      JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'btree' AND c.relkind = 'i'`;
    expect(await leader.query(checks, { database: 'filling' })).toBe('t');
    for (const server of servers) {
      const sum = 'SELECT count(*), sum(length(load)) FROM filled';
      expect(await server.query(sum, { database: 'filling' })).toBe('21|32000000');
    }
  });
});
