// Refuses states and events that Juju cannot produce, so that a passing scenario describes something
// that can happen. Every check is one function that names what is wrong; all are reported at once.
// This file checks states, possible-events.ts checks events.

import type { CharmFiles, OptionType } from './charm-files.ts';
import type { Trigger } from './events.ts';
import { type Case, checkEvent, when } from './possible-events.ts';
import { appOf, type RelationState, type SecretState, type State } from './state.ts';

type Check = (given: Case) => readonly string[];

/** Throws when the state or the event is impossible, naming every reason. */
export function refuseImpossible<W>(files: CharmFiles, state: State<W>, trigger: Trigger): void {
  const problems = checks.flatMap((check) => check({ files, state, trigger }));
  if (problems.length > 0) throw new ImpossibleStateError(problems);
}

/** A state or event that Juju cannot produce; `problems` has one sentence for each reason. */
export class ImpossibleStateError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`Juju cannot produce this:\n  ${problems.join('\n  ')}`);
    this.name = 'ImpossibleStateError';
    this.problems = problems;
  }
}

const checks: readonly Check[] = [
  checkUnit,
  checkRelations,
  checkPeers,
  checkDataBags,
  checkConfig,
  checkContainers,
  checkStorages,
  checkSecrets,
  checkPorts,
  checkEvent,
];

const unitName = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*\/\d+$/;

function checkUnit({ state }: Case): readonly string[] {
  const app = appOf(state.unit);
  const others = state.relations
    .flatMap((one) => Object.keys(one.remoteUnits))
    .filter((unit) => appOf(unit) === app);
  const living = [...new Set([state.unit, ...others])].filter(
    (unit) => !state.dyingUnits.includes(unit),
  );
  return [
    ...when(!unitName.test(state.unit), `"${state.unit}" is no unit name`),
    ...when(
      state.plannedUnits < living.length,
      `${living.length} units are there and not dying, but only ${state.plannedUnits} planned`,
    ),
    ...state.dyingUnits
      .filter((unit) => appOf(unit) !== app)
      .map((unit) => `dying unit "${unit}" is of another application`),
  ];
}

function checkRelations({ files, state }: Case): readonly string[] {
  const ids = state.relations.map((one) => one.id);
  return [
    ...when(new Set(ids).size < ids.length, 'two relations have the same id'),
    ...state.relations.flatMap((relation) => {
      const declared = files.endpoints[relation.endpoint];
      if (declared === undefined)
        return [`relation endpoint "${relation.endpoint}" is not declared`];
      const limit = declared.role === 'peers' ? 1 : declared.limit;
      const same = state.relations.filter((one) => one.endpoint === relation.endpoint);
      return when(
        limit !== undefined && same.length > limit && same[0] === relation,
        `endpoint "${relation.endpoint}" has ${same.length} relations, at most ${limit} can be`,
      );
    }),
    ...state.relations.flatMap((relation) =>
      Object.keys(relation.remoteUnits)
        .filter((unit) => !unitName.test(unit) || appOf(unit) !== relation.remoteApp)
        .map((unit) => `"${unit}" is no unit of "${relation.remoteApp}" (relation ${relation.id})`),
    ),
  ];
}

function checkPeers({ files, state }: Case): readonly string[] {
  const app = appOf(state.unit);
  return state.relations
    .filter((one) => files.endpoints[one.endpoint]?.role === 'peers')
    .flatMap((one) => [
      ...when(
        one.remoteApp !== app,
        `peer relation "${one.endpoint}" is with "${one.remoteApp}", not with "${app}"`,
      ),
      ...when(
        state.unit in one.remoteUnits,
        `own unit "${state.unit}" is among its peers in "${one.endpoint}"`,
      ),
      ...when(
        Object.keys(one.remoteAppData).length > 0,
        `peer relation "${one.endpoint}" has remoteAppData; the application's databag is localApp`,
      ),
    ]);
}

