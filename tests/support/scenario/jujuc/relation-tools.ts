// relation-ids, relation-list, relation-get, relation-set, relation-model-get. A relation that is
// being broken is not listed, nor is the unit of a departed event; both databags stay readable.
// Source: Juju's hook tools and the hook context behind them.

import { parse } from 'yaml';

import type { HookToolCall } from '../../../../lib/juju/tools/port.ts';
import { appOf, type DataBag, type RelationState } from '../state.ts';
import { type Arguments, expectAtMost, parsePairs, ToolError, usageError } from './arguments.ts';
import { requireRelation, type Session, type Tool } from './session.ts';

const relationFlags = ['r', 'relation', 'format'];

export const relationTools: Readonly<Record<string, Tool>> = {
  'relation-ids': {
    flags: { text: ['format'] },
    run: (session, args) => {
      const { event } = session.trigger;
      const endpoint =
        args.operands[0] ?? (event.kind === 'relation' ? event.relation.endpoint : undefined);
      if (endpoint === undefined) throw usageError('no endpoint name specified');
      return session.state.relations
        .filter((one) => one.endpoint === endpoint && !isBroken(session, one))
        .map((one) => `${one.endpoint}:${one.id}`)
        .sort();
    },
  },
  'relation-list': {
    flags: { text: relationFlags, boolean: ['app'] },
    run: (session, args) => {
      const relation = requireRelation(session, args);
      if (args.flag('app')) return relation.remoteApp;
      return Object.keys(relation.remoteUnits)
        .filter((unit) => !hasDeparted(session, relation, unit))
        .sort();
    },
  },
  'relation-get': {
    flags: { text: relationFlags, boolean: ['app'] },
    run: (session, args) => {
      const relation = requireRelation(session, args);
      const [key = '-', ...rest] = args.operands;
      const bag = readBag(session, relation, ownerFrom(session, args, rest));
      return key === '-' || key === '' ? bag : (bag[key] ?? null);
    },
  },
  'relation-set': {
    flags: { text: [...relationFlags, 'file'], boolean: ['app'] },
    run: setRelation,
  },
  'relation-model-get': {
    flags: { text: relationFlags },
    run: (session, args) => {
      requireRelation(session, args);
      return { uuid: session.state.model.uuid };
    },
  },
};

function setRelation(session: Session, args: Arguments, call: HookToolCall): undefined {
  const relation = requireRelation(session, args);
  const changes = new Map([...readPairsFile(args, call), ...parsePairs(args.operands)]);
  if (args.flag('app') && !session.state.leader)
    throw new ToolError('cannot write relation settings');
  const bags = args.flag('app') ? session.pending.appBags : session.pending.unitBags;
  const owner = args.flag('app') ? appOf(session.state.unit) : session.state.unit;
  const bag: Record<string, string> = {
    ...readBag(session, relation, { owner, app: args.flag('app') }),
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

function ownerFrom(session: Session, args: Arguments, operands: readonly string[]): BagOwner {
  expectAtMost(operands, 1);
  const [named] = operands;
  if (named !== undefined) return namedOwner(named, args.flag('app'));
  const { event } = session.trigger;
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

function readBag(session: Session, relation: RelationState, of: BagOwner): DataBag {
  const bag = of.app
    ? readAppBag(session, relation, of.owner)
    : readUnitBag(session, relation, of.owner);
  if (bag === undefined) throw new ToolError('permission denied');
  return bag;
}

function readUnitBag(
  session: Session,
  relation: RelationState,
  owner: string,
): DataBag | undefined {
  if (owner !== session.state.unit) return relation.remoteUnits[owner];
  return session.pending.unitBags.get(relation.id) ?? relation.localUnit;
}

function readAppBag(session: Session, relation: RelationState, owner: string): DataBag | undefined {
  const { state, pending, files } = session;
  if (owner !== appOf(state.unit)) {
    return owner === relation.remoteApp ? relation.remoteAppData : undefined;
  }
  const isPeer = files.endpoints[relation.endpoint]?.role === 'peers';
  if (!state.leader && !isPeer) return undefined;
  return pending.appBags.get(relation.id) ?? relation.localApp;
}

function isBroken(session: Session, relation: RelationState): boolean {
  const { event } = session.trigger;
  return (
    event.kind === 'relation' && event.change === 'broken' && event.relation.id === relation.id
  );
}

function hasDeparted(session: Session, relation: RelationState, unit: string): boolean {
  const { event } = session.trigger;
  if (event.kind !== 'relation' || event.change !== 'departed') return false;
  return event.relation.id === relation.id && event.remoteUnit === unit;
}
