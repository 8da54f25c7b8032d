// Parameters that follow from the memory and the cores at hand. Pure; quantities come parsed. Where
// the pods of a cluster differ in size, each member reckons what is its own from its own pod. What all
// members share fits one of the pods, and stays as it is while it does: a change needs restarts, and is
// not to come from another unit being the leader, or from one that joins.

import type { OptionValue } from './option-row.ts';
import type { Settings, WorkerParameter } from './settings.ts';

export interface Resources {
  /** Cores that the container may use, at least a fraction of one. */
  readonly cores: number;
  readonly memoryBytes: number;
}

const pageBytes = 8192;
const sharedBuffersShare = 0.25;
const largestSharedBuffersPages = 1073741823;
const largestCachePages = 2147483647;
/** PostgreSQL takes no more parallel workers, however many cores there are. */
const mostParallelWorkers = 1024;

/** Whole cores to reckon with: part of one still runs a server. */
export function wholeCores({ cores }: Resources): number {
  return Math.max(1, Math.floor(cores));
}

/** Memory to reckon with: what is there, or the limit that the operator set. */
export function usableMemory(settings: Settings, { memoryBytes }: Resources): number {
  const { profileLimitMemoryMb } = settings;
  return profileLimitMemoryMb === undefined
    ? memoryBytes
    : Math.min(memoryBytes, profileLimitMemoryMb * 1_000_000);
}

/** Pages of 8 KiB that the operator asked for, or that the profile gives; `undefined` for neither. */
export function sharedBuffersPages(settings: Settings, resources: Resources): number | undefined {
  const asked = settings.values['memory_shared_buffers'];
  if (typeof asked === 'number') return asked;
  if (settings.profile === 'testing') return undefined;
  const pages = Math.floor((usableMemory(settings, resources) * sharedBuffersShare) / pageBytes);
  return Math.min(Math.max(pages, 16), largestSharedBuffersPages);
}

/** Parameters of the member's own file. */
export function deriveLocalParameters(
  settings: Settings,
  resources: Resources,
): Readonly<Record<string, string>> {
  return { ...memoryParameters(settings, resources), ...localWorkers(settings, resources) };
}

function memoryParameters(
  settings: Settings,
  resources: Resources,
): Readonly<Record<string, string>> {
  const shared = sharedBuffersPages(settings, resources);
  if (settings.profile === 'testing' || shared === undefined) return {};
  const pages = Math.floor(usableMemory(settings, resources) / pageBytes) - shared;
  return {
    shared_buffers: String(shared),
    effective_cache_size: String(Math.min(Math.max(pages, 1), largestCachePages)),
  };
}

function localWorkers(settings: Settings, resources: Resources): Readonly<Record<string, string>> {
  const base = workerProcesses(settings, resources);
  const asked = (parameter: WorkerParameter): number => {
    const count = settings.workers[parameter];
    return count === 'auto' ? base : count;
  };
  const parallel = Math.min(asked('max_parallel_workers'), base, mostParallelWorkers);
  const maintenance = Math.min(asked('max_parallel_maintenance_workers'), mostParallelWorkers);
  return {
    max_parallel_workers: String(parallel),
    max_parallel_maintenance_workers: String(maintenance),
    max_logical_replication_workers: String(asked('max_logical_replication_workers')),
    max_sync_workers_per_subscription: String(asked('max_sync_workers_per_subscription')),
  };
}

function workerProcesses({ workers }: Settings, resources: Resources): number {
  const { max_worker_processes: asked } = workers;
  return asked === 'auto' ? Math.min(8, 2 * wholeCores(resources)) : asked;
}

/** Connections that the server takes. */
export function maxConnections(settings: Settings, resources: Resources): number {
  const asked = settings.clusterParameters['max_connections'];
  return typeof asked === 'number' ? asked : Math.max(4 * wholeCores(resources), 100);
}

/** What is known besides the own pod; without it, that alone counts. */
export interface OtherPods {
  /** Whole cores of the other members' pods; `undefined` for one that has not told. */
  readonly cores: readonly (number | undefined)[];
  /** Server parameters that the members share now. */
  readonly inForce: Readonly<Record<string, unknown>>;
}

const nothingKnown: OtherPods = { cores: [], inForce: {} };

/** Parameters that Patroni keeps for the whole cluster. */
export function deriveClusterParameters(
  settings: Settings,
  resources: Resources,
  others: OtherPods = nothingKnown,
): Readonly<Record<string, OptionValue>> {
  const asked = {
    max_connections: settings.clusterParameters['max_connections'] !== undefined,
    max_worker_processes: settings.workers.max_worker_processes !== 'auto',
  };
  const ofPod = (pod: Resources) => ({
    max_connections: maxConnections(settings, pod),
    max_worker_processes: workerProcesses(settings, pod),
  });
  const own = ofPod(resources);
  const known = others.cores.filter((cores) => cores !== undefined);
  const pods = [own, ...known.map((cores) => ofPod({ ...resources, cores }))];
  const isComplete = known.length === others.cores.length;
  const shared = (parameter: keyof typeof own): number => {
    if (asked[parameter]) return own[parameter];
    const values = pods.map((pod) => pod[parameter]);
    const { [parameter]: present } = others.inForce;
    // A pod that is not known may be the one that it fits.
    const fits = typeof present === 'number' && (!isComplete || values.includes(present));
    return fits ? present : Math.min(...values);
  };
  return {
    max_connections: shared('max_connections'),
    max_worker_processes: shared('max_worker_processes'),
  };
}

/** Replicas that a commit waits for, of a cluster with so many members. */
export function deriveSynchronousNodeCount(
  settings: Pick<Settings, 'synchronousNodeCount'>,
  members: number,
): number {
  const replicas = Math.max(0, members - 1);
  if (settings.synchronousNodeCount === 'all') return replicas;
  if (settings.synchronousNodeCount === 'majority') return Math.floor(members / 2);
  return Math.min(settings.synchronousNodeCount, replicas);
}
