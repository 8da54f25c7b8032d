/** What a fault is: a row of the matrix. */

import type { Model } from '../demo/model.ts';
import type { Pod } from './pods.ts';
import type { UndoList } from './undo.ts';

export const targets = ['primary', 'replica', 'all', 'leader-unit'] as const;
export type Target = (typeof targets)[number];

/** The cluster as it is when a fault begins. */
export interface Scene {
  readonly model: Model;
  readonly app: string;
  readonly pods: readonly Pod[];
  readonly primary: Pod;
  /** The pod that is meant; the primary when all are. */
  readonly victim: Pod;
  readonly undo: UndoList;
  readonly say: (text: string) => void;
}

export interface Fault {
  readonly name: string;
  readonly target: Target;
  /** Does it. Whatever stays until it is undone is put on the scene's list first. */
  readonly inject: (scene: Scene) => Promise<void>;
  /** How long it stays; 0 for what happens in a moment. */
  readonly lastsS: number;
  /** Recovery must not take longer, counted from the end of the fault. */
  readonly boundS: number;
  /** How long the cluster is watched after the end of the fault at least. */
  readonly watchS?: number;
  /** How often it is tried, unless the caller says so; 3 when absent. */
  readonly rounds?: number;
  /**
   * Who can neither say anything nor be told anything as long as it lasts: the charm of the victim, or
   * everybody's. What units show, and where Services lead, is told then, and not judged.
   */
  readonly away?: 'victim' | 'everybody';
  /** It hits every model of the cloud: such faults come last. */
  readonly everywhere?: true;
  /** Why it cannot be tried here, if so. */
  readonly obstacle?: (scene: Scene) => Promise<string | undefined>;
}

/** Names a row: `freeze-100-primary`. */
export function titleOf(fault: Pick<Fault, 'name' | 'target'>): string {
  return `${fault.name}-${fault.target}`;
}
