// Options that are right by themselves but too much for the pod. Checked before anything is written:
// a server that asks for more memory than there is does not start again.

import {
  maxConnections,
  type Resources,
  sharedBuffersPages,
  usableMemory,
  wholeCores,
} from './derive.ts';
import { options } from './options.ts';
import { type Settings, workerOption, workerParameters } from './settings.ts';
import { shown } from './validate.ts';

type Check = (settings: Settings, resources: Resources) => readonly string[];

/** Every problem of the settings with what the pod may use. */
export function validateAgainstResources(
  settings: Settings,
  resources: Resources,
): readonly string[] {
  return checks.flatMap((check) => check(settings, resources));
}

/** Whether there is anything to check: without, nobody has to look at the pod. */
export function dependsOnResources(settings: Settings): boolean {
  return (
    workerParameters.some((parameter) => settings.workers[parameter] !== 'auto') ||
    changedSharedMemoryOptions(settings).length > 0
  );
}

const workersForEachCore = 10;

const workerProblems: Check = (settings, resources) => {
  const cap = workersForEachCore * wholeCores(resources);
  return workerParameters.flatMap((parameter) => {
    const count = settings.workers[parameter];
    if (count === 'auto' || count <= cap) return [];
    const option = workerOption(parameter);
    return [
      `${option} value ${shown(settings.values[option])} exceeds maximum allowed of ${cap} ` +
        `(10 * vCores). Please set a value <= ${cap}.`,
    ];
  });
};

const pageBytes = 8192;
const largestBufferShare = 0.4;

function mostSharedBuffers(settings: Settings, resources: Resources): number {
  return usableMemory(settings, resources) * largestBufferShare;
}

const sharedBufferProblems: Check = (settings, resources) => {
  const asked = settings.values['memory_shared_buffers'];
  const bytes = mostSharedBuffers(settings, resources);
  if (typeof asked !== 'number' || asked <= Math.floor(bytes / pageBytes)) return [];
  return [
    'memory_shared_buffers: Shared buffers config option should be at most 40% of the available ' +
      `memory, which is ${megabytes(bytes)}MB`,
  ];
};

const sharedMemoryOptions = [
  'experimental_max_connections',
  'instance_max_locks_per_transaction',
  'memory_max_prepared_transactions',
  'memory_shared_buffers',
  'request_track_activity_query_size',
] as const;

function changedSharedMemoryOptions({ values }: Settings): readonly string[] {
  const unchanged = new Map(options.map((row) => [row.name, row.default]));
  return sharedMemoryOptions.filter((name) => values[name] !== unchanged.get(name));
}

// PostgreSQL allocates this memory when it starts, or does not start. The figures are those with
// which its documentation reckoned ("Managing Kernel Resources", up to version 9.2).
const bytesOf = { connection: 1800, prepared: 770, lock: 270 } as const;

const sharedMemoryProblems: Check = (settings, resources) => {
  const changed = changedSharedMemoryOptions(settings);
  const { memoryBytes } = resources;
  const needed = sharedMemory(settings, resources);
  if (changed.length === 0 || needed <= memoryBytes) return [];
  return [
    `${changed.join(', ')} has to fit into the memory of the pod, which is ` +
      `${megabytes(memoryBytes)}MB, not "${megabytes(needed)}MB"`,
  ];
};

function sharedMemory(settings: Settings, resources: Resources): number {
  const { values } = settings;
  const connections = maxConnections(settings, resources);
  const locks = bytesOf.lock * Number(values['instance_max_locks_per_transaction']);
  const prepared = Number(values['memory_max_prepared_transactions']);
  const queryText = Number(values['request_track_activity_query_size']);
  // What is over the limit is a problem of its own.
  const buffers = Math.min(
    (sharedBuffersPages(settings, resources) ?? 0) * pageBytes,
    mostSharedBuffers(settings, resources),
  );
  return (
    buffers +
    connections * (bytesOf.connection + locks + queryText) +
    prepared * (bytesOf.prepared + locks)
  );
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / 1_000_000);
}

const checks: readonly Check[] = [workerProblems, sharedBufferProblems, sharedMemoryProblems];
