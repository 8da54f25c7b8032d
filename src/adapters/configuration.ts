// Makes the configuration of this member, and on the leader that of the cluster, what it should
// be. Compares first and writes only what differs, so an unchanged configuration causes no write.

import { createHash } from 'node:crypto';

import { CodedError } from '../../lib/base/error.ts';
import type { Secret } from '../../lib/base/secret.ts';
import { judgeOptions } from '../core/config/database-checks.ts';
import { options } from '../core/config/options.ts';
import type { Settings } from '../core/config/settings.ts';
import { synchronousIn } from '../core/config/synchronous.ts';
import { validateSettings, validPart } from '../core/config/validate.ts';
import { presentEndpoints } from '../core/membership.ts';
import {
  type PasswordUser,
  patroniConfigPath,
  unreadMarkPath,
  workloadUser,
} from '../core/names.ts';
import {
  type Bootstrap,
  dynamicNotes,
  parametersInForce,
  renderDynamic,
  renderMember,
} from '../core/render/patroni.ts';
import { renderSynchronous } from '../core/render/synchronous.ts';
import { isReadOnly } from '../core/watch-state.ts';
import { rememberOptions } from './applied-options.ts';
import {
  type Cluster,
  isPrimaryReplaced,
  isRestoring,
  isStarted,
  mayGoBack,
  type PostgresqlHook,
} from './cluster.ts';
import { checkOptions, readVerdicts } from './database-checks.ts';
import { readKnownParameters, reportLeftOut } from './known-parameters.ts';
import { readPod } from './kubernetes.ts';
import { isPatroniOutage } from './patroni.ts';
import { publishSize, readOtherCores } from './pod-sizes.ts';
import { findResourceProblems } from './resource-problems.ts';
import {
  isOver,
  type RestoreMark,
  readRestoreMark,
  restoresAtStart,
  targetOfMark,
} from './restore-mark.ts';
import { readVolume, rememberInForce, settingsInForce } from './settings-in-force.ts';
import { changeShared } from './shared-configuration.ts';
import { isLed } from './succession.ts';
import { leaveUnfinished, takeUpUnfinished } from './unfinished.ts';
import { isReachable, readWatchState } from './watch-state.ts';
import { readWorkload } from './workload.ts';
import { yamlText } from './yaml-text.ts';

/** The charm's settings, or the problems that keep the old ones in force. */
export async function readSettings(
  hook: PostgresqlHook,
): Promise<ReturnType<typeof validateSettings>> {
  const config = await hook.juju.config();
  const { usable, problems } = judgeOptions(config, await readVerdicts(hook));
  const given = validateSettings(config);
  const result = given.kind === 'valid' && usable !== config ? validateSettings(usable) : given;
  // What is wrong otherwise is not asked of the pod.
  const right = result.kind === 'valid' ? result.settings : validPart(usable).settings;
  const all = [
    ...(result.kind === 'invalid' ? result.problems : []),
    ...problems,
    ...(await findResourceProblems(hook, right)),
  ];
  return all.length === 0 ? result : { kind: 'invalid', problems: all };
}

interface UsableSettings {
  readonly settings: Settings;
  /** Whether they are what the options say now. */
  readonly areCurrent: boolean;
}

/** The settings that the member runs with: while the options are wrong, those of before. */
export async function readUsableSettings(
  hook: PostgresqlHook,
): Promise<UsableSettings | undefined> {
  const result = await readSettings(hook);
  if (result.kind === 'valid') return { settings: result.settings, areCurrent: true };
  const settings = await settingsInForce(hook);
  return settings === undefined ? undefined : { settings, areCurrent: false };
}

/**
 * Writes Patroni's file of this member, if it has to change. Until Patroni has read it again, a mark
 * beside it says so, whichever hook writes it and whenever that is killed.
 */
