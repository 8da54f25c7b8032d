// Every status text of the charm. Users and tests of others depend on most of them.

import { cut } from '../../lib/base/cut.ts';
import type { Status } from '../../lib/juju/juju.ts';
import { clusterName } from './names.ts';

export const s3RelationMissing =
  'Relation with s3-integrator charm missing, cannot create/restore backup.';
export const foreignRepository = 'the S3 repository has backups from another cluster';
export const bucketFailed = 'failed to access/create the bucket, check your S3 settings';
export const stanzaFailed = 'failed to initialize stanza, check your S3 settings';
export const archivingFailed = 'failed to archive WAL, check your S3 settings';

/** The primary, which is busy, or whose Patroni is. */
export function settingsNotTakenOver(unit: string): string {
  return `${archivingFailed}: ${unit} has not taken them over yet`;
}

/** Whether a Blocked message comes from S3; such a unit goes on working, and heals by itself. */
export function isS3Message(message: string): boolean {
  return [
    foreignRepository,
    bucketFailed,
    stanzaFailed,
    archivingFailed,
    cipherPrefix,
    invalidS3Prefix,
  ].some((prefix) => message.startsWith(prefix));
}

const invalidS3Prefix = 'Invalid S3 parameters: ';

/** Whether settings have been given that cannot be; those of before stay in force. */
export function isInvalidS3Message(message: string): boolean {
  return message.startsWith(invalidS3Prefix);
}

/** All that is wrong with them. */
export function invalidS3Parameters(problems: readonly string[]): string {
  return `${invalidS3Prefix}${problems.join('; ')}`;
}

const cipherPrefix = 'backup_cipher_secret: ';

/** Whether the option cannot be followed; a repository in use is worked with as before. */
export function isCipherMessage(message: string): boolean {
  return message.startsWith(cipherPrefix);
}

export const cipherSecretMalformed = `${cipherPrefix}has to be the URI of a secret`;
export const cipherPassMissing = `${cipherPrefix}the secret has no field cipher-pass`;
export const cipherPassWeak = `${cipherPrefix}cipher-pass has to be one line of at least 32 characters`;
export const cipherPassLost = `${cipherPrefix}the cipher-pass of the repository in use is lost, set it again`;

export function cipherSecretUnreadable(app: string): string {
  return `${cipherPrefix}the secret is not there, or not granted (juju grant-secret) to ${app}`;
}

const cipherRemedy =
  'set the option as it was, or another path in the S3 integrator, or remove the stanza';
export const repositoryPlain = `${cipherPrefix}the repository is not encrypted; ${cipherRemedy}`;
export const repositoryEncrypted = `${cipherPrefix}the repository is encrypted; ${cipherRemedy}`;
export const repositoryOtherPass = `${cipherPrefix}the repository has another cipher-pass; ${cipherRemedy}`;

/** What has been asked of a repository that is otherwise. */
export function cipherMismatch(found: 'plain' | 'encrypted' | 'other-pass'): string {
  const texts = {
    plain: repositoryPlain,
    encrypted: repositoryEncrypted,
    'other-pass': repositoryOtherPass,
  } as const;
  return texts[found];
}

export function missingS3Parameters(keys: readonly string[]): string {
  return `Missing S3 parameters: ${keys.join(', ')}`;
}

export function needsTrust(app: string): Status {
  return {
    level: 'blocked',
    message: `Insufficient permissions, try: \`juju trust ${app} --scope=cluster\``,
  };
}

export const configurationErrorPrefix = 'Configuration Error: ';

/** The first problem, and how many more there are; then what must not hide behind it. */
export function configurationError(
  problems: readonly string[],
  remarks: readonly string[] = [],
): Status {
  const [first = '', ...others] = problems;
  const more = others.length === 0 ? '' : ` (and ${others.length} more, see the log)`;
  const message = [`${configurationErrorPrefix}${first}${more}`, ...remarks].join('; ');
  return { level: 'blocked', message };
}

export function failedToPatchPod(reason: string): Status {
  return { level: 'blocked', message: `failed to patch pod with error ${reason}` };
}

const restoreFailedStart = 'Failed to restore backup';
const timeFailedStart = 'cannot restore PITR, juju debug-log for details';

/** Nothing is left of the data of before. */
export function failedToRestore(reason: string): Status {
  return { level: 'blocked', message: `${restoreFailedStart}: ${reason}; ${nothingLeft}` };
}

/** The same of a restore to a time. */
export function failedToRestoreTime(reason: string): Status {
  return { level: 'blocked', message: `${timeFailedStart}: ${reason}; ${nothingLeft}` };
}

