// Makes the configuration of this member, and on the leader that of the cluster, what it should
// be. Compares first and writes only what differs, so an unchanged configuration causes no write.

import { createHash } from 'node:crypto';

import { CodedError } from '../../lib/base/error.ts';
import type { Secret } from '../../lib/base/secret.ts';
import { judgeOptions } from '../core/config/database-checks.ts';
import { options } from '../core/config/options.ts';
import type { Settings } from '../core/config/settings.ts';
import { validateSettings } from '../core/config/validate.ts';
import { presentEndpoints } from '../core/membership.ts';
import {
  type PasswordUser,
  patroniConfigPath,
  unreadMarkPath,
  workloadUser,
} from '../core/names.ts';
import {
  type Bootstrap,
  type Document,
  type DocumentValue,
  dynamicNotes,
  leftOutParameters,
  renderDynamic,
  renderMember,
} from '../core/render/patroni.ts';
import { isReadOnly } from '../core/watch-state.ts';
import { rememberOptions } from './applied-options.ts';
import {
  type Cluster,
  isPrimaryReplaced,
  isStarted,
  mayGoBack,
  type PostgresqlHook,
} from './cluster.ts';
import { checkOptions, readVerdicts } from './database-checks.ts';
import { readKnownParameters, reportLeftOut } from './known-parameters.ts';
import { readPod } from './kubernetes.ts';
import { type Patroni, PatroniError } from './patroni.ts';
import type { JsonObject } from './patroni-answers.ts';
import { checkResources } from './resource-problems.ts';
import {
  isOver,
  type RestoreMark,
  readRestoreMark,
  restoresAtStart,
  targetOfMark,
} from './restore-mark.ts';
import { isLed } from './succession.ts';
import { readWatchState } from './watch-state.ts';
import { readWorkload } from './workload.ts';
import { yamlText } from './yaml-text.ts';

/** The charm's settings, or the problems that keep the old ones in force. */
export async function readSettings(
  hook: PostgresqlHook,
): Promise<ReturnType<typeof validateSettings>> {
  const config = await hook.juju.config();
  const { usable, problems } = judgeOptions(config, await readVerdicts(hook));
  const given = validateSettings(config);
  const others = given.kind === 'invalid' ? given.problems : [];
  if (others.length + problems.length === 0) {
    return await checkResources(hook, usable === config ? given : validateSettings(usable));
  }
  return { kind: 'invalid', problems: [...others, ...problems] };
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
  reportLeftOut(hook, known, leftOutParameters(settings, known?.names));
  const app = await cluster.appData();
  const seen = await readWatchState(hook);
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
    readOnly: isReadOnly(seen),
    volumeBytes: seen.disk?.totalBytes,
  });
  const content = await yamlText(document);
  const { pebble } = hook.ports;
  if ((await pebble.pull(patroniConfigPath)) === content) return;
  await pebble.push(unreadMarkPath, '', owner);
  await pebble.push(patroniConfigPath, content, { ...owner, mode: '0600' });
}

const owner = { user: workloadUser, group: workloadUser } as const;

