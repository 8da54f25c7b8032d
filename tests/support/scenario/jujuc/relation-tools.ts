// relation-ids, relation-list, relation-get, relation-set, relation-model-get. A relation that is
// being broken is not listed, nor is the unit of a departed event; both databags stay readable.
// Source: Juju's hook tools and the hook context behind them.

import { parse } from 'yaml';

import type { HookToolCall } from '../../../../lib/juju/tools/port.ts';
import { appOf, type DataBag, type RelationState } from '../state.ts';
import { type Arguments, expectAtMost, parsePairs, ToolError, usageError } from './arguments.ts';
import { type OpenHook, requireRelation, type Tool } from './open-hook.ts';

const relationFlags = ['r', 'relation', 'format'];

export const relationTools: Readonly<Record<string, Tool>> = {
  'relation-ids': {
    flags: { text: ['format'] },
    run: (hook, args) => {
      const { event } = hook.trigger;
      const endpoint =
        args.operands[0] ?? (event.kind === 'relation' ? event.relation.endpoint : undefined);
      if (endpoint === undefined) throw usageError('no endpoint name specified');
      return hook.state.relations
        .filter((one) => one.endpoint === endpoint && !isBroken(hook, one))
        .map((one) => `${one.endpoint}:${one.id}`)
        .sort();
    },
  },
  'relation-list': {
    flags: { text: relationFlags, boolean: ['app'] },
    run: (hook, args) => {
      const relation = requireRelation(hook, args);
      if (args.flag('app')) return relation.remoteApp;
      return Object.keys(relation.remoteUnits)
        .filter((unit) => !hasDeparted(hook, relation, unit))
        .sort();
    },
  },
  'relation-get': {
    flags: { text: relationFlags, boolean: ['app'] },
    run: (hook, args) => {
      const relation = requireRelation(hook, args);
      const [key = '-', ...rest] = args.operands;
      const bag = readBag(hook, relation, ownerFrom(hook, args, rest));
      return key === '-' || key === '' ? bag : (bag[key] ?? null);
    },
  },
  'relation-set': {
    flags: { text: [...relationFlags, 'file'], boolean: ['app'] },
    run: setRelation,
  },
  'relation-model-get': {
    flags: { text: relationFlags },
    run: (hook, args) => {
      requireRelation(hook, args);
      return { uuid: hook.state.model.uuid };
    },
  },
};

function setRelation(hook: OpenHook, args: Arguments, call: HookToolCall): undefined {
  const relation = requireRelation(hook, args);
  const changes = new Map([...readPairsFile(args, call), ...parsePairs(args.operands)]);
  if (args.flag('app') && !hook.state.leader) throw new ToolError('cannot write relation settings');
  const bags = args.flag('app') ? hook.pending.appBags : hook.pending.unitBags;
  const owner = args.flag('app') ? appOf(hook.state.unit) : hook.state.unit;
  const bag: Record<string, string> = {
    ...readBag(hook, relation, { owner, app: args.flag('app') }),
  };
  for (const [key, value] of changes) {
    if (value === '') delete bag[key];
    else bag[key] = value;
  }
  bags.set(relation.id, bag);
}

/** The mapping in `--file`: `-` stands for standard input, anything else for the private file. */
export function readPairsFile(args: Arguments, call: HookToolCall): ReadonlyMap<string, string> {
  const text = args.text('file') === '-' ? call.stdin : call.privateFile;
  if (text === undefined) {
    if (args.text('file') !== undefined)
      throw new ToolError(`open ${args.text('file')}: no such file or directory`);
    return new Map();
  }
  // The failsafe schema takes every scalar as text, as Juju's decoding into texts does.
  const parsed: unknown = parse(text, { schema: 'failsafe' });
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ToolError('yaml: cannot decode the file into a mapping of texts');
  }
  return new Map(Object.entries(parsed).map(([key, value]) => [key, textOf(key, value)]));
}

function textOf(key: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new ToolError(`yaml: cannot decode the value of ${JSON.stringify(key)} into a text`);
}

interface BagOwner {
  readonly owner: string;
  readonly app: boolean;
}

function ownerFrom(hook: OpenHook, args: Arguments, operands: readonly string[]): BagOwner {
  expectAtMost(operands, 1);
  const [named] = operands;
  if (named !== undefined) return namedOwner(named, args.flag('app'));
  const { event } = hook.trigger;
  if (event.kind === 'relation') {
    if (!args.flag('app') && event.remoteUnit !== undefined)
      return { owner: event.remoteUnit, app: false };
    if (event.remoteApp !== undefined) return { owner: event.remoteApp, app: true };
  }
  throw usageError('no unit or application specified');
}

function namedOwner(named: string, app: boolean): BagOwner {
  const isUnit = /^[a-z][a-z0-9-]*\/\d+$/.test(named);
  if (app) return { owner: isUnit ? appOf(named) : named, app };
  if (isUnit) return { owner: named, app };
  if (!/^[a-z][a-z0-9-]*$/.test(named))
    throw usageError(`invalid unit name ${JSON.stringify(named)}`);
  throw usageError(`expected unit name, got application name ${JSON.stringify(named)}`);
}

function readBag(hook: OpenHook, relation: RelationState, of: BagOwner): DataBag {
  return of.app ? readAppBag(hook, relation, of.owner) : readUnitBag(hook, relation, of.owner);
}

function readUnitBag(hook: OpenHook, relation: RelationState, owner: string): DataBag {
  if (owner === hook.state.unit) {
    return hook.pending.unitBags.get(relation.id) ?? relation.localUnit;
  }
  const bag = relation.remoteUnits[owner];
  if (bag === undefined) throw new ToolError('relation unit not found');
  return bag;
}

function readAppBag(hook: OpenHook, relation: RelationState, owner: string): DataBag {
  const { state, pending, files } = hook;
  if (owner === appOf(state.unit)) {
    const isPeer = files.endpoints[relation.endpoint]?.role === 'peers';
    // Juju 4 would show it; older ones that we support refuse, so a charm must not rely on it.
    if (!state.leader && !isPeer) throw new ToolError('permission denied');
    return pending.appBags.get(relation.id) ?? relation.localApp;
  }
  if (owner === relation.remoteApp) return relation.remoteAppData;
  throw new ToolError(`application ${JSON.stringify(owner)} not found`);
}

function isBroken(hook: OpenHook, relation: RelationState): boolean {
  const { event } = hook.trigger;
  return (
    event.kind === 'relation' && event.change === 'broken' && event.relation.id === relation.id
  );
}

function hasDeparted(hook: OpenHook, relation: RelationState, unit: string): boolean {
  const { event } = hook.trigger;
  if (event.kind !== 'relation' || event.change !== 'departed') return false;
  return event.relation.id === relation.id && event.remoteUnit === unit;
}
