/** What a refused or failed request must leave as it was: data, server process, timeline. */

import { readTableSums } from '../../../scripts/demo/checksums.ts';
import type { Server } from '../../../scripts/demo/database.ts';
import { loadDocuments } from '../../../scripts/demo/load.ts';
import type { TableSums } from '../../../scripts/demo/report.ts';

const database = 'demo';

export interface Footprint {
  readonly tables: TableSums;
  /** Changes whenever PostgreSQL was restarted. */
  readonly started: string;
  readonly timeline: string;
}

/** A database with real text in it. */
export async function loadSmallData(primary: Server): Promise<void> {
  await primary.query(`create database ${database}`);
  await loadDocuments(primary);
}

export async function readFootprint(primary: Server): Promise<Footprint> {
  const facts = await primary.query(
    `select pg_postmaster_start_time(), timeline_id from pg_control_checkpoint()`,
  );
  const [started = '', timeline = ''] = facts.split('|');
  return { tables: await readTableSums(primary, database), started, timeline };
}