/** Makes Patroni read its file again when it has changed since. */
async function reloadIfUnread(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { pebble } = hook.ports;
  if ((await pebble.stat(unreadMarkPath)) === undefined) return;
  await (await cluster.patroni()).reload();
  await pebble.remove(unreadMarkPath, { recursive: true });
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

/** Brings the dynamic configuration, shared by all members, to what the settings say. */
export async function updateClusterConfig(
  hook: PostgresqlHook,
  cluster: Cluster,
  settings: Settings,
): Promise<void> {
  const pod = await readPod(hook, cluster);
  const { endpoints, stanza } = await cluster.appData();
  // Members that are being removed are not to be waited for, although they are still admitted.
  const staying = await hook.juju.plannedUnitNames();
  const listed = (await cluster.patroniCluster())?.members ?? [];
  const facts = {
    settings,
    resources: pod.resources,
    members: presentEndpoints(cluster.app, staying, endpoints).length,
    running: listed.filter(({ state }) => isStarted(state)).length,
    leaderless: !isLed(listed),
    stanza,
    patroniVersion: (await cluster.health())?.patroniVersion,
    volumeBytes: (await readWatchState(hook)).disk?.totalBytes,
  };
  for (const note of dynamicNotes(facts)) hook.log('WARNING', note);
  await patchClusterConfig(cluster, renderDynamic(facts));
}

/**
 * Patches only what differs. A cluster that is still being bootstrapped has no shared configuration
 * yet and will start with the one in the member's file.
 */
export async function patchClusterConfig(cluster: Cluster, wanted: Document): Promise<void> {
  const patroni = await cluster.patroni();
  const present = await readClusterConfig(patroni);
  if (present === undefined) return;
  const change = differenceOf(wanted, present);
  if (Object.keys(change).length > 0) await patroni.patchConfig(change);
}

// What Patroni answers while there is no configuration in the cluster's store.
const noConfigStatus = 502;

async function readClusterConfig(patroni: Patroni): Promise<JsonObject | undefined> {
  try {
    return await patroni.config();
  } catch (error) {
    const absent = error instanceof PatroniError && error.fields['status'] === noConfigStatus;
    if (absent) return undefined;
    throw error;
  }
}

/** The part of `wanted` that `present` does not have. */
export function differenceOf(wanted: Document, present: JsonObject): Document {
  const changes: [string, DocumentValue][] = [];
  for (const [key, value] of Object.entries(wanted)) {
    const other = present[key];
    if (isDocument(value)) {
      const inner = differenceOf(value, isJsonObject(other) ? other : {});
      if (Object.keys(inner).length > 0) changes.push([key, inner]);
    } else if (other !== value) {
      changes.push([key, value]);
    }
  }
  return Object.fromEntries(changes);
}

function isDocument(value: DocumentValue): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The step of the charts that updates Patroni and PostgreSQL: the member's file (Patroni reloads
 * it when it changed) and, on the leader, the shared part. An invalid configuration changes
 * nothing. Says whether the settings were valid.
 */
export async function applyConfiguration(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  await checkOptions(hook, cluster);
  const result = await readSettings(hook);
  if (result.kind === 'invalid') return false;
  await writeMemberConfig(hook, cluster, result.settings);
  cluster.setUnit({ config_hash: await hashRestartOptions(hook) });
  await rememberOptions(hook);
  // A Patroni that restores would write into data that are just coming.
  const mark = await readRestoreMark(hook);
  if (mark !== undefined && restoresAtStart(mark)) return true;
  // A Patroni that does not answer reads its file when it starts.
  if ((await cluster.health()) === undefined) return true;
  await reloadIfUnread(hook, cluster);
  if ((await hook.juju.isLeader()) && !(await isBeingRestored(hook, cluster))) {
    await updateClusterConfig(hook, cluster, result.settings);
  }
  return true;
}

/**
 * Whether the shared configuration is that of a database that is just coming, and perhaps never will:
 * it archives nothing until it is in force, and nobody may go back.
 */
export async function isBeingRestored(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const app = await cluster.appData();
  if (mayGoBack(app)) return true;
  const mark = await readRestoreMark(hook);
  return mark === undefined ? isPrimaryReplaced(app) : !isOver(mark);
}

/** The charts' "turn on/off synchronous_commit": the shared configuration, when Patroni answers. */
export async function updateSynchronousReplication(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<void> {
  const result = await readSettings(hook);
  const health = await cluster.health();
  if (result.kind === 'invalid') return;
  if (health === undefined) {
    hook.log('INFO', 'the shared configuration stays as it is: Patroni does not answer');
    return;
  }
  if (await isBeingRestored(hook, cluster)) return;
  await updateClusterConfig(hook, cluster, result.settings);
}

/** Hash of the options that take effect only with a restart: units that have the same agree. */
async function hashRestartOptions(hook: PostgresqlHook): Promise<string> {
  const given = await hook.juju.config();
  const values = options.filter(({ restart }) => restart === true).map(({ name }) => given[name]);
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32);
}
