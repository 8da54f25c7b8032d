// Which events Juju can send to a unit in a given state; see consistency.ts.

import type { JujuEvent, RelationEvent } from '../../../lib/juju/event.ts';
import type { CharmFiles } from './charm-files.ts';
import type { Trigger } from './events.ts';
import type { RelationState, SecretState, State } from './state.ts';

export interface Case {
  readonly files: CharmFiles;
  readonly state: Omit<State<unknown>, 'world'>;
  readonly trigger: Trigger;
}

/** The problem when something is wrong. */
export function when(wrong: boolean, problem: string): readonly string[] {
  return wrong ? [problem] : [];
}

export function checkEvent({ files, state, trigger }: Case): readonly string[] {
  const { event } = trigger;
  switch (event.kind) {
    case 'lifecycle':
      return when(
        event.name === 'leader-elected' && !state.leader,
        'leader-elected comes to the leader only',
      );
    case 'relation':
      return checkRelationEvent(files, state, event);
    case 'storage':
      return when(
        !state.storages.some((one) => one.name === event.storage && one.index === event.index),
        `storage "${event.storage}/${event.index}" of the event is not in the state`,
      );
    case 'secret':
      return checkSecretEvent(state, event);
    case 'pebble-ready':
    case 'pebble-notice':
    case 'pebble-check':
      return checkPebbleEvent(files, state, event.container);
    case 'action':
      return checkAction(files, event.name, trigger.params);
  }
}

interface RelationCase {
  readonly event: RelationEvent;
  readonly relation: RelationState;
  readonly isPeer: boolean;
  /** Remote units in the relation. */
  readonly units: readonly string[];
  /** Own unit. */
  readonly unit: string;
}

interface RelationRule {
  readonly isBroken: (given: RelationCase) => boolean;
  readonly problem: string;
}

const relationRules: readonly RelationRule[] = [
  {
    isBroken: ({ event, relation }) => event.remoteApp !== relation.remoteApp,
    problem: 'the event names another application than the relation',
  },
  {
    isBroken: ({ event, units }) =>
      event.remoteUnit !== undefined && !units.includes(event.remoteUnit),
    problem: 'the unit of the event is not in the relation',
  },
  {
    isBroken: ({ event }) =>
      ['joined', 'departed'].includes(event.change) && event.remoteUnit === undefined,
    problem: 'relation-joined and relation-departed name a unit',
  },
  {
    isBroken: ({ event, relation, isPeer }) =>
      isOfApplication(event) && !isPeer && Object.keys(relation.remoteAppData).length === 0,
    problem: 'relation-changed of an application whose databag was never written',
  },
  {
    isBroken: ({ event, isPeer, units }) => isOfApplication(event) && isPeer && units.length === 0,
    problem: 'relation-changed of a peer relation without other units',
  },
  {
    isBroken: ({ event, isPeer }) => event.change === 'broken' && isPeer,
    problem: 'a peer relation never breaks',
  },
  {
    isBroken: ({ event, units }) => event.change === 'broken' && units.length > 0,
    problem: 'a relation breaks after its units have departed',
  },
  {
    isBroken: ({ event, unit }) =>
      event.change === 'departed' &&
      event.departingUnit !== event.remoteUnit &&
      event.departingUnit !== unit,
    problem: 'only the remote or the own unit departs',
  },
];

function isOfApplication({ change, remoteUnit }: RelationEvent): boolean {
  return change === 'changed' && remoteUnit === undefined;
}

function checkRelationEvent(
  files: CharmFiles,
  state: Case['state'],
  event: RelationEvent,
): readonly string[] {
  const { endpoint, id } = event.relation;
  const relation = state.relations.find((one) => one.id === id && one.endpoint === endpoint);
  if (relation === undefined) {
    return [`relation ${endpoint}:${id} of the event is not in the state`];
  }
  const isPeer = files.endpoints[endpoint]?.role === 'peers';
  const units = Object.keys(relation.remoteUnits);
  const given = { event, relation, isPeer, units, unit: state.unit };
  return relationRules.filter(({ isBroken }) => isBroken(given)).map(({ problem }) => problem);
}

function checkPebbleEvent(
  files: CharmFiles,
  state: Case['state'],
  container: string,
): readonly string[] {
  return [
    ...when(!files.containers.includes(container), `container "${container}" is not declared`),
    ...when(
      state.containers[container]?.canConnect !== true,
      `Pebble of "${container}" sends an event, but does not answer in the state`,
    ),
  ];
}

type SecretEvent = Extract<JujuEvent, { readonly kind: 'secret' }>;

function checkSecretEvent(state: Case['state'], event: SecretEvent): readonly string[] {
  const secret = state.secrets.find((one) => `secret:${one.id}` === event.id);
  if (secret === undefined) return [`secret "${event.id}" of the event is not in the state`];
  const withRevision = event.change === 'expired' || event.change === 'remove';
  return [
    ...(event.change === 'changed'
      ? when(secret.owner !== 'foreign', 'secret-changed goes to readers, not to the owner')
      : checkOwnerEvent(state, event, secret)),
    ...when(
      withRevision !== (event.revision !== undefined),
      `secret-${event.change} ${withRevision ? 'names a' : 'has no'} revision`,
    ),
  ];
}

function checkOwnerEvent(
  state: Case['state'],
  event: SecretEvent,
  secret: SecretState,
): readonly string[] {
  return [
    ...when(secret.owner === 'foreign', `secret-${event.change} goes to the owner of a secret`),
    ...when(
      secret.owner === 'application' && !state.leader,
      `secret-${event.change} of an application's secret goes to the leader`,
    ),
  ];
}

function checkAction(
  files: CharmFiles,
  name: string,
  params: Readonly<Record<string, unknown>>,
): readonly string[] {
  const declared = files.actions[name];
  if (declared === undefined) return [`action "${name}" is not declared`];
  return [
    ...declared.required
      .filter((param) => params[param] === undefined)
      .map((param) => `action "${name}" needs parameter "${param}"`),
    ...Object.entries(params).flatMap(([param, value]) => {
      const known = declared.params[param];
      if (known === undefined) return [`action "${name}" has no parameter "${param}"`];
      return when(
        !fitsParameter(known.type, value),
        `parameter "${param}" of "${name}" is of type ${known.type}, not ${JSON.stringify(value)}`,
      );
    }),
  ];
}

function fitsParameter(type: string | undefined, value: unknown): boolean {
  if (type === 'integer') return Number.isSafeInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
  return type === undefined || typeof value === type;
}
