// Looks at everything that decides what this unit does. Reads only, and each source by itself: one
// that does not answer takes nothing from the others.

import { CodedError } from '../../lib/base/error.ts';
import { present } from '../../lib/base/present.ts';
import { loadQueue } from '../../lib/juju/deferred.ts';
import type { KubeObject } from '../../lib/kube/kube.ts';
import { parseSchedule } from '../core/backups/schedule.ts';
import {
  type BackupFacts,
  type JujuFacts,
  type KubernetesFacts,
  type Observed,
  type PatroniFacts,
  type PebbleFacts,
  type RestoreFacts,
  type Source,
  type StrayTarget,
  seen,
} from '../core/explain/facts.ts';
import {
  clusterName,
  passwordChangePath,
  primaryServiceName,
  unitOfMember,
} from '../core/names.ts';
import { watcherStatePath } from '../core/render/watcher.ts';
import {
  type AppData,
  type Cluster,
  isStarted,
  openCluster,
  type PostgresqlHook,
} from './cluster.ts';
import { readSettings } from './configuration.ts';
import { hasWayBack } from './data-directory.ts';
import { fetchClusterFromAny, type Patroni } from './patroni.ts';
import { readRepository, refusalOf } from './repository.ts';
import { readRestoreMark } from './restore-mark.ts';
import { wrongServices } from './services.ts';
import { askMembers, readCommitRecord } from './succession.ts';
import { readUnfinished } from './unfinished.ts';
import { readExtensionsProblem, readUpkeep } from './upkeep.ts';

/** All sources but the storage, whichever of them answer. */
export async function observe(hook: PostgresqlHook): Promise<Omit<Observed, 'storage'>> {
  const { unit, modelName } = hook.juju.context;
  const opened = await reach(async () => await requireCluster(hook));
  const within = async <T>(read: (cluster: Cluster) => Promise<T>): Promise<Source<T>> =>
    opened.kind === 'seen' ? await reach(async () => await read(opened.value)) : opened;
  return {
    unit,
    model: modelName,
    juju: await reach(async () => await readJuju(hook, seen(opened))),
    configuration: await reach(async () => {
      const settings = await readSettings(hook);
      return settings.kind === 'invalid' ? settings.problems : [];
    }),
    pebble: await reach(async () => await readPebble(hook)),
    own: await within(readOwn),
    patroni: await within(readPatroni),
    kubernetes: await within(async (cluster) => await readKubernetes(hook, cluster)),
    backups: await within(async (cluster) => await readBackups(hook, cluster)),
    deferred: await reach(async () => {
      return (await loadQueue(hook.juju, hook.log)).map(({ name }) => name);
    }),
    upkeep: await within(async (cluster) => await readUpkeep(hook, cluster)),
    watcher: await reach(async () => await readWatcher(hook)),
  };
}

/** What comes of reading, or why nothing does. */
export async function reach<T>(read: () => Promise<T>): Promise<Source<T>> {
  try {
    return { kind: 'seen', value: await read() };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { kind: 'unreachable', reason: error.message };
  }
}

async function requireCluster(hook: PostgresqlHook): Promise<Cluster> {
  const cluster = await openCluster(hook);
  if (cluster !== undefined) return cluster;
  throw new CodedError('there is no peer relation yet', { code: 'no-peers' });
}

async function readJuju(hook: PostgresqlHook, cluster?: Cluster): Promise<JujuFacts> {
  const status = await hook.juju.unitStatus();
  return {
    leader: await hook.juju.isLeader(),
    unitStatus: status === undefined ? 'unknown' : `${status.level} ${status.message}`.trim(),
    plannedUnits: await hook.juju.plannedUnitNames(),
    strict: (await hook.juju.config())['synchronous_mode_strict'] !== false,
    ...present({
      unfinished: await readUnfinished(hook),
      extensions: await readExtensionsProblem(hook, cluster),
    }),
    ...describeCluster(await cluster?.appData()),
  };
}

type ClusterPart =
  | 'admittedUnits'
  | 'initialised'
  | 'restoring'
  | 'restoreFailure'
  | 'restartFailure';

function describeCluster(app: AppData | undefined): Pick<JujuFacts, ClusterPart> {
  if (app === undefined) return { admittedUnits: [], initialised: false };
  return {
    admittedUnits: app.endpoints.map((host) => unitOfMember(host.replace(/\..*$/, ''))),
    initialised: app.initialised,
    ...present({
      restoring: app.restoringBackup ?? app.restoreRequest?.target.label,
      restoreFailure: app.restoreFailure,
      restartFailure: app.restartFailure,
    }),
  };
}

