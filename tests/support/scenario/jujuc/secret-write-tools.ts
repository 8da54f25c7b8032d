// secret-add, secret-set, secret-grant, secret-revoke, secret-remove. All of it waits for the end of
// the hook. A trap of Juju is kept: removing a revision drops the update and the grants that this
// hook made before.
// Source: Juju's hook tools and the hook context behind them.

import { present } from '../../../../lib/base/present.ts';
import type { HookToolCall } from '../../../../lib/juju/tools/port.ts';
import { appOf, type DataBag, latestOf } from '../state.ts';
import { type Arguments, ToolError, usageError } from './arguments.ts';
import {
  type OpenHook,
  type PendingSecret,
  requireRelation,
  Text,
  type Tool,
} from './open-hook.ts';
import {
  contentFrom,
  grantsOf,
  idFrom,
  managedSecrets,
  requireLeader,
  requireManager,
  storedSecret,
} from './secret-content.ts';

const upsertFlags = { text: ['expire', 'rotate', 'description', 'label', 'file', 'owner'] };
const rotatePolicies = ['never', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'];

export const secretWriteTools: Readonly<Record<string, Tool>> = {
  'secret-add': { flags: upsertFlags, run: addSecret },
  'secret-set': { flags: upsertFlags, run: setSecret },
  'secret-grant': { flags: { text: ['unit', 'r', 'relation'] }, run: grantSecret },
  'secret-revoke': {
    flags: { text: ['app', 'application', 'unit', 'r', 'relation'] },
    run: revokeSecret,
  },
  'secret-remove': { flags: { text: ['revision'] }, run: removeSecret },
};

function addSecret(hook: OpenHook, args: Arguments, call: HookToolCall): Text {
  const content = contentFrom(args.operands, call);
  if (content === undefined) throw usageError('missing secret value or filename');
  const written = metadataFrom(args);
  if (Object.keys(content).length === 0) throw new ToolError('empty secret value not valid');
  if (written.owner === 'application') requireLeader(hook);
  for (const other of hook.pending.creates.values()) {
    if (written.label !== undefined && other.label === written.label) {
      throw new ToolError(`secret with label ${JSON.stringify(written.label)} already exists`);
    }
  }
  hook.secretsMade += 1;
  const number = String(hook.secretsMade).padStart(10, '0');
  const id = `made${hook.runTag.padStart(6, '0')}${number}`;
  hook.pending.creates.set(id, { ...written, content, id });
  return new Text(`secret:${id}\n`);
}

function setSecret(hook: OpenHook, args: Arguments, call: HookToolCall): undefined {
  const [uri, ...pairs] = args.operands;
  const id = idFrom(uri);
  const { owner: _owner, ...metadata } = metadataFrom(args);
  const known = storedSecret(hook, id);
  requireManager(hook, known);
  const content = contentFrom(pairs, call) ?? {};
  const same = known !== undefined && sameBag(content, latestOf(known).content);
  const changed = Object.keys(content).length > 0 && !same;
  if (Object.keys(metadata).length === 0 && !changed) return;
  const change: PendingSecret = { ...metadata, id, ...(changed ? { content } : {}) };
  const { creates, updates, deletes } = hook.pending;
  deletes.delete(id);
  const created = creates.get(id);
  if (created === undefined) updates.set(id, { ...updates.get(id), ...change });
  else creates.set(id, { ...created, ...change });
}

function metadataFrom(args: Arguments): Omit<PendingSecret, 'id' | 'content'> {
  const owner = args.text('owner') ?? 'application';
  if (owner !== 'application' && owner !== 'unit') {
    throw usageError(`secret owner "${owner}" not valid`);
  }
  const rotate = args.text('rotate');
  if (rotate !== undefined && !rotatePolicies.includes(rotate)) {
    throw usageError(`rotate policy "${rotate}" not valid`);
  }
  const given = (flag: string): string | undefined => args.text(flag) || undefined;
  return {
    owner,
    ...present({
      rotate,
      label: given('label'),
      description: given('description'),
      expire: given('expire'),
    }),
  };
}

function grantSecret(hook: OpenHook, args: Arguments): undefined {
  const id = idFrom(args.operands[0]);
  const relation = requireRelation(hook, args);
  const unit = args.text('unit');
  if (unit !== undefined && appOf(unit) !== relation.remoteApp) {
    throw usageError(
      `cannot specify unit "${unit}" in relation to application "${relation.remoteApp}"`,
    );
  }
  const secret = managedSecrets(hook).find((one) => one.id === id);
  if (secret === undefined) throw new ToolError(`secret ${JSON.stringify(id)} not found`);
  requireManager(hook, secret);
  const granted = grantsOf(hook, secret).filter((one) => one.relation === relation.id);
  const target = unit ?? relation.remoteApp;
  if (granted.some((one) => one.target === target || !one.target.includes('/'))) return;
  if (unit === undefined && granted.length > 0) {
    throw new ToolError(
      'any unit level grants need to be revoked before granting access to the corresponding application',
    );
  }
  const grants = hook.pending.grants.get(id) ?? new Map<number, string>();
  hook.pending.grants.set(id, grants.set(relation.id, target));
}

function revokeSecret(hook: OpenHook, args: Arguments): undefined {
  const id = idFrom(args.operands[0]);
  const target = revokeTarget(hook, args);
  requireManager(hook, storedSecret(hook, id));
  const revokes = hook.pending.revokes.get(id) ?? new Set<string>();
  hook.pending.revokes.set(id, revokes.add(target));
}

function revokeTarget(hook: OpenHook, args: Arguments): string {
  const app = args.text('app') ?? args.text('application');
  const unit = args.text('unit');
  const named = args.text('r') ?? args.text('relation');
  if (app !== undefined) refuseBesideApp(unit, named);
  const related = named === undefined ? undefined : requireRelation(hook, args).remoteApp;
  const target = unit ?? app ?? related;
  if (target === undefined) throw usageError('missing relation or application or unit');
  return target;
}

function refuseBesideApp(unit: string | undefined, relation: string | undefined): void {
  if (unit !== undefined) throw usageError('specify only one of application or unit');
  if (relation !== undefined) throw usageError('do not specify both relation and app');
}

function removeSecret(hook: OpenHook, args: Arguments): undefined {
  const id = idFrom(args.operands[0]);
  requireManager(hook, storedSecret(hook, id));
  const { creates, updates, grants, revokes, trackLatest, deletes } = hook.pending;
  for (const map of [creates, updates, grants, revokes]) map.delete(id);
  trackLatest.delete(id);
  const revision = Number(args.text('revision') ?? 0);
  const before = deletes.get(id);
  if (revision === 0 || before === 'all') deletes.set(id, 'all');
  else deletes.set(id, new Set([...(before ?? []), revision]));
}

function sameBag(left: DataBag, right: DataBag): boolean {
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key]);
}
