/** Looks at a cluster over and over, from before a fault until it is told to stop. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { Model } from '../demo/model.ts';
import type { UnitStatus } from '../demo/status.ts';
import { startObserver } from './agent.ts';
import type { MembersAnswer } from './agent-requests.ts';
import type { Sample } from './observations.ts';
import { type Cluster, fetchCluster } from './pods.ts';
import { readUnits } from './unit-status.ts';

export interface Watch {
  readonly samples: readonly Sample[];
  stop(): Promise<void>;
}

const intervalMs = 500;
/** Asking Juju costs more, and its answer changes less often. */
const unitsIntervalMs = 1000;
/** Older words of Juju count as silence. */
const statusAgeMs = 15_000;
const silence: MembersAnswer = { views: [] };

export function startWatch(model: Model, app: string): Watch {
  const samples: Sample[] = [];
  const ended = new AbortController();
  const observer = startObserver();
  let cluster: Cluster = { pods: [], members: [], primaryAddresses: [] };
  let units: { readonly list: readonly UnitStatus[]; readonly atMs: number } | undefined;

  const lookAtMembers = async (): Promise<void> => {
    // While the API server is away the pods are where they were.
    cluster = await orElse(fetchCluster(model.name, app), cluster);
    const addresses = cluster.pods.map(({ name, address }) => ({ name, address }));
    const { views } = await orElse(observer.fetchMembers(addresses), silence);
    const atMs = Date.now();
    const isFresh = units !== undefined && atMs - units.atMs < statusAgeMs;
    samples.push({
      atMs,
      views,
      cluster: cluster.members,
      pods: cluster.pods,
      primaryAddresses: cluster.primaryAddresses,
      units: isFresh ? units?.list : undefined,
    });
  };
  const lookAtUnits = async (): Promise<void> => {
    const list = await orElse(readUnits(model, app), undefined);
    if (list !== undefined) units = { list, atMs: Date.now() };
  };
  const repeat = async (look: () => Promise<void>, pauseMs: number): Promise<void> => {
    while (!ended.signal.aborted) {
      await look();
      await sleep(pauseMs);
    }
  };
  const loops = Promise.all([
    repeat(lookAtUnits, unitsIntervalMs),
    repeat(lookAtMembers, intervalMs),
  ]);
  return {
    samples,
    stop: async () => {
      ended.abort();
      await loops;
      await observer.close();
    },
  };
}

/** During a fault any of the clients may fail: that is what is being looked at. */
async function orElse<T>(work: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await work;
  } catch {
    return otherwise;
  }
}
