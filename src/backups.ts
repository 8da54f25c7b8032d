// Backups: the s3 relation, as its flowchart draws it; each action has a file of its own.

import { poll } from '../lib/base/retry.ts';
import { requestS3 } from '../lib/interfaces/s3.ts';
import type { S3Parameters, S3Reading } from '../lib/interfaces/s3-fields.ts';
import type { Handler } from '../lib/juju/hook.ts';
import {
  type AppData,
  type Cluster,
  isPrimaryReplaced,
  isStarted,
  mayGoBack,
  openCluster,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import { isBeingRestored, readSettings } from './adapters/configuration.ts';
import { lookAtBackups } from './adapters/last-backup.ts';
import {
  readRepository,
  removeRepositoryConfig,
  renewKeys,
  unusedSettings,
  writeIfKnown,
} from './adapters/repository.ts';
import { placeIn, useOf } from './adapters/repository-in-use.ts';
import { readRestoreMark, restoresAtStart } from './adapters/restore-mark.ts';
import { leaveUnfinished } from './adapters/unfinished.ts';
import { isReachable } from './adapters/watch-state.ts';
import { followSchedule, knowLastBackup } from './backup-schedule.ts';
import { s3Endpoint, stanzaName } from './core/names.ts';
import {
  configurationErrorPrefix,
  diskFull,
  diskLow,
  foreignRepository,
  invalidS3Parameters,
  isInvalidS3Message,
  isS3Message,
  needsTrust,
} from './core/status.ts';
import type { PostgresqlPorts } from './ports.ts';
import { quietly } from './quietly.ts';
import { applyRetention } from './retention.ts';
import {
  type ArchivingFailure,
  initialiseStanza,
  startArchiving,
  stopArchiving,
} from './stanza.ts';
import { updateBackupServer } from './tls.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

/** Asks the integrator for storage. */
export const s3RelationCreated: PostgresqlHandler = async (hook) => {
  const relation = await s3Relation(hook);
  if (relation !== undefined && (await hook.juju.isLeader())) requestS3(relation);
};

async function s3Relation(hook: PostgresqlHook) {
  const { event, juju } = hook;
  if (event.kind !== 'relation') return undefined;
  return juju.relationById(event.relation.endpoint, event.relation.id);
}

/** docs/flowcharts/s3-credentials-changed.mmd */
export const s3CredentialsChanged: PostgresqlHandler = async (hook) => {
  const { walk } = hook;
  const cluster = await openCluster(hook);
  const runs = cluster !== undefined && (await doesClusterRun(cluster));
  if (!walk.decide('has_cluster_initialised', runs) || cluster === undefined) {
    await renewForRestore(hook, cluster);
    walk.step('defer');
    hook.defer();
    return;
  }
  const reading = await awaitRepository(hook);
  const ready = reading.kind === 'ready' ? reading.parameters : undefined;
  if (
    !walk.decide('are_all_required_settings_provided', ready !== undefined) ||
    ready === undefined
  ) {
    await tellInvalid(hook, cluster, reading);
    walk.step('rtn');
    return;
  }
  walk.step('render_pgbackrest_config');
  const unwritten = await writeIfKnown(hook, cluster, ready);
  // Writing may have stopped the server, which is needed whatever becomes of the rest.
  await updateBackupServer(quietly(hook), cluster);
  if (!walk.decide('is_leader', await hook.juju.isLeader())) {
    walk.step('rtn');
    return;
  }
  if (walk.decide('is_blocked', await isBlocked(hook))) {
    await comeBack(hook, cluster, ready);
    walk.step('rtn');
    return;
  }
  await initialiseRepository(hook, cluster, { parameters: ready, unwritten });
};

/** There is a database to archive: initialised, not just being restored, and up on this unit. */
async function doesClusterRun(cluster: Cluster): Promise<boolean> {
  const app = await cluster.appData();
  if (!app.initialised || isPrimaryReplaced(app) || mayGoBack(app)) return false;
  const health = await cluster.health();
  return health !== undefined && isStarted(health.state);
}

/** pgBackRest of a unit that restores fetches WAL for as long as that is replayed. */
async function renewForRestore(hook: PostgresqlHook, cluster: Cluster | undefined): Promise<void> {
  if (cluster === undefined || !(await isReachable(hook))) return;
  const mark = await readRestoreMark(hook);
  if (mark !== undefined && restoresAtStart(mark)) await renewKeys(hook, cluster);
}

// Juju 4 commits a hook's relation data before its secret grants: for a moment there is a secret
// that this unit may not read yet, and no event tells when it may.
const grantPatience = { intervalMs: 500, timeoutMs: 5_000 };

async function awaitRepository(hook: PostgresqlHook): Promise<S3Reading> {
  const settled = await poll({ clock: hook.ports.clock, ...grantPatience }, async () => {
    const reading = await readRepository(hook);
    return reading.kind === 'missing' && (await hasSecret(hook)) ? undefined : reading;
  });
  return settled ?? (await readRepository(hook));
}

async function hasSecret(hook: PostgresqlHook): Promise<boolean> {
  const relation = await hook.juju.relation(s3Endpoint);
  const provider = await relation?.app();
  if (relation === undefined || provider === undefined) return false;
  return (await relation.data(provider))['secret-extra'] !== undefined;
}

/** The leader shows settings that cannot be as long as there are no others. */
async function tellInvalid(
  hook: PostgresqlHook,
  cluster: Cluster,
  reading: S3Reading,
): Promise<void> {
  const { initialised, s3BlockMessage: shown = '' } = await cluster.appData();
  if (!initialised || !(await hook.juju.isLeader())) return;
  const message = reading.kind === 'invalid' ? invalidS3Parameters(reading.problems) : undefined;
  if (message === undefined && !isInvalidS3Message(shown)) return;
  if (message !== undefined && message !== shown) hook.log('ERROR', message);
  cluster.setApp({ 's3-initialization-block-message': message });
}

/** A repository that nobody has looked at yet looks like one in use to a quiet update-status. */
async function comeBack(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<void> {
  if ((await useOf(cluster, parameters)) === 'another') await leaveUnfinished(hook, 'everything');
}

/**
 * Whether the unit is Blocked by something else than S3, which this flow is about to heal, or a volume
 * that fills, which archiving empties. Two reasons are known better than from the status, which is that
 * of the hook before: the options have just been read, and Kubernetes has just answered.
 */
async function isBlocked(hook: PostgresqlHook): Promise<boolean> {
  if ((await readSettings(hook)).kind === 'invalid') return true;
  const status = await hook.juju.unitStatus();
  if (status?.level !== 'blocked' || isS3Message(status.message)) return false;
  if ([diskLow.message, diskFull.message].includes(status.message)) return false;
  const outdated = [configurationErrorPrefix, needsTrust(hook.juju.context.app).message];
  return !outdated.some((start) => status.message.startsWith(start));
}

interface Wanted {
  readonly parameters: S3Parameters;
  /** Why pgBackRest has not been told of them. */
  readonly unwritten: string | undefined;
}

async function initialiseRepository(
  hook: PostgresqlHook,
  cluster: Cluster,
  { parameters, unwritten }: Wanted,
): Promise<void> {
  const { walk } = hook;
  const unused = unusedSettings(parameters);
  if (unused.length > 0) hook.log('WARNING', `S3 settings that do nothing: ${unused.join(', ')}`);
  const stanza = stanzaName(cluster.namespace, cluster.app);
  const repository = placeIn(cluster, parameters);
  const noStanza = unwritten ?? (await initialiseStanza(hook, cluster, parameters));
  if (!walk.decide('could_initialise_stanza', noStanza === undefined)) {
    await block(hook, cluster, { message: noStanza ?? '', repository });
    return;
  }
  const noArchiving = await startArchiving(hook, cluster, parameters);
  if (!walk.decide('is_wal_archiving_to_s3_working', noArchiving === undefined)) {
    await block(hook, cluster, { message: '', ...noArchiving, repository });
    return;
  }
  const isKnown = (await cluster.appData()).repository === repository;
  cluster.setApp({
    stanza,
    repository,
    's3-initialization-block-message': undefined,
    // What has been deleted elsewhere has not been here.
    ...(isKnown ? {} : { 'retention-applied': undefined }),
  });
  await updateBackupServer(hook, cluster);
  await applyRetention(hook, cluster);
  // It may be another place than before.
  if ((await cluster.appData()).lastBackup !== undefined) await lookAtBackups(hook, cluster);
  await followSchedule(hook, cluster);
  await knowLastBackup(hook, cluster);
}

interface Obstacle extends ArchivingFailure {
  readonly repository: string;
}

/**
 * WAL is kept for the repository that it has gone to until now, which may only be down or refuse the
 * keys: without it no backup there leads further than to today. For any other it is not kept.
 */
async function block(
  hook: PostgresqlHook,
  cluster: Cluster,
  { message, repository, goesElsewhere }: Obstacle,
): Promise<void> {
  const app = await cluster.appData();
  const isInUse =
    app.stanza !== undefined && (app.repository === repository || goesElsewhere === true);
  hook.walk.step('set_blocked');
  if (!isInUse || message === foreignRepository) {
    await stopArchiving(hook, cluster);
    cluster.setApp({ stanza: undefined, repository: undefined });
  }
  cluster.setApp({ 's3-initialization-block-message': message });
  hook.walk.step('rtn');
}

/** The relation is gone: no keys stay in the workload, WAL is not kept for a place that is gone. */
export const s3RelationBroken: PostgresqlHandler = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster === undefined) return;
  // Juju breaks the relations of a unit that is being removed, too; the application keeps its own.
  if (!(await hook.juju.plannedUnitNames()).includes(cluster.unit)) return;
  await forgetRepository(hook, cluster);
};

