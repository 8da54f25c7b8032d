/**
 * A client in the pod that commits a row every 100 ms, and the times at which its rows were committed, as
 * the server has written them into its WAL: what a restore goes by.
 */

import { notYet, type Say, there, waitFor } from '../../../scripts/demo/wait.ts';
import type { Member } from '../../../scripts/faults/sql.ts';
import { query, runInPod } from '../../../scripts/faults/sql.ts';

export interface Tick {
  readonly n: number;
  /** Microseconds since 1970. */
  readonly micros: number;
}

const timeoutMs = 60_000;
const stopFile = '/tmp/ticks-stop';

export async function makeTicks(member: Member): Promise<void> {
  await query(member, { sql: 'create table ticks (n int generated always as identity)' });
}

/** Commits so many rows, switches the WAL in the middle, and gives all that it has committed. */
export async function tick(member: Member, count: number, say: Say): Promise<readonly Tick[]> {
  const from = await query(member, { sql: 'select pg_current_wal_lsn()' });
  const last = Number(await query(member, { sql: 'select coalesce(max(n), 0) from ticks' }));
  await start(member);
  await waitUntilThere(member, { count: count / 2, last, say });
  await query(member, { sql: 'select pg_switch_wal()' });
  await waitUntilThere(member, { count, last, say });
  await stop(member, say);
  return await readTicks(member, { from: from.trim(), last });
}

/** A client as others: each row is a transaction of its own. */
async function start(member: Member): Promise<void> {
  const script = `rm -f ${stopFile}
cat > /tmp/ticks <<'END'
while [ ! -e ${stopFile} ]; do echo 'insert into ticks default values;'; sleep 0.1; done |
  psql -X -q -U operator -d postgres
END
chmod 755 /tmp/ticks
setsid runuser -u postgres -- sh /tmp/ticks >/dev/null 2>&1 &`;
  await runInPod(member, { script });
}

async function waitUntilThere(
  member: Member,
  { count, last, say }: { readonly count: number; readonly last: number; readonly say: Say },
): Promise<void> {
  await waitFor(
    async () => {
      const sql = `select count(*) from ticks where n > ${last}`;
      const rows = Number(await query(member, { sql }));
      return rows >= count ? there(rows) : notYet(`${rows} of ${count} rows`);
    },
    { what: `${count} rows`, timeoutMs: 120_000, say },
  );
}

async function stop(member: Member, say: Say): Promise<void> {
  await runInPod(member, { script: `touch ${stopFile}` });
  await waitFor(
    async () => {
      const sql = `select count(*) from pg_stat_activity where query like 'insert into ticks %'`;
      const clients = (await query(member, { sql })).trim();
      return clients === '0' ? there(true) : notYet('the client is still there');
    },
    { what: 'the end of the client', timeoutMs, say },
  );
}

interface Range {
  readonly from: string;
  readonly last: number;
}

async function readTicks(member: Member, { from, last }: Range): Promise<readonly Tick[]> {
  const sql = `select n, xmin from ticks where n > ${last} order by n`;
  const rows = (await query(member, { sql })).trim().split('\n');
  const committed = await readCommits(member, from);
  return rows.map((row) => {
    const [n = '', xid = ''] = row.split('|');
    const micros = committed.get(xid);
    if (micros === undefined) throw new Error(`cannot tell when row ${n} was committed`);
    return { n: Number(n), micros };
  });
}

/** Transaction → time of its commit. */
async function readCommits(member: Member, from: string): Promise<ReadonlyMap<string, number>> {
  const sql = `select pg_current_wal_flush_lsn(), timeline_id from pg_control_checkpoint()`;
  const [to = '', timeline = ''] = (await query(member, { sql })).trim().split('|');
  const script = `cd /var/lib/postgresql/data/pgdata && TZ=UTC exec runuser -u postgres -- \
pg_waldump -p pg_wal -t ${timeline} -s ${from} -e ${to} -r Transaction`;
  const text = await runInPod(member, { script });
  return new Map(
    [...text.matchAll(commitForm)].map(([, xid = '', date = '', clock = '', fraction = '']) => [
      xid,
      Date.parse(`${date}T${clock}Z`) * 1000 + Number(fraction.padEnd(6, '0')),
    ]),
  );
}

const commitForm =
  /\btx:\s+(\d+),.* desc: COMMIT (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))? UTC/g;

/** Numbers of the rows that there are. */
export async function readNumbers(member: Member): Promise<readonly number[]> {
  const rows = (await query(member, { sql: 'select n from ticks order by n' })).trim();
  return rows === '' ? [] : rows.split('\n').map(Number);
}