const nothingLeft = 'no data are left here, restore another backup';

/** The restored database answers, but refuses what the charm needs in it. */
export function restoreNotSetUp(reason: string, hasWayBack: boolean): Status {
  const way = hasWayBack ? 'go back with cancel-restore' : 'restore another backup';
  return { level: 'blocked', message: `${notSetUpStart}: ${reason}; see to it, or ${way}` };
}

const notSetUpStart = 'the restored database cannot be set up';

/** Remark after a restore that failed. */
export function restoreFailed(name: string, reason: string): string {
  return `the restore of ${name} failed, the data of before are in force: ${reason}`;
}

/** Remark after a restore of an only unit that others have been added to, when that one is lost. */
export function restoreCutShort(name: string, unit: string): string {
  return `${unit} is gone, and with it the restore of ${name}: in force is what others have copied from it`;
}

export const stoppedForRestore: Status = {
  level: 'maintenance',
  message: 'stopped for a restore of the cluster',
};

/** Members that have not stopped yet. */
export function restoreAwaits(units: readonly string[]): Status {
  return { level: 'maintenance', message: `the restore waits until ${units.join(', ')} stop` };
}

/** Something of it takes longer than a hook waits. */
export function restoreHeldUp(reason: string): Status {
  return { level: 'maintenance', message: `the restore goes on later: ${reason}` };
}

/** Nothing can be written on the volume, so a unit does not stop for a restore, or go on with it. */
export const restoreNeedsRoom: Status = {
  level: 'blocked',
  message: 'no room on the pgdata volume to go on with the restore: enlarge it, or cancel-restore',
};

/** The unit that restores is being removed. */
export function restoreEndsWithout(unit: string): Status {
  return { level: 'maintenance', message: `the restore ends when ${unit} is gone` };
}

/** Some have not begun to copy the restored data, and nobody has them any more, or nobody leads. */
export function nobodyToCopy(unit: string): Status {
  const ways = `repair ${unit}, or go back with cancel-restore`;
  return { level: 'waiting', message: `no primary has the restored data: ${ways}` };
}

/** Remark on the primary: all have copied the restored data, and the shared configuration does not know. */
export const walWaitsForLeader = 'no WAL is archived until the leader has ended the restore';

/** Remark on the primary: any of these may still go back to the data of before. */
export function walWaitsFor(units: readonly string[]): string {
  return `no WAL is archived until ${units.join(', ')} begin to copy the restored data, or are removed`;
}

export function foreignStorage(reason: string): Status {
  const message = `Failed to start: the storage belongs to another cluster (${reason})`;
  return { level: 'blocked', message };
}

export const dataGone: Status = {
  level: 'blocked',
  message:
    'Failed to start: no unit has the data of the cluster, attach its storage or restore a backup',
};

/** It is not known to be a former application's. */
export function strangeCluster(app: string): Status {
  const remedy = `start the unit that has its data, or delete Endpoints ${clusterName(app)}-config`;
  const message = `Failed to start: nobody leads the cluster that Kubernetes remembers, ${remedy}`;
  return { level: 'blocked', message };
}

/** A unit comes back with them after it has been away; it copies those of whoever leads. */
export const abandonedData: Status = {
  level: 'blocked',
  message:
    'the data here are of a restore that was given up: start a unit that can lead, or restore a backup',
};

/** Whether a restore helps against a Blocked status, or has nothing to do with it. */
export function allowsRestore(message: string): boolean {
  return (
    isS3Message(message) ||
    message === dataGone.message ||
    message === abandonedData.message ||
    [restoreFailedStart, timeFailedStart].some((start) => message.startsWith(start))
  );
}

/** Some file of the charm cannot be written in the workload. */
export const noSpaceLeft: Status = {
  level: 'blocked',
  message: 'no space left for the files of the workload: look at its volumes',
};
export const waitingForContainer: Status = {
  level: 'waiting',
  message: 'waiting for the workload container',
};
export const awaitingKubernetes: Status = {
  level: 'waiting',
  message: 'waiting for the Kubernetes API',
};
export const awaitingPatroni: Status = {
  level: 'waiting',
  message: 'waiting for Patroni',
};
export const awaitingCluster: Status = {
  level: 'waiting',
  message: 'awaiting for cluster to start',
};
export const awaitingMember: Status = {
  level: 'waiting',
  message: 'awaiting for member to start',
};
export const awaitingPrimaryEndpoint: Status = {
  level: 'waiting',
  message: 'awaiting for primary endpoint to be ready',
};
export const verifyingBackups: Status = {
  level: 'maintenance',
  message: 'verifying backups',
};