/** The application's part needs no container of this unit; what is left there goes when it answers. */
async function forgetRepository(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if (await hook.juju.isLeader()) {
    cluster.setApp({
      stanza: undefined,
      repository: undefined,
      'repository-cipher': undefined,
      'last-backup': undefined,
      's3-initialization-block-message': undefined,
    });
    if (!(await isBeingRestored(hook, cluster))) await stopArchiving(hook, cluster);
  }
  cluster.setUnit({ 'last-backup': undefined });
  if (await isReachable(hook)) await removeRepositoryConfig(hook);
  else await leaveUnfinished(hook, 'everything');
}

/**
 * What update-status makes up for: settings that nobody has acted upon, or their end, and an S3 server
 * that did not answer when it was asked. Leader only; nothing to do once the stanza is there and WAL
 * arrives, unless a hook was cut short, which may have been just that of new settings (`again`). Whether
 * they still name that repository is not asked by a quiet update-status: whoever could not act on others
 * has left that to be taken up, and a new leader asks.
 */
export async function retryRepository(
  hook: PostgresqlHook,
  cluster: Cluster,
  { again }: { readonly again: boolean } = { again: false },
): Promise<void> {
  const seemsSettled = !again && hasRepository(await cluster.appData());
  if (seemsSettled && hook.event.name === 'update-status') return;
  if (!(await hook.juju.isLeader())) return;
  const reading = await readRepository(hook);
  if (reading.kind === 'no-relation') await followEnd(hook, cluster);
  if (reading.kind !== 'ready') {
    await tellInvalid(hook, cluster, reading);
  } else if (!seemsSettled || (await useOf(cluster, reading.parameters)) !== 'this') {
    await takeUp(hook, cluster, reading.parameters);
  }
}

function hasRepository({ stanza, s3BlockMessage }: AppData): boolean {
  return stanza !== undefined && s3BlockMessage === undefined;
}

/** What came while nobody could act on it. */
async function takeUp(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<void> {
  if (await doesClusterRun(cluster)) await s3CredentialsChanged(hook);
  else await comeBack(hook, cluster, parameters);
}

/** The leader of before was not told, or could not be. */
async function followEnd(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { stanza, s3BlockMessage } = await cluster.appData();
  if ((stanza ?? s3BlockMessage) !== undefined) await forgetRepository(hook, cluster);
}