async function readPebble(hook: PostgresqlHook): Promise<PebbleFacts> {
  const { pebble } = hook.ports;
  return {
    services: (await pebble.services()).map(({ name, current }) => ({ name, current })),
    checks: (await pebble.checks()).map(({ name, status, failures }) => {
      return { name, status, failures };
    }),
    ...present({ restore: await readRestore(hook) }),
    passwordChange: (await pebble.stat(passwordChangePath)) !== undefined,
  };
}

async function readRestore(hook: PostgresqlHook): Promise<RestoreFacts | undefined> {
  const mark = await readRestoreMark(hook);
  if (mark?.phase !== 'started') return undefined;
  const { failure, notSetUp } = mark;
  return {
    ...present({ problem: failure ?? notSetUp }),
    isUp: failure === undefined,
    wayBack: await hasWayBack(hook, mark),
  };
}

async function readOwn(cluster: Cluster) {
  const { state, role, replicationState } = await (await cluster.patroni()).health();
  return { state: replicationState ?? state, role, started: isStarted(state) };
}

/** Whoever answers first: a member that is down delays nobody. */
async function readPatroni(cluster: Cluster): Promise<PatroniFacts> {
  const members: Patroni[] = [];
  for (const unit of await cluster.units()) members.push(await cluster.patroni(unit));
  const found = await fetchClusterFromAny(members);
  return {
    paused: found.paused,
    members: (await askMembers(cluster, found.members)).map(
      ({ name, role, state, pendingRestart, ...member }) => ({
        unit: unitOfMember(name),
        role,
        state,
        started: isStarted(state),
        pendingRestart,
        ...present({ lagBytes: member.lagBytes, timeline: member.timeline }),
      }),
    ),
  };
}

async function readKubernetes(hook: PostgresqlHook, cluster: Cluster): Promise<KubernetesFacts> {
  const { kube } = hook.ports;
  const lock = await kube.get('endpoints', clusterName(cluster.app));
  const service = await kube.get('services', primaryServiceName(cluster.app));
  const { leader, renewTime } = lock?.metadata.annotations ?? {};
  return {
    primaryTargets: addressesOf(lock),
    primaryService: describeService(service),
    wrongServices: await wrongServices(hook, cluster),
    strayTargets: await findStrayTargets(hook, lock),
    ...present({
      commits: await readCommitRecord(hook, cluster),
      lockHolder: leader === undefined ? undefined : unitOfMember(leader),
      lockRenewed: renewTime,
    }),
  };
}

/** Names of the units behind the Endpoints, or addresses where there is no name. */
function addressesOf(endpoints: KubeObject | undefined): readonly string[] {
  return targetsOf(endpoints).map(({ pod, host, address }) => {
    const name = pod ?? host;
    return typeof name === 'string' ? unitOfMember(name) : String(address);
  });
}

/** Addresses under the name of a pod that has another one by now. */
async function findStrayTargets(
  { ports: { kube } }: PostgresqlHook,
  endpoints: KubeObject | undefined,
): Promise<readonly StrayTarget[]> {
  const found: StrayTarget[] = [];
  for (const { pod, address } of targetsOf(endpoints)) {
    if (typeof pod !== 'string' || typeof address !== 'string') continue;
    const actual = at(at(await kube.get('pods', pod), 'status'), 'podIP');
    if (typeof actual !== 'string' || actual === address) continue;
    found.push({ unit: unitOfMember(pod), address, actual });
  }
  return found;
}

function targetsOf(endpoints: KubeObject | undefined) {
  return list(endpoints?.['subsets']).flatMap((subset) =>
    list(at(subset, 'addresses')).map((one) => ({
      pod: at(at(one, 'targetRef'), 'name'),
      host: at(one, 'hostname'),
      address: at(one, 'ip'),
    })),
  );
}

function describeService(service: KubeObject | undefined): string {
  if (service === undefined) return 'missing';
  const alias = at(service['spec'], 'externalName');
  if (typeof alias === 'string') return `alias of ${alias}`;
  return `selects ${JSON.stringify(at(service['spec'], 'selector') ?? {})}`;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

async function readBackups(hook: PostgresqlHook, cluster: Cluster): Promise<BackupFacts> {
  const reading = await readRepository(hook);
  const { stanza, s3BlockMessage, cipherProblem, backupSchedule, lastBackup } =
    await cluster.appData();
  return {
    settings: refusalOf(reading) ?? 'complete',
    ...present({ stanza, blocked: s3BlockMessage ?? cipherProblem, last: lastBackup }),
    ...(backupSchedule === undefined ? {} : { schedule: parseSchedule(backupSchedule) }),
    nowSeconds: Math.floor(hook.ports.clock.nowMs() / 1000),
  };
}

/** Half a file, or one of another version, is no reason to fail. */
async function readWatcher(hook: PostgresqlHook): Promise<unknown> {
  const text = await hook.ports.pebble.pull(watcherStatePath);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    if (error instanceof SyntaxError) return { unreadable: text.slice(0, 200) };
    throw error;
  }
}
