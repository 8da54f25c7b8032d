// Level 2. Labels: storage, deploy.
// A client fills volumes of 1 GiB until nothing more can be written, then space is freed: the cluster
// protects itself, heals by itself, and every acknowledged row is there.

import { describe, expect } from '@jest/globals';

import { findPrimary, listUnits, waitUntilReplicated } from '../../scripts/demo/cluster.ts';
import { openServer } from '../../scripts/demo/database.ts';
import { deployPostgresql, postgresql } from '../../scripts/demo/deploy.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { type FillingWriter, startFillingWriter } from '../support/e2e/filling-writer.ts';
import { image, useModel } from '../support/e2e/test-model.ts';

const settledMs = 600_000;

describe('a disk that a client fills', () => {
  const { model, say, check } = useModel('e2e-disk-full');
  const expected = { [postgresql]: 3 };
  let writer: FillingWriter | undefined;

  /** Messages of all units. */
  async function messages(): Promise<readonly string[]> {
    const { stdout } = await model.run('status', ['--format=oneline']);
    return stdout.split('\n');
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
    expect((await messages()).join('\n')).toMatch(/blocked/);
  });

  check('when space is freed all is active again by itself, and nothing is corrupt', async () => {
    const primary = await findPrimary(model);
    await primary.query('DELETE FROM filled WHERE n > 20; VACUUM filled; CHECKPOINT', {
      database: 'filling',
      timeoutMs: 300_000,
    });
    await waitUntilSettled(model, expected, { say, timeoutMs: settledMs });
    const servers = listUnits(await readStatus(model)).map((unit) => openServer(model, unit));
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
      expect(await server.query(sum, { database: 'filling' })).toBe('20|32000000');
    }
  });
});
