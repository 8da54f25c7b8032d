/** Samples of a cluster of three, whole unless a test says otherwise. */

import type { Sample } from '../../../../scripts/faults/observations.ts';

export const names = ['db-0', 'db-1', 'db-2'] as const;

export interface SampleOptions {
  readonly atMs?: number;
  readonly leader?: string;
  /** Members that do not answer. */
  readonly silent?: readonly string[];
  /** Messages of units that differ from what they ought to be. */
  readonly messages?: Readonly<Record<string, string>>;
  /** Pods with the label of the primary; that of the leader unless told. */
  readonly labelled?: readonly string[];
  /** Where the Service of the primary leads; to the leader unless told. */
  readonly addresses?: readonly string[];
  /** Pods whose charm's container does not run. */
  readonly charmless?: readonly string[];
}

/** Address of a pod. */
export function addressOf(name: string): string {
  return `10.0.0.${name.slice('db-'.length)}`;
}

export function makeSample(options: SampleOptions = {}): Sample {
  const { atMs = 0, leader = 'db-0', silent = [], messages = {}, charmless = [] } = options;
  const { labelled = [leader], addresses = [addressOf(leader)] } = options;
  return {
    atMs,
    views: names.map((name) =>
      silent.includes(name)
        ? { name, role: 'silent', state: '', timeline: 0 }
        : { name, role: name === leader ? 'primary' : 'replica', state: 'running', timeline: 1 },
    ),
    cluster: names.map((name) => ({
      name,
      role: name === leader ? 'leader' : 'replica',
      state: name === leader ? 'running' : 'streaming',
      timeline: 1,
    })),
    pods: names.map((name) => ({
      name,
      address: addressOf(name),
      role: labelled.includes(name) ? 'primary' : 'replica',
      charmRuns: !charmless.includes(name),
    })),
    primaryAddresses: addresses,
    units: names.map((name) => ({
      name: name.replace('-', '/'),
      workload: 'active',
      message: messages[name] ?? (name === leader ? 'Primary' : ''),
      agent: 'idle',
      leader: name === 'db-0',
    })),
  };
}