function checkDataBags({ state }: Case): readonly string[] {
  return state.relations.flatMap((one) =>
    [one.localUnit, one.localApp, one.remoteAppData, ...Object.values(one.remoteUnits)].flatMap(
      (bag) =>
        Object.entries(bag)
          .filter(([, value]) => typeof value !== 'string' || value === '')
          .map(([key]) => `databag value "${key}" in "${one.endpoint}" is empty or no text`),
    ),
  );
}

function checkConfig({ files, state }: Case): readonly string[] {
  return Object.entries(state.config).flatMap(([name, value]) => {
    const option = files.options[name];
    if (option === undefined) return [`config option "${name}" is not declared`];
    return when(
      !fitsOption(option.type, value),
      `config option "${name}" is of type ${option.type}, not ${JSON.stringify(value)}`,
    );
  });
}

function fitsOption(type: OptionType, value: unknown): boolean {
  switch (type) {
    case 'string':
      return typeof value === 'string';
    case 'int':
      return Number.isSafeInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'secret':
      return typeof value === 'string' && /^secret:[0-9a-z]{20}$/.test(value);
  }
}

function checkContainers({ files, state }: Case): readonly string[] {
  return Object.keys(state.containers)
    .filter((name) => !files.containers.includes(name))
    .map((name) => `container "${name}" is not declared`);
}

function checkStorages({ files, state }: Case): readonly string[] {
  return state.storages.flatMap((one, index) => {
    const declared = files.storages[one.name];
    if (declared === undefined) return [`storage "${one.name}" is not declared`];
    const before = state.storages.slice(0, index);
    return [
      ...when(
        before.some(
          (other) => other.name === one.name && (!declared.multiple || other.index === one.index),
        ),
        `storage "${one.name}" is there twice`,
      ),
    ];
  });
}

function checkSecrets({ state }: Case): readonly string[] {
  const { secrets, relations } = state;
  const ids = secrets.map((one) => one.id);
  const labels = secrets.flatMap((one) =>
    one.label === undefined ? [] : [`${one.owner} ${one.label}`],
  );
  return [
    ...when(new Set(ids).size < ids.length, 'two secrets have the same id'),
    ...when(new Set(labels).size < labels.length, 'two secrets of one owner have the same label'),
    ...secrets.flatMap((one) =>
      checkSecret(one, relations).map((what) => `secret "${one.label ?? one.id}" ${what}`),
    ),
  ];
}

function checkSecret(secret: SecretState, relations: readonly RelationState[]): readonly string[] {
  const numbers = secret.revisions.map((one) => one.revision);
  const rising = numbers.every((revision, index) => revision > (numbers[index - 1] ?? 0));
  const contents = secret.revisions.map((one) => Object.keys(one.content));
  return [
    ...when(!/^[0-9a-z]{20}$/.test(secret.id), 'has an id that is not 20 letters and digits'),
    ...when(numbers.length === 0 || !rising, 'needs revisions in rising order'),
    ...when(
      contents.some((keys) => keys.length === 0),
      'has no content',
    ),
    ...contents
      .flat()
      .flatMap((key) =>
        when(!/^[a-z](?:-?[a-z0-9]){2,}$/.test(key), `has a key "${key}" that Juju does not allow`),
      ),
    ...when(
      (secret.tracked ?? 0) > Math.max(...numbers),
      'is tracked at a revision that does not exist',
    ),
    ...when(
      secret.owner === 'foreign' && secret.grants.length > 0,
      'is foreign: its grants are not to be seen',
    ),
    ...when(
      secret.owner !== 'foreign' && secret.denied === true,
      'is an own one: it cannot be denied',
    ),
    ...secret.grants
      .filter((grant) => !relations.some((one) => one.id === grant.relation))
      .map((grant) => `is granted over relation ${grant.relation}, which does not exist`),
  ];
}

function checkPorts({ state }: Case): readonly string[] {
  return state.openedPorts
    .filter((port) => !/^\d+\/(?:tcp|udp)$/.test(port))
    .map((port) => `"${port}" is no port of the form 5432/tcp`);
}
