// What the explain action has seen, as plain data. Each source may be out of reach, which is when the
// action is needed most; the others are told all the same.

import type { LastBackup } from '../backups/last-backup.ts';
import type { Schedule } from '../backups/schedule.ts';
import type { ForeseenRepair } from '../repair.ts';
import type { StorageJudgement } from '../storage.ts';
import type { CommitRecord } from '../succession.ts';
import type { WatchState } from '../watch-state.ts';

export type Source<T> =
  | { readonly kind: 'seen'; readonly value: T }
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface JujuFacts {
  readonly leader: boolean;
  readonly unitStatus: string;
  /** Units that are wanted; those that are being removed are not among them. */
  readonly plannedUnits: readonly string[];
  /** Units whose members have been admitted. */
  readonly admittedUnits: readonly string[];
  readonly initialised: boolean;
  /** Label of the backup that is being restored. */
  readonly restoring?: string;
  /** What became of the last restore, if it came to nothing. */
  readonly restoreFailure?: string;
  /** Unit that could not be restarted. */
  readonly restartFailure?: string;
  /** Whether commits wait when there is no synchronous replica. */
  readonly strict?: boolean;
  /** What an earlier hook has left for a later one. */
  readonly unfinished?: 'configuration' | 'everything';
  /** Why extensions are not as they are switched; only the leader looks after them. */
  readonly extensions?: string;
}

export interface ServiceFacts {
  readonly name: string;
  readonly current: string;
}

export interface CheckFacts {
  readonly name: string;
  readonly status: string;
  readonly failures: number;
}

export interface RestoreFacts {
  /** Why it cannot end as things are. */
  readonly problem?: string;
  /** Whether the restored database answers. */
  readonly isUp: boolean;
  /** Whether there are data of before to go back to. */
  readonly wayBack: boolean;
}

export interface PebbleFacts {
  readonly services: readonly ServiceFacts[];
  readonly checks: readonly CheckFacts[];
  /** A restore of this unit that has not ended. */
  readonly restore?: RestoreFacts;
  /** A change of a password that has not ended. */
  readonly passwordChange: boolean;
}

export interface MemberFacts {
  readonly unit: string;
  readonly role: string;
  readonly state: string;
  /** Whether PostgreSQL answers. */
  readonly started: boolean;
  readonly lagBytes?: number;
  readonly timeline?: number;
  readonly pendingRestart: boolean;
}

export interface PatroniFacts {
  readonly paused: boolean;
  readonly members: readonly MemberFacts[];
}

/** The own member's view of itself. */
export interface OwnFacts {
  readonly state: string;
  readonly role: string;
  readonly started: boolean;
}

export interface KubernetesFacts {
  /** Unit that holds the lock. */
  readonly lockHolder?: string;
  readonly lockRenewed?: string;
  /** Where clients who want to write are led to. */
  readonly primaryTargets: readonly string[];
  /** The last primary and its synchronous replicas. */
  readonly commits?: CommitRecord;
  /** What the primary's Service is. */
  readonly primaryService: string;
  /** Services that are missing, or not as they have to be. */
  readonly wrongServices?: readonly string[];
  /** Where clients who want to write are led to, although the pod of that name is somewhere else. */
  readonly strayTargets?: readonly StrayTarget[];
}

export interface StrayTarget {
  readonly unit: string;
  readonly address: string;
  /** That of its pod. */
  readonly actual: string;
}

/** What the watcher has seen of the own member, and what follows for it. */
export interface UpkeepFacts {
  readonly watch: WatchState;
  readonly repair?: ForeseenRepair;
  /** Why a repair that is due was not made. */
  readonly refusal?: string;
  readonly nowMs: number;
}

export interface BackupFacts {
  /** `none`, `complete`, or what is missing or wrong. */
  readonly settings: string;
  readonly stanza?: string;
  /** What the leader is Blocked by. */
  readonly blocked?: string;
  /** As the leader keeps it. */
  readonly schedule?: Schedule;
  /** The newest good one, as far as it is known. */
  readonly last?: LastBackup;
  readonly nowSeconds?: number;
}

export interface Observed {
  readonly unit: string;
  readonly model: string;
  readonly juju: Source<JujuFacts>;
  /** Problems of the configuration; none: it is in force. */
  readonly configuration: Source<readonly string[]>;
  readonly pebble: Source<PebbleFacts>;
  readonly own: Source<OwnFacts>;
  readonly patroni: Source<PatroniFacts>;
  readonly kubernetes: Source<KubernetesFacts>;
  readonly backups: Source<BackupFacts>;
  /** Names of deferred events, oldest first. */
  readonly deferred: Source<readonly string[]>;
  readonly upkeep: Source<UpkeepFacts>;
  /** What is on the volume of a member that is not up. */
  readonly storage: Source<StorageJudgement | undefined>;
  /** What the watcher of the workload has seen; `undefined` when it has written nothing. */
  readonly watcher: Source<unknown>;
}

/** The value, when the source was in reach. */
export function seen<T>(source: Source<T>): T | undefined {
  return source.kind === 'seen' ? source.value : undefined;
}