export const creatingBackup: Status = { level: 'maintenance', message: 'creating backup' };
export const restoringBackup: Status = { level: 'maintenance', message: 'restoring backup' };
export const initialisingStanza: Status = { level: 'maintenance', message: 'initialising stanza' };
export const checkingStanza: Status = { level: 'maintenance', message: 'checking stanza' };

export const unsatisfiedDependencies: Status = {
  level: 'blocked',
  message: 'Unsatisfied plugin dependencies. Please check the logs',
};
export const cannotDisablePlugins: Status = {
  level: 'blocked',
  message: 'Cannot disable plugins: Existing objects depend on it. See logs',
};

export function cannotChangeExtensions(extensions: readonly string[]): Status {
  return {
    level: 'blocked',
    message: `Cannot change extensions: ${extensions.join(', ')}. See logs`,
  };
}

export function extensionsNotInImage(extensions: readonly string[]): Status {
  return { level: 'blocked', message: `Extensions not in the image: ${extensions.join(', ')}` };
}

export const updatingExtensions: Status = { level: 'waiting', message: 'Updating extensions' };

export function blockedByS3(message: string): Status {
  return { level: 'blocked', message };
}

export function restartingMember(unit: string): Status {
  return { level: 'maintenance', message: `restarting PostgreSQL on ${unit}` };
}

export function failedToRestart(unit: string): Status {
  return { level: 'blocked', message: `failed to restart PostgreSQL on ${unit}` };
}

/** Not only clients are affected: below this PostgreSQL is near its end. */
export const diskLow: Status = {
  level: 'blocked',
  message: '<10% free space on pgdata volume.',
};
export const diskFull: Status = {
  level: 'blocked',
  message: 'pgdata volume is full, clients may only read',
};
/** The first copy of a new unit, which may take hours. */
export const copyingPrimary: Status = {
  level: 'maintenance',
  message: 'copying the data of the primary',
};
export const cloningReplica: Status = { level: 'maintenance', message: 'cloning the replica anew' };

/** Sentences of PostgreSQL may be long. */
const shownReason = 120;

export function doesNotStart(reason: string): Status {
  return { level: 'blocked', message: `PostgreSQL does not start: ${cut(reason, shownReason)}` };
}

export function cannotRepair(reason: string): Status {
  return { level: 'blocked', message: `cannot repair the replica: ${reason}` };
}

/** Only a person can say that those with whom all that was committed is there will not come back. */
export function nobodyMayLead(awaited: string): Status {
  const message = `no primary: waiting for ${awaited}, see the action explain`;
  return { level: 'blocked', message };
}

/** Remarks on a member that works. */
export const writesWait = 'writes wait for a replica';
export const notReplicating = 'not replicating';

/** On the primary, which these do not follow although they are up. */
export function noReplicationTo(units: readonly string[]): string {
  return `no replication to ${units.join(', ')}`;
}

export function archivingFails(waiting: number): string {
  return `archiving fails, ${waiting} WAL files waiting`;
}

export function archivingLags(waiting: number): string {
  return `archiving lags, ${waiting} WAL files waiting`;
}

export function fenced(reason: string): string {
  return `fenced lately: ${reason}`;
}

/** A changed parameter waits for a restart that cannot be now. */
export const restartPending = 'restart pending';

export const failoverPaused = 'failover paused';

/** Nobody starts PostgreSQL in a pause, not even what the watcher has killed for a reason. */
export function stoppedInPause(reason: string | undefined): Status {
  const why = reason === undefined ? '' : ` (${fenced(reason)})`;
  const message = `failover paused, PostgreSQL stays down until resume-failover${why}`;
  return { level: 'blocked', message };
}

export const noBackupYet = 'no backup yet';

/** `26 h` or `45 min` */
export function lastBackupAge(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const age = minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
  return `last backup ${age} ago`;
}

/** By a schedule, until one succeeds. */
export function backupMissed(what: string): string {
  return `backup missed: ${what}`;
}

/** What a started member shows, with remarks on what is not as usual. */
export function memberStatus(
  role: 'primary' | 'standby' | 'replica',
  remarks: readonly string[],
): Status {
  const names = { primary: 'Primary', standby: 'Standby', replica: '' } as const;
  const remark = remarks.join(', ');
  const name = names[role];
  if (name === '' || remark === '') return { level: 'active', message: `${name}${remark}` };
  return { level: 'active', message: `${name} (${remark})` };
}
