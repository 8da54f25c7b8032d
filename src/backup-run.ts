// Makes one backup of this unit, as the flowchart of create-backup draws it from the moment on that
// nothing speaks against it.

import { CodedError } from '../lib/base/error.ts';
import { clearLogs } from './adapters/backup-logs.ts';
import type { Cluster, PostgresqlHook } from './adapters/cluster.ts';
import { applyConfiguration } from './adapters/configuration.ts';
import { countFailure, lookAtBackups } from './adapters/last-backup.ts';
import { beginLongWork, endLongWork } from './adapters/long-work.ts';
import { ObjectStoreError } from './adapters/object-store-error.ts';
import { backup, info, PgbackrestError } from './adapters/pgbackrest.ts';
import { objectKey, openRepositoryStore, reasonWithHint } from './adapters/repository.ts';
import type { AdmittedBackup } from './backup-admission.ts';
import { idOfLabel, usableBackups } from './core/backups/backup-list.ts';
import { createBackupProgress } from './core/backups/backup-progress.ts';
import { type BackupType, pgbackrestTypes } from './core/backups/backup-types.ts';
import { isoSeconds } from './core/backups/times.ts';
import { creatingBackup } from './core/status.ts';
import { followBackupServer } from './tls.ts';

export interface BackupRequest extends AdmittedBackup {
  readonly type: BackupType;
  /** Tells whoever waits for it how far it is. */
  readonly say: (line: string) => Promise<void>;
}

export type MadeBackup =
  | { readonly id: string; readonly label: string }
  | { readonly failure: string };

/** Makes it, keeps its log beside it, and remembers that it is the last one. */
export async function performBackup(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: BackupRequest,
): Promise<MadeBackup> {
  const { walk, juju } = hook;
  await beginLongWork(hook, request.stanza);
  if (walk.decide('is_replica', request.replica)) {
    walk.step('block_new_connections');
    cluster.setUnit({ connectivity: 'off' });
    await applyConfiguration(hook, cluster);
    await followBackupServer(hook, cluster);
  }
  walk.step('set_maintenance');
  await juju.showProgress(creatingBackup);
  const made = await makeBackup(hook, request);
  // Hours may have passed: what is written from here on is for whoever leads now.
  await juju.isLeader({ fresh: true });
  if (walk.decide('is_replica2', request.replica)) {
    walk.step('allow_new_connections');
    cluster.setUnit({ connectivity: undefined });
    await applyConfiguration(hook, cluster);
  } else {
    walk.step('set_active');
  }
  if ('failure' in made) await countFailure(hook, cluster);
  else await clearLogs(hook, request.stanza, await lookAtBackups(hook, cluster));
  await endLongWork(hook);
  return made;
}

async function makeBackup(hook: PostgresqlHook, request: BackupRequest): Promise<MadeBackup> {
  const { walk } = hook;
  const { label, failure, hint, log } = await runBackup(hook, request);
  if (!walk.decide('has_backup_creation_succeeded', label !== undefined) || label === undefined) {
    walk.step('upload_error_logs_s3');
    const name = `failed-${isoSeconds(hook.ports.clock.nowMs() / 1000)}`;
    const refused = await uploadLog(hook, request, { name, text: log });
    walk.step('fail_action2');
    // What keeps the log out is often why the backup failed, in plainer words.
    const told = refused === undefined ? withHint(failure, hint) : `${failure}; ${refused}`;
    return { failure: `Failed to backup PostgreSQL with error: ${told}` };
  }
  const id = idOfLabel(label);
  const refused = await uploadLog(hook, request, { name: id, text: log });
  if (!walk.decide('were_backup_logs_uploaded_s3', refused === undefined)) {
    walk.step('fail_action2');
    return { failure: 'Error uploading logs to S3' };
  }
  walk.step('finish_action');
  return { id, label };
}

interface BackupOutcome {
  readonly label: string | undefined;
  readonly failure: string;
  readonly hint?: string | undefined;
  readonly log: string;
}

function withHint(failure: string, hint: string | undefined): string {
  return hint === undefined ? failure : `${failure}. ${hint}`;
}

async function runBackup(hook: PostgresqlHook, request: BackupRequest): Promise<BackupOutcome> {
  const progress = createProgress(hook, request.say);
  try {
    const result = await backup(hook.ports.pebble, {
      stanza: request.stanza,
      type: pgbackrestTypes[request.type],
      replica: request.replica,
      clock: hook.ports.clock,
      onLine: progress.say,
    });
    const named = /new backup label = (\S+)/.exec(result.stdout)?.[1];
    const label = named ?? (await newestLabel(hook, request.stanza));
    return { label, failure: 'pgBackRest named no backup', log: logText(result) };
  } catch (error) {
    if (error instanceof PgbackrestError) {
      const { message: failure, hint } = error;
      return { label: undefined, failure, hint, log: logText(error) };
    }
    if (error instanceof CodedError) {
      return { label: undefined, failure: error.message, log: `${error.message}\n` };
    }
    throw error;
  } finally {
    await progress.sent();
  }
}

async function newestLabel(hook: PostgresqlHook, stanza: string): Promise<string | undefined> {
  return usableBackups(await info(hook.ports.pebble), stanza).at(-1)?.label;
}

function logText(output: { readonly stdout: string; readonly stderr: string }): string {
  return `Stdout:\n${output.stdout}\n\nStderr:\n${output.stderr}\n`;
}

/** Tells of pgBackRest's lines what is worth it, one after another. */
function createProgress(hook: PostgresqlHook, say: BackupRequest['say']) {
  const { clock } = hook.ports;
  const progress = createBackupProgress(clock.nowMs());
  let sending = Promise.resolve();
  return {
    say: (line: string): void => {
      const shown = progress(line, clock.nowMs());
      if (shown === undefined) return;
      sending = sending.then(async () => {
        await say(shown);
      });
    },
    sent: async (): Promise<void> => {
      await sending;
    },
  };
}

/** Gives why it could not, if so. */
async function uploadLog(
  hook: PostgresqlHook,
  request: BackupRequest,
  log: { readonly name: string; readonly text: string },
): Promise<string | undefined> {
  const key = objectKey(request.parameters, `backup/${request.stanza}/${log.name}/backup.log`);
  try {
    await openRepositoryStore(hook, request.parameters).put(key, log.text);
    return undefined;
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    hook.log('ERROR', `cannot upload the backup's log: ${error.message}`);
    return reasonWithHint(error);
  }
}
