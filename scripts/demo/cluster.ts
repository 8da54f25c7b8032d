/** Questions about the PostgreSQL cluster: who is the primary, does everybody follow it. */

import { requireAction } from './action.ts';
import { openServer, type Server } from './database.ts';
import { postgresql } from './deploy.ts';
import { DemoError } from './failure.ts';
import type { Model } from './model.ts';
import { readStatus } from './settle.ts';
import type { ModelStatus } from './status.ts';
import { notYet, type Say, there, waitFor } from './wait.ts';

export function listUnits(status: ModelStatus): readonly string[] {
  const units = status.applications[postgresql] ?? [];
  return units.map(({ name }) => name).toSorted();
}

/** The unit that get-primary names, asked of the leader. */
export async function findPrimary(model: Model): Promise<Server> {
  const status = await readStatus(model);
  const units = status.applications[postgresql] ?? [];
  const asked = units.find(({ leader }) => leader) ?? units[0];
  if (asked === undefined) throw new DemoError('cannot ask for the primary: there is no unit');
  const { primary } = await requireAction(model, { unit: asked.name, action: 'get-primary' });
  if (primary === undefined) throw new DemoError('cannot find the primary: get-primary named none');
  return openServer(model, primary);
}

const positionSql = 'select pg_catalog.pg_current_wal_lsn()';
const streamingSql = `select count(*) from pg_catalog.pg_stat_replication where state = 'streaming'`;

/** Waits until so many replicas stream, and each of them has applied all that the primary wrote. */
export async function waitUntilReplicated(
  model: Model,
  replicas: readonly Server[],
  say: Say,
): Promise<void> {
  const primary = await findPrimary(model);
  const followers = replicas.filter(({ unit }) => unit !== primary.unit);
  const position = await primary.query(positionSql);
  await waitFor(
    async () => {
      const streaming = Number(await primary.query(streamingSql));
      if (streaming < followers.length)
        return notYet(`${streaming} of ${followers.length} replicas stream`);
      for (const follower of followers) {
        const behind = await follower.query(
          `select pg_catalog.pg_last_wal_replay_lsn() < '${position}'::pg_lsn`,
        );
        if (behind !== 'f') return notYet(`${follower.unit} has not yet applied ${position}`);
      }
      return there(true);
    },
    { what: 'all replicas to follow the primary', timeoutMs: 300_000, say },
  );
}

/** Waits until the only member no longer holds commits back for replicas that are gone. */
export async function waitUntilAlone(primary: Server, say: Say): Promise<void> {
  await waitFor(
    async () => {
      const awaited = await primary.query('show synchronous_standby_names');
      return awaited === ''
        ? there(true)
        : notYet(`${primary.unit} waits for replicas: ${awaited}`);
    },
    { what: 'commits that wait for no replica', timeoutMs: 180_000, say },
  );
}

const archivesSql = `
select archive_command like '%pgbackrest%', archived_count
from pg_catalog.pg_stat_archiver, (
  select setting as archive_command from pg_catalog.pg_settings where name = 'archive_command'
) command`;

/** Waits until WAL goes to the storage: the charm switches that on once S3 has been initialised. */
export async function waitUntilArchiving(model: Model, say: Say): Promise<void> {
  await waitFor(
    async () => {
      const primary = await findPrimary(model);
      const [archives, count = '0'] = (await primary.query(archivesSql)).split('|');
      if (archives === 't' && count !== '0') return there(true);
      return notYet(`${primary.unit} does not archive WAL yet`);
    },
    { what: 'WAL to go to the storage', timeoutMs: 240_000, say, intervalMs: 2000 },
  );
}
