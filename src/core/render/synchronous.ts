// What commits wait for, as the shared configuration has it. Pure.
// Source: Patroni documentation, "Replication modes".

import { deriveSynchronousNodeCount } from '../config/derive.ts';
import type { Synchronous } from '../config/synchronous.ts';

export interface SynchronousFacts {
  readonly members: number;
  /** Members that run, those that are being removed among them. */
  readonly running?: number | undefined;
  /** The shared configuration as it is; it counts where the option itself is wrong. */
  readonly inForce?: Readonly<Record<string, unknown>> | undefined;
}

export interface SynchronousDocument {
  readonly synchronous_node_count: number;
  readonly synchronous_mode_strict: boolean;
}

export function renderSynchronous(
  { nodeCount, strict }: Synchronous,
  { members, running = 0, inForce = {} }: SynchronousFacts,
): SynchronousDocument {
  const count = (size: number): number => {
    if (nodeCount !== undefined) {
      return deriveSynchronousNodeCount({ synchronousNodeCount: nodeCount }, size);
    }
    const { synchronous_node_count: present } = inForce;
    const replicas = Math.max(0, size - 1);
    return typeof present === 'number' ? Math.min(present, replicas) : replicas;
  };
  const wanted = strict ?? inForce['synchronous_mode_strict'] === true;
  return {
    // Patroni wants at least 1; with a single member nothing is waited for anyway. Lowered only when
    // those that go are gone: of a smaller number Patroni might choose just these.
    synchronous_node_count: Math.max(1, count(Math.max(members, running))),
    synchronous_mode_strict: wanted && count(members) > 0,
  };
}
