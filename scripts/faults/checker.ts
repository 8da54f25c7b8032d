/** Reads everything that was written, on every member, once the replicas have caught up. */

import { setTimeout as sleep } from 'node:timers/promises';

import { type Difference, type Ledger, uniteDifferences } from './ledger.ts';
import { type Member, query } from './sql.ts';
import { database } from './test-table.ts';

export interface Comparison extends Difference {
  /** Every member has the same rows: as many, and with the same checksum. */
  readonly agree: boolean;
}

export interface Members {
  readonly primary: Member;
  readonly replicas: readonly Member[];
}

const catchUpTimeoutMs = 60_000;
const intervalMs = 250;

const sumsSql = `set timezone = 'UTC';
select count(*), coalesce(sum(hashtextextended(w::text, 0)::numeric), 0) from public.writes w;`;

/** Holds every member's rows against the ledger, and one against the other. */
export async function compareMembers(members: Members, ledger: Ledger): Promise<Comparison> {
  const position = await query(members.primary, { sql: 'select pg_current_wal_lsn()' });
  const differences: Difference[] = [];
  const sums = new Set<string>();
  for (const member of [members.primary, ...members.replicas]) {
    if (member !== members.primary) await waitUntilApplied(member, position);
    sums.add(await query(member, { sql: sumsSql, database }));
    const ids = await query(member, { sql: 'select id from public.writes', database });
    differences.push(ledger.compare(ids.split('\n').filter(Boolean).map(Number)));
  }
  const difference = uniteDifferences(differences);
  ledger.forget(difference);
  return { ...difference, agree: sums.size === 1 };
}

async function waitUntilApplied(replica: Member, position: string): Promise<void> {
  const sql = `select pg_last_wal_replay_lsn() >= '${position}'::pg_lsn`;
  const deadlineMs = Date.now() + catchUpTimeoutMs;
  while ((await query(replica, { sql })) !== 't') {
    if (Date.now() > deadlineMs) {
      throw new Error(`cannot compare ${replica.pod}: it has not applied ${position} within 60 s`);
    }
    await sleep(intervalMs);
  }
}