export async function writeMemberConfig(
  hook: PostgresqlHook,
  cluster: Cluster,
  settings: Settings,
): Promise<void> {
  const pod = await readPod(hook, cluster);
  const workload = await readWorkload(hook);
  const known = await readKnownParameters(hook, workload);
  if (known !== undefined) await reportLeftOut(hook, known, settings);
  const app = await cluster.appData();
  const volume = await readVolume(hook);
  publishSize(cluster, pod.resources);
  const document = renderMember({
    unit: cluster.unit,
    app: cluster.app,
    namespace: cluster.namespace,
    podIp: pod.podIp,
    binDir: workload.binDir,
    passwords: await readPasswords(cluster),
    settings,
    resources: pod.resources,
    preloadLibraries: workload.preloadLibraries,
    knownParameters: known?.names,
    members: (await cluster.units()).length,
    stanza: app.stanza,
    connectivity: (await cluster.unitData())['connectivity'] !== 'off',
    initialised: app.initialised,
    bootstrap: bootstrapOf(await readRestoreMark(hook)),
    readOnly: isReadOnly(await readWatchState(hook)),
    volumeBytes: volume.bytes,
  });
  rememberInForce(hook, settings, volume.bytes);
  const content = await yamlText(document);
  const { pebble } = hook.ports;
  if ((await pebble.pull(patroniConfigPath)) === content) return;
  await pebble.push(unreadMarkPath, '', owner);
  await pebble.push(patroniConfigPath, content, { ...owner, mode: '0600' });
}

const owner = { user: workloadUser, group: workloadUser } as const;

/**
 * Makes Patroni read its file again when it has changed since. The mark stays until it does, and
 * update-status tries again: one that does not answer may be down, or only have been silent.
 */
async function reloadIfUnread(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { pebble } = hook.ports;
  if ((await pebble.stat(unreadMarkPath)) === undefined) return;
  const told = await tellPatroni(hook, 'Patroni reads its file later', async () => {
    await (await cluster.patroni()).reload();
  });
  if (told) await pebble.remove(unreadMarkPath, { recursive: true });
}

/** Whether Patroni could be told; if not, update-status tells it. */
async function tellPatroni(
  hook: PostgresqlHook,
  otherwise: string,
  tell: () => Promise<void>,
): Promise<boolean> {
  try {
    await tell();
    return true;
  } catch (error) {
    if (!isPatroniOutage(error)) throw error;
    hook.log(error.code === 'unreachable' ? 'INFO' : 'WARNING', `${otherwise}: ${error.message}`);
    await leaveUnfinished(hook, 'configuration');
    return false;
  }
}

function bootstrapOf(mark: RestoreMark | undefined): Bootstrap {
  return mark === undefined || !restoresAtStart(mark)
    ? { kind: 'initdb' }
    : { kind: 'restore', target: targetOfMark(mark) };
}

async function readPasswords(cluster: Cluster) {
  const password = async (user: PasswordUser): Promise<Secret> => {
    const secret = await cluster.password(user);
    if (secret === undefined) {
      throw new CodedError(`cannot configure Patroni: no password of "${user}"`, {
        code: 'no-password',
      });
    }
    return secret;
  };
  return {
    operator: await password('operator'),
    replication: await password('replication'),
    rewind: await password('rewind'),
    patroni: await password('patroni'),
  };
}

/**
 * Brings the dynamic configuration, shared by all members, to what the settings say. While they are
 * wrong, only what commits wait for follows the members.
 */
async function updateClusterConfig(
  hook: PostgresqlHook,
  cluster: Cluster,
  settings: Settings | undefined,
): Promise<void> {
  await changeWhenPossible(hook, cluster, async ({ present: inForce, patroni }) => {
    const facts = { ...(await countMembers(hook, cluster)), inForce };
    if (settings === undefined) {
      return { ...renderSynchronous(synchronousIn(await hook.juju.config()), facts) };
    }
    const { resources } = await readPod(hook, cluster);
    const reckoning = { settings, resources, inForce: parametersInForce(inForce) };
    const dynamic = {
      ...facts,
      settings,
      resources,
      otherCores: await readOtherCores(cluster, reckoning),
      stanza: (await cluster.appData()).stanza,
      patroniVersion: ((await cluster.health()) ?? (await patroni.health())).patroniVersion,
      volumeBytes: (await isReachable(hook)) ? (await readVolume(hook)).bytes : undefined,
    };
    for (const note of dynamicNotes(dynamic)) hook.log('WARNING', note);
    return renderDynamic(dynamic);
  });
}

