// The phases of the contract in the order in which they are recorded, and who runs them.

import path from 'node:path';

import type { ContractPhase } from './hook-tools.ts';

export const recordings = path.join(import.meta.dirname, '..', 'golden', 'hook-tools');

export interface RecordedPhase {
  readonly phase: ContractPhase;
  /** The leader of the application that gives, its other unit, or the application that takes. */
  readonly on: 'leader' | 'follower' | 'other';
  /** Whether Juju keeps what the phase wrote. */
  readonly commits: boolean;
}

export const recordedPhases: readonly RecordedPhase[] = [
  { phase: 'first', on: 'leader', commits: true },
  { phase: 'follower', on: 'follower', commits: true },
  { phase: 'grant-again', on: 'leader', commits: true },
  { phase: 'consumer', on: 'other', commits: true },
  { phase: 'second', on: 'leader', commits: true },
  { phase: 'abandon', on: 'leader', commits: false },
  { phase: 'third', on: 'leader', commits: true },
  { phase: 'remove-pending', on: 'leader', commits: true },
  { phase: 'storage', on: 'leader', commits: false },
];
