// What Juju, the workload containers and the world around one unit look like at one moment: plain,
// readonly data that can be compared, cloned and printed. A run takes one state and gives another.
// `W` is the part that a charm's own fakes keep (for PostgreSQL see postgresql/world.ts).

import type { ConfigValue } from '../../../lib/juju/juju.ts';
import type { PebbleState } from '../pebble-state.ts';

export type DataBag = Readonly<Record<string, string>>;

/** What one unit sees of one relation. */
export interface RelationState {
  readonly endpoint: string;
  readonly id: number;
  /** For a peer relation the own application. */
  readonly remoteApp: string;
  readonly localUnit: DataBag;
  readonly localApp: DataBag;
  /** Always empty for a peer relation. */
  readonly remoteAppData: DataBag;
  /** Databags by unit name; for a peer relation those of the other units. */
  readonly remoteUnits: Readonly<Record<string, DataBag>>;
}

export interface SecretRevision {
  readonly revision: number;
  readonly content: DataBag;
}

export interface SecretGrant {
  readonly relation: number;
  /** An application or a unit. */
  readonly target: string;
}

export interface SecretState {
  /** 20 letters and digits, without `secret:`. */
  readonly id: string;
  /** `foreign`: owned by another application and (unless `denied`) granted to this unit. */
  readonly owner: 'application' | 'unit' | 'foreign';
  /** The owner's label; of a foreign secret the one that this unit gave it. */
  readonly label?: string;
  readonly description?: string;
  readonly rotate?: string;
  readonly expire?: string;
  /** Oldest first; never empty. */
  readonly revisions: readonly SecretRevision[];
  /** The revision that this unit goes on reading until it refreshes. */
  readonly tracked?: number;
  readonly grants: readonly SecretGrant[];
  readonly denied?: true;
}

export interface StorageState {
  readonly name: string;
  readonly index: number;
  readonly location: string;
}

export type ShownStatusLevel =
  | 'unknown'
  | 'error'
  | 'blocked'
  | 'maintenance'
  | 'waiting'
  | 'active'
  | 'terminated';

export interface ShownStatus {
  readonly level: ShownStatusLevel;
  readonly message: string;
}

export interface ModelState {
  readonly name: string;
  readonly uuid: string;
}

export interface State<W> {
  /** `postgresql-k8s/0` */
  readonly unit: string;
  readonly model: ModelState;
  readonly jujuVersion: string;
  readonly leader: boolean;
  /** Another unit becomes the leader as soon as this one has heard that it is. */
  readonly losesLead?: true;
  /** Hook tools that the controller does not answer. */
  readonly unansweredTools?: readonly string[];
  /** Units that Juju wants; at least those that the peer relations show. */
  readonly plannedUnits: number;
  /** Units (own one possible) that Juju is removing; they do not count as planned. */
  readonly dyingUnits: readonly string[];
  /** What an operator set; the defaults of config.yaml are added when the charm reads it. */
  readonly config: Readonly<Record<string, ConfigValue>>;
  readonly relations: readonly RelationState[];
  readonly secrets: readonly SecretState[];
  readonly storages: readonly StorageState[];
  /** `5432/tcp`, sorted. */
  readonly openedPorts: readonly string[];
  /** What `state-get` reads. */
  readonly controllerState: DataBag;
  readonly unitStatus: ShownStatus;
  readonly appStatus: ShownStatus;
  /** What Juju shows of other units; nothing unless told. */
  readonly otherStatuses?: Readonly<Record<string, ShownStatus>>;
  readonly workloadVersion?: string;
  /** Address of the unit; the same for every binding. */
  readonly address: string;
  readonly containers: Readonly<Record<string, PebbleState>>;
  readonly world: W;
}

/** `postgresql-k8s/0` → `postgresql-k8s` */
export function appOf(unit: string): string {
  return unit.slice(0, unit.lastIndexOf('/'));
}

/** `postgresql-k8s/12` → 12 */
export function numberOf(unit: string): number {
  return Number(unit.slice(unit.lastIndexOf('/') + 1));
}

/** The newest revision. */
export function latestOf(secret: SecretState): SecretRevision {
  const latest = secret.revisions.at(-1);
  if (latest === undefined) throw new Error(`secret ${secret.id} has no revision`);
  return latest;
}

/** The only relation of an endpoint; fails when there is none or more than one. */
export function relationOf<W>(state: State<W>, endpoint: string): RelationState {
  const found = state.relations.filter((relation) => relation.endpoint === endpoint);
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new Error(`the state has ${found.length} relations of "${endpoint}", not one`);
  }
  return only;
}

/** The secret with this label, if any. */
export function secretOf<W>(state: State<W>, label: string): SecretState | undefined {
  return state.secrets.find((secret) => secret.label === label);
}
