// Builders of states: every field has a sensible default, so that a test names only what matters.

import {
  appOf,
  type DataBag,
  type RelationState,
  type SecretState,
  type State,
  type StorageState,
} from './state.ts';

type Part<T, K extends keyof T> = Partial<T> & Pick<T, K>;

/** A unit that has just been installed: no relations, no configuration, follower, alone. */
export function baseState<W>(part: Part<State<W>, 'unit' | 'world'>): State<W> {
  return {
    model: { name: 'test-model', uuid: '11111111-2222-4333-8444-555555555555' },
    jujuVersion: '4.0.1',
    leader: false,
    plannedUnits: plannedBy(part),
    dyingUnits: [],
    config: {},
    relations: [],
    secrets: [],
    storages: [],
    openedPorts: [],
    controllerState: {},
    unitStatus: { level: 'unknown', message: '' },
    appStatus: { level: 'unknown', message: '' },
    address: '10.1.0.1',
    containers: {},
    ...part,
  };
}

/** A peer relation; `units` are the other units' databags. */
export function peerRelation(part: {
  readonly endpoint: string;
  readonly app: string;
  readonly id?: number;
  readonly localUnit?: DataBag;
  readonly localApp?: DataBag;
  readonly units?: Readonly<Record<string, DataBag>>;
}): RelationState {
  return {
    endpoint: part.endpoint,
    id: part.id ?? 0,
    remoteApp: part.app,
    localUnit: part.localUnit ?? {},
    localApp: part.localApp ?? {},
    remoteAppData: {},
    remoteUnits: part.units ?? {},
  };
}

/** A relation to another application with one unit, unless told otherwise. */
export function relation(
  part: Part<RelationState, 'endpoint' | 'id' | 'remoteApp'>,
): RelationState {
  return {
    localUnit: {},
    localApp: {},
    remoteAppData: {},
    remoteUnits: { [`${part.remoteApp}/0`]: {} },
    ...part,
  };
}

/** A secret; `content` is short for one revision, which an own secret's reader tracks. */
export function secret(
  part: Omit<Part<SecretState, 'owner'>, 'id'> & {
    readonly id?: string;
    readonly content?: DataBag;
  },
): SecretState {
  const { content, ...rest } = part;
  const revisions = part.revisions ?? [{ revision: 1, content: content ?? {} }];
  const tracked =
    part.tracked ?? (part.owner === 'foreign' ? undefined : revisions.at(-1)?.revision);
  return {
    id: idFor(part.label ?? part.description ?? JSON.stringify(revisions)),
    grants: [],
    ...rest,
    revisions,
    ...(tracked === undefined ? {} : { tracked }),
  };
}

export function storage(name: string, location: string, index = 0): StorageState {
  return { name, index, location };
}

// Secrets of a state need ids of Juju's form that stay the same from run to run.
function idFor(text: string): string {
  let hash = 7n;
  for (const char of text) hash = (hash * 131n + BigInt(char.codePointAt(0) ?? 0)) % 36n ** 15n;
  return `given${hash.toString(36).padStart(15, '0')}`;
}

function plannedBy(part: Partial<State<unknown>> & { readonly unit: string }): number {
  const app = appOf(part.unit);
  const others = (part.relations ?? []).flatMap((one) => Object.keys(one.remoteUnits));
  const all = new Set([part.unit, ...others.filter((unit) => appOf(unit) === app)]);
  return [...all].filter((unit) => part.dyingUnits?.includes(unit) !== true).length;
}
