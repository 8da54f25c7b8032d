/** Backups of a cluster of one unit, as its operator makes and lists them, and data that take a while. */

import * as v from 'valibot';

import { createTables, fillSql, loadOf } from '../../../scripts/bench-backup/load.ts';
import { type ActionOutcome, requireAction, runAction } from '../../../scripts/demo/action.ts';
import { parseBackups } from '../../../scripts/demo/backups.ts';
import type { Server } from '../../../scripts/demo/database.ts';
import { postgresql } from '../../../scripts/demo/deploy.ts';
import type { Model } from '../../../scripts/demo/model.ts';

/** In a cluster of one. */
export const onlyUnit = `${postgresql}/0`;

const database = 'large';
const nothing = { accounts: 0, notes: 0 };
/** pgBackRest tries for minutes. */
const longestMs = 900_000;

export async function loadLargeData(primary: Server, megabytes: number): Promise<void> {
  await primary.query(`create database ${database}`);
  await primary.query(createTables, { database });
  const sql = fillSql(nothing, loadOf(megabytes));
  await primary.query(sql, { database, timeoutMs: 300_000 });
}

/** Makes a full backup, or says why not. */
export async function tryBackup(model: Model): Promise<ActionOutcome> {
  const call = { unit: onlyUnit, action: 'create-backup', timeoutMs: longestMs };
  return await runAction(model, call);
}

/** Makes one that must not fail; gives its id. */
export async function makeBackup(model: Model): Promise<string> {
  const call = { unit: onlyUnit, action: 'create-backup', timeoutMs: longestMs };
  return (await requireAction(model, call))['backup-id'] ?? '';
}

/** The status of each backup by its id, the oldest first. */
export async function listStatuses(model: Model): Promise<ReadonlyMap<string, string>> {
  const call = { unit: onlyUnit, action: 'list-backups', timeoutMs: longestMs };
  const { backups = '' } = await requireAction(model, call);
  const rows = parseBackups(backups).filter(({ action }) => action.endsWith('backup'));
  return new Map(rows.map(({ id, status }) => [id, status]));
}

const documentSchema = v.object({
  windows: v.array(v.object({ timeline: v.number(), from_backup: v.string(), latest: v.string() })),
});

/**
 * Each span of time that can be restored without a gap, of the newest timeline: the oldest backup that
 * leads to it, and its end.
 */
export async function readSpans(
  model: Model,
): Promise<readonly { readonly from: string; readonly latest: string }[]> {
  const call = { unit: onlyUnit, action: 'list-backups' };
  const text = (await requireAction(model, call))['backups-json'] ?? '';
  const { windows } = v.parse(documentSchema, JSON.parse(text));
  const newest = Math.max(...windows.map(({ timeline }) => timeline));
  return windows
    .filter(({ timeline }) => timeline === newest)
    .map(({ from_backup: from, latest }) => ({ from, latest }));
}
