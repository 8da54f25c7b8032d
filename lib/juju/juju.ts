// What a handler sees of Juju. Reads go through hook tools, lazily and at most once per dispatch;
// writes are collected, visible to later reads of the same dispatch, and flushed at its end in a
// fixed order (only what differs from what Juju has). `action-log` and `status` during long work
// are the exceptions: they go out at once.

import type { Secret } from '../base/secret.ts';
import type { HookContext } from './event.ts';

export type ConfigValue = string | number | boolean;

/** Values to write into a databag: `undefined` and the empty text remove the key. */
export type DataBagChange = Readonly<Record<string, string | undefined>>;

export interface Relation {
  readonly endpoint: string;
  readonly id: number;
  /** Remote application; for a peer relation the own one. */
  app(): Promise<string | undefined>;
  /** Remote units (for a peer relation: the other units), sorted by number. */
  units(): Promise<readonly string[]>;
  /** A databag by owner (application or unit name), own pending writes included. */
  data(owner: string): Promise<Readonly<Record<string, string>>>;
  /** Own unit's databag. */
  setUnit(change: DataBagChange): void;
  /** Own application's databag; the caller has asked `isLeader` just before. */
  setApp(change: DataBagChange): void;
}

export interface OwnedSecret {
  readonly label: string;
  readonly owner: 'application' | 'unit';
  readonly description?: string;
  readonly content: Readonly<Record<string, Secret>>;
}

export type StatusLevel = 'error' | 'blocked' | 'maintenance' | 'waiting' | 'active';
export interface Status {
  readonly level: Exclude<StatusLevel, 'error'>;
  readonly message: string;
}

export interface Action {
  /** Parameters with the defaults of `actions.yaml` merged in. */
  params(): Promise<Readonly<Record<string, unknown>>>;
  /** Adds results; nested objects are flattened with dots by Juju's rules. */
  setResults(results: Readonly<Record<string, string>>): void;
  /** Marks the action failed; the last call wins, buffered writes are still committed. */
  fail(message: string): void;
  /** Progress for the operator, sent at once. What cannot be sent fails no action. */
  log(message: string): Promise<void>;
}

export interface Juju {
  readonly context: HookContext;
  config(): Promise<Readonly<Record<string, ConfigValue>>>;
  /** Juju's answer holds for half a minute: longer work asks afresh. */
  isLeader(options?: { readonly fresh: boolean }): Promise<boolean>;
  /** Units that Juju wants, without those going away (goal-state). */
  plannedUnits(): Promise<number>;
  /** The names of those units. A removed unit may still be in a relation for a while; not here. */
  plannedUnitNames(): Promise<readonly string[]>;
  relations(endpoint: string): Promise<readonly Relation[]>;
  /** The first relation of an endpoint that has a limit of one, or is a peer relation. */
  relation(endpoint: string): Promise<Relation | undefined>;
  /** The peer relation of an endpoint, which a later hook finds without asking for it. */
  peerRelation(endpoint: string): Promise<Relation | undefined>;
  relationById(endpoint: string, id: number): Relation;
  /** Content of an own secret (pending writes included), or of a consumed one, by label. */
  secretByLabel(label: string): Promise<Readonly<Record<string, Secret>> | undefined>;
  /** Content of a consumed secret by URI; gives it the label; `refresh` takes the newest revision. */
  secretById(
    uri: string,
    options?: { readonly label?: string; readonly refresh?: boolean },
  ): Promise<Readonly<Record<string, Secret>> | undefined>;
  /** Newest revision of a secret that this unit manages; `undefined` when it does not. */
  secretRevision(uri: string): Promise<number | undefined>;
  /** Creates or updates an own secret; nothing is sent when the content is the same. URI when it is known. */
  setSecret(secret: OwnedSecret): Promise<string>;
  grantSecret(uri: string, relation: Relation): void;
  revokeSecret(uri: string, relation: Relation): void;
  removeSecret(uri: string, revision?: number): void;
  /** Controller-side unit state (state-get); small values only. */
  state(key: string): Promise<string | undefined>;
  setState(change: DataBagChange): void;
  openPorts(ports: readonly number[]): void;
  /** Sent at once. */
  setWorkloadVersion(version: string): Promise<void>;
  storageLocation(name: string): Promise<string | undefined>;
  /** First bind address of an endpoint's binding. */
  bindAddress(endpoint: string): Promise<string | undefined>;
  /** The unit status that Juju shows now. */
  unitStatus(): Promise<Status | undefined>;
  /** What Juju shows of all units of the application, without those that only Juju sets; leader only. */
  unitStatuses(): Promise<Readonly<Record<string, Status>>>;
  /** Sets the unit status at once: progress of long work only; the final one is collected. */
  showProgress(status: Status): Promise<void>;
  /** Only while an action runs. */
  action(): Action;
}