/** Members that are being removed are not to be waited for, although they are still admitted. */
async function countMembers(hook: PostgresqlHook, cluster: Cluster) {
  const { endpoints } = await cluster.appData();
  const staying = await hook.juju.plannedUnitNames();
  const listed = (await cluster.patroniCluster())?.members;
  return {
    members: presentEndpoints(cluster.app, staying, endpoints).length,
    running: listed?.filter(({ state }) => isStarted(state)).length,
    leaderless: listed !== undefined && !isLed(listed),
  };
}

/** Changes the shared configuration; when no member takes it, update-status does it all again. */
export async function changeWhenPossible(
  hook: PostgresqlHook,
  cluster: Cluster,
  wanted: Parameters<typeof changeShared>[1],
): Promise<void> {
  await tellPatroni(hook, 'the shared configuration is changed later', async () => {
    await changeShared(cluster, wanted);
  });
}

/**
 * The step of the charts that updates Patroni and PostgreSQL: the member's file (Patroni reloads
 * it when it changed) and, on the leader, the shared part. Of an invalid configuration nothing is taken over
 * but what commits wait for: the file is made of the settings of before. Says whether it is as it has to be.
 */
export async function applyConfiguration(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  await takeUpUnfinished(hook, 'configuration');
  await checkOptions(hook, cluster);
  const usable = await readUsableSettings(hook);
  if (usable !== undefined) await applyToMember(hook, cluster, usable);
  if (await hook.juju.isLeader()) await updateSynchronousReplication(hook, cluster);
  return usable !== undefined;
}

async function applyToMember(
  hook: PostgresqlHook,
  cluster: Cluster,
  { settings, areCurrent }: UsableSettings,
): Promise<void> {
  await writeMemberConfig(hook, cluster, settings);
  if (areCurrent) {
    cluster.setUnit({ config_hash: await hashRestartOptions(hook) });
    await rememberOptions(hook);
  }
  // A Patroni that restores would write into data that are just coming.
  const mark = await readRestoreMark(hook);
  if (mark === undefined || !restoresAtStart(mark)) await reloadIfUnread(hook, cluster);
}

/**
 * Whether the shared configuration is that of a database that is just coming, and perhaps never will:
 * it archives nothing until it is in force, and nobody may go back.
 */
export async function isBeingRestored(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const app = await cluster.appData();
  if (mayGoBack(app)) return true;
  // Whoever cannot look at the volume goes by what Juju has been told.
  if (!(await isReachable(hook))) return isRestoring(app);
  const mark = await readRestoreMark(hook);
  return mark === undefined ? isPrimaryReplaced(app) : !isOver(mark);
}

/**
 * The charts' "turn on/off synchronous_commit": the shared configuration, through whichever member
 * answers. Nobody but the leader, and whoever is being removed, may do it.
 */
export async function updateSynchronousReplication(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<void> {
  const { initialised } = await cluster.appData();
  if (!initialised || (await isBeingRestored(hook, cluster))) return;
  const result = await readSettings(hook);
  const settings = result.kind === 'valid' ? result.settings : undefined;
  await updateClusterConfig(hook, cluster, settings);
}

/** Hash of the options that take effect only with a restart: units that have the same agree. */
async function hashRestartOptions(hook: PostgresqlHook): Promise<string> {
  const given = await hook.juju.config();
  const values = options.filter(({ restart }) => restart === true).map(({ name }) => given[name]);
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32);
}
