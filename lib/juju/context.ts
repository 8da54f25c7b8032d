// From Juju's environment of a hook to the facts of the dispatch. Juju exports what does not apply
// as empty variables, so an empty one counts as absent. A hook that this file does not know is a
// lifecycle event: whether anybody handles it, the charm's table decides.

import { JujuError } from './error.ts';
import type { HookContext, JujuEvent, RelationChange } from './event.ts';
import { parseRelation } from './tools/relation.ts';

export type HookEnvironment = Readonly<Record<string, string | undefined>>;

/** Rejects an incomplete environment with all that is missing in one `JujuError`. */
export function parseContext(env: HookEnvironment): HookContext {
  const variables = readVariables(env);
  const unit = variables.required('JUJU_UNIT_NAME');
  const context: HookContext = {
    unit,
    app: unit.slice(0, Math.max(unit.lastIndexOf('/'), 0)),
    modelName: variables.required('JUJU_MODEL_NAME'),
    modelUuid: variables.required('JUJU_MODEL_UUID'),
    charmDir: variables.required('JUJU_CHARM_DIR'),
    jujuVersion: variables.required('JUJU_VERSION'),
    event: Object.freeze(parseEvent(variables)),
  };
  if (variables.missing.length > 0) {
    throw new JujuError(
      `cannot read the hook's environment: ${variables.missing.join(', ')} not set`,
      { code: 'incomplete-context', hint: 'Hooks are run by the unit agent.' },
    );
  }
  return Object.freeze(context);
}

interface Variables {
  readonly missing: readonly string[];
  optional(name: string): string | undefined;
  /** Notes a missing variable and goes on with an empty text. */
  required(name: string): string;
}

function readVariables(env: HookEnvironment): Variables {
  const missing: string[] = [];
  const optional = (name: string) => (env[name] === '' ? undefined : env[name]);
  return {
    missing,
    optional,
    required: (name) => {
      const value = optional(name);
      if (value === undefined) missing.push(name);
      return value ?? '';
    },
  };
}

function parseEvent(variables: Variables): JujuEvent {
  const action = variables.optional('JUJU_ACTION_NAME');
  if (action !== undefined) {
    return { kind: 'action', name: action, id: variables.required('JUJU_ACTION_UUID') };
  }
  const name = variables.required('JUJU_HOOK_NAME');
  for (const [pattern, parse] of kinds) {
    const match = pattern.exec(name);
    if (match !== null) return parse(variables, name, match[1] ?? '');
  }
  return { kind: 'lifecycle', name };
}

type ParseKind = (variables: Variables, name: string, change: string) => JujuEvent;

const kinds: readonly (readonly [RegExp, ParseKind])[] = [
  [/-relation-(created|joined|changed|departed|broken)$/, parseRelationEvent],
  [/-storage-(attached|detaching)$/, parseStorageEvent],
  [/^secret-(changed|rotate|expired|remove)$/, parseSecretEvent],
  [/-pebble-ready$/, parsePebbleReady],
  [/-pebble-custom-notice$/, parsePebbleNotice],
  [/-pebble-check-(failed|recovered)$/, parsePebbleCheck],
];

function parseRelationEvent(variables: Variables, name: string, change: string): JujuEvent {
  const text = variables.required('JUJU_RELATION_ID');
  return {
    kind: 'relation',
    name,
    change: relationChange(change),
    relation: parseRelation(text) ?? {
      endpoint: variables.required('JUJU_RELATION'),
      id: Number(text),
    },
    ...pick(variables, {
      remoteApp: 'JUJU_REMOTE_APP',
      remoteUnit: 'JUJU_REMOTE_UNIT',
      departingUnit: 'JUJU_DEPARTING_UNIT',
    }),
  };
}

function parseStorageEvent(variables: Variables, name: string, change: string): JujuEvent {
  const id = variables.required('JUJU_STORAGE_ID');
  const slash = id.lastIndexOf('/');
  return {
    kind: 'storage',
    name,
    change: change === 'detaching' ? 'detaching' : 'attached',
    storage: id.slice(0, Math.max(slash, 0)),
    index: Number(id.slice(slash + 1)),
    ...pick(variables, { location: 'JUJU_STORAGE_LOCATION' }),
  };
}

function parseSecretEvent(variables: Variables, name: string, change: string): JujuEvent {
  const revision = variables.optional('JUJU_SECRET_REVISION');
  return {
    kind: 'secret',
    name,
    change: secretChange(change),
    id: variables.required('JUJU_SECRET_ID'),
    ...pick(variables, { label: 'JUJU_SECRET_LABEL' }),
    ...(revision === undefined ? {} : { revision: Number(revision) }),
  };
}

function parsePebbleReady(variables: Variables, name: string): JujuEvent {
  return { kind: 'pebble-ready', name, container: variables.required('JUJU_WORKLOAD_NAME') };
}

function parsePebbleNotice(variables: Variables, name: string): JujuEvent {
  return {
    kind: 'pebble-notice',
    name,
    container: variables.required('JUJU_WORKLOAD_NAME'),
    noticeId: variables.required('JUJU_NOTICE_ID'),
    noticeKey: variables.required('JUJU_NOTICE_KEY'),
  };
}

function parsePebbleCheck(variables: Variables, name: string, change: string): JujuEvent {
  return {
    kind: 'pebble-check',
    name,
    change: change === 'failed' ? 'failed' : 'recovered',
    container: variables.required('JUJU_WORKLOAD_NAME'),
    check: variables.required('JUJU_PEBBLE_CHECK_NAME'),
  };
}

const relationChanges: readonly RelationChange[] = [
  'created',
  'joined',
  'changed',
  'departed',
  'broken',
];
const secretChanges = ['changed', 'rotate', 'expired', 'remove'] as const;

function relationChange(text: string): RelationChange {
  return relationChanges.find((each) => each === text) ?? 'changed';
}

function secretChange(text: string): (typeof secretChanges)[number] {
  return secretChanges.find((each) => each === text) ?? 'changed';
}

/** The variables that are set, under the names of the event's fields. */
function pick<K extends string>(
  variables: Variables,
  fields: Readonly<Record<K, string>>,
): { [P in K]?: string } {
  const picked: { [P in K]?: string } = {};
  for (const field in fields) {
    const value = variables.optional(fields[field]);
    if (value !== undefined) picked[field] = value;
  }
  return picked;
}
