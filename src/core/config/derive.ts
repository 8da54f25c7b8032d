// Parameters that follow from the memory and the cores at hand. Pure; quantities come parsed.

import type { Settings } from './validate.ts';

export interface Resources {
  /** Cores that the container may use, at least a fraction of one. */
  readonly cores: number;
  readonly memoryBytes: number;
}

const pageBytes = 8192;
const sharedBuffersShare = 0.25;

/** Memory parameters of the profile, in pages of 8 KiB; empty for the testing profile. */
export function deriveMemoryParameters(
  settings: Settings,
  resources: Resources,
): Readonly<Record<string, string>> {
  if (settings.profile === 'testing') return {};
  const limitBytes =
    settings.profileLimitMemoryMb === undefined
      ? Number.POSITIVE_INFINITY
      : settings.profileLimitMemoryMb * 1_000_000;
  const memoryBytes = Math.min(resources.memoryBytes, limitBytes);
  const sharedPages = Math.floor((memoryBytes * sharedBuffersShare) / pageBytes);
  return {
    shared_buffers: String(sharedPages),
    effective_cache_size: String(Math.floor(memoryBytes / pageBytes) - sharedPages),
  };
}

/** Worker parameters and connections that Patroni keeps for the whole cluster. */
export function deriveClusterParameters(resources: Resources): Readonly<Record<string, number>> {
  const cores = Math.max(1, Math.floor(resources.cores));
  const workers = Math.min(8, 2 * cores);
  return {
    max_connections: Math.max(4 * cores, 100),
    max_worker_processes: workers,
    max_prepared_transactions: 0,
    max_replication_slots: 25,
    max_wal_senders: 25,
  };
}

/** Replicas that a commit waits for, of a cluster with so many members. */
export function deriveSynchronousNodeCount(settings: Settings, members: number): number {
  const replicas = Math.max(0, members - 1);
  if (settings.synchronousNodeCount === 'all') return replicas;
  if (settings.synchronousNodeCount === 'majority') return Math.floor(members / 2);
  return Math.min(settings.synchronousNodeCount, replicas);
}
