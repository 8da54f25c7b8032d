// secret-add, secret-set, secret-get, secret-info-get, secret-ids, secret-grant, secret-revoke,
// secret-remove. Writes wait for the end of the hook; which revision a reader tracks, and the label
// that it gives, take effect at once. Two traps of Juju are kept: an own secret that was updated in
// this hook reads old until `--refresh` or `--peek`, and removing a revision drops the update and
// the grants that this hook made before.
// Source: Juju's hook tools, the hook context behind them, and its secret service.

import { parse } from 'yaml';

import type { HookToolCall } from '../../../../lib/juju/tools/port.ts';
import { appOf, type DataBag, latestOf, type SecretState } from '../state.ts';
import { type Arguments, ToolError, usageError } from './arguments.ts';
import { type PendingSecret, requireRelation, type Session, Text, type Tool } from './session.ts';

const upsertFlags = { text: ['expire', 'rotate', 'description', 'label', 'file', 'owner'] };
const rotatePolicies = ['never', 'hourly', 'daily', 'weekly', 'monthly', 'quarterly', 'yearly'];
const maxContentBytes = 1_000_000;

export const secretTools: Readonly<Record<string, Tool>> = {
  'secret-add': { flags: upsertFlags, run: addSecret },
  'secret-set': { flags: upsertFlags, run: setSecret },
  'secret-get': { flags: { text: ['label', 'format'], boolean: ['peek', 'refresh'] }, run: getSecret },
  'secret-info-get': { flags: { text: ['label', 'format'] }, run: getInfo },
  'secret-ids': { flags: { text: ['format'] }, run: (session) => managed(session).map((one) => one.id) },
  'secret-grant': { flags: { text: ['unit', 'r', 'relation'] }, run: grantSecret },
  'secret-revoke': {
    flags: { text: ['app', 'application', 'unit', 'r', 'relation'] },
    run: revokeSecret,
  },
  'secret-remove': { flags: { text: ['revision'] }, run: removeSecret },
};

function addSecret(session: Session, args: Arguments, call: HookToolCall): Text {
  const content = contentFrom(args.operands, call);
  if (content === undefined) throw usageError('missing secret value or filename');
  const written = upsertFrom(args, content);
  if (Object.keys(content).length === 0) throw new ToolError('empty secret value not valid');
  if (written.owner === 'application') requireLeader(session);
  for (const other of session.pending.creates.values()) {
    if (written.label !== undefined && other.label === written.label) {
      throw new ToolError(`secret with label ${JSON.stringify(written.label)} already exists`);
    }
  }
  session.secretsMade += 1;
  const id = `made${session.runTag.padStart(6, '0')}${String(session.secretsMade).padStart(10, '0')}`;
  session.pending.creates.set(id, { ...written, id });
  return new Text(`secret:${id}\n`);
}

function setSecret(session: Session, args: Arguments, call: HookToolCall): undefined {
  const [uri, ...pairs] = args.operands;
  const id = idFrom(uri);
  const { owner: _owner, ...written } = upsertFrom(args, contentFrom(pairs, call) ?? {});
  const known = session.state.secrets.find((one) => one.id === id);
  if (known?.owner === 'application') requireLeader(session);
  const { creates, updates, deletes } = session.pending;
  const { content, ...metadata } = written;
  const unchanged = known !== undefined && sameBag(content ?? {}, latestOf(known).content);
  const change: PendingSecret = {
    ...metadata,
    id,
    ...(content === undefined || Object.keys(content).length === 0 || unchanged ? {} : { content }),
  };
  if (Object.keys(change).length === 1) return;
  deletes.delete(id);
  const created = creates.get(id);
  if (created !== undefined) creates.set(id, { ...created, ...change });
  else updates.set(id, { ...updates.get(id), ...change });
}

function getSecret(session: Session, args: Arguments): unknown {
  const [uri, key] = args.operands;
  const label = args.text('label');
  if (uri === undefined && label === undefined) throw usageError('require either a secret URI or label');
  const peek = args.flag('peek');
  const refresh = args.flag('refresh');
  if (peek && refresh) throw usageError('specify one of --peek or --refresh but not both');
  const id = uri === undefined ? idByLabel(session, label ?? '') : idFrom(uri);
  const content =
    pendingContent(session, id, { peek, refresh }) ??
    storedContent(session, id, { peek, refresh, ...(uri === undefined || label === undefined ? {} : { label }) });
  return key === undefined ? content : valueOf(content, key);
}

function valueOf(content: DataBag, written: string): string {
  const key = written.replace(/#base64$/, '');
  const value = content[key];
  if (value === undefined) throw new ToolError(`secret key value ${JSON.stringify(key)} not found`);
  return key === written ? value : Buffer.from(value).toString('base64');
}

interface Reading {
  readonly peek: boolean;
  readonly refresh: boolean;
  readonly label?: string;
}

function pendingContent(session: Session, id: string, { peek, refresh }: Reading): DataBag | undefined {
  const created = session.pending.creates.get(id);
  if (created !== undefined) return created.content;
  const updated = session.pending.updates.get(id);
  if (updated?.content === undefined || !(peek || refresh)) return undefined;
  if (refresh) session.pending.trackLatest.add(id);
  return updated.content;
}

function storedContent(session: Session, id: string, { peek, refresh, label }: Reading): DataBag {
  const secret = session.state.secrets.find((one) => one.id === id);
  if (secret === undefined) throw new ToolError(`secret ${JSON.stringify(id)} not found`);
  if (secret.denied === true) throw new ToolError('permission denied');
  const latest = latestOf(secret).revision;
  const wanted = peek || refresh ? latest : (secret.tracked ?? latest);
  const tracked = refresh || secret.tracked === undefined ? latest : secret.tracked;
  const ownsLabel = secret.owner === 'foreign' || secret.owner === 'unit' || session.state.leader;
  replaceSecret(session, {
    ...secret,
    tracked,
    ...(label === undefined || !ownsLabel ? {} : { label }),
  });
  const found = secret.revisions.find((one) => one.revision === wanted);
  if (found === undefined) throw new ToolError(`secret revision ${id}/${wanted} not found`);
  return found.content;
}

function idByLabel(session: Session, label: string): string {
  const own = managed(session).find((one) => one.label === label);
  if (own !== undefined) return own.id;
  const known = session.state.secrets.find((one) => one.label === label);
  if (known !== undefined) return known.id;
  throw new ToolError(`secret URI for consumer label ${JSON.stringify(label)} not found`);
}

function getInfo(session: Session, args: Arguments): unknown {
  const label = args.text('label');
  const [uri] = args.operands;
  if (uri === undefined && label === undefined) throw usageError('require either a secret URI or label');
  if (uri !== undefined && label !== undefined) {
    throw usageError('specify either a secret URI or label but not both');
  }
  const wanted = uri === undefined ? label : idFrom(uri);
  const found = managed(session).find((one) => (uri === undefined ? one.label : one.id) === wanted);
  if (found === undefined) throw new ToolError(`secret ${JSON.stringify(wanted)} not found`);
  const access = grantsOf(session, found).map(({ relation, target }) => ({
    target: `${target.includes('/') ? 'unit' : 'application'}-${target.replace('/', '-')}`,
    scope: `relation-${relation}`,
    role: 'view',
  }));
  return {
    [found.id]: {
      revision: latestOf(found).revision,
      label: found.label ?? '',
      owner: found.owner,
      ...(found.description === undefined ? {} : { description: found.description }),
      ...(found.rotate === undefined ? {} : { rotation: found.rotate }),
      ...(found.expire === undefined ? {} : { expiry: found.expire }),
      ...(access.length === 0 ? {} : { access }),
    },
  };
}

function grantSecret(session: Session, args: Arguments): undefined {
  const id = idFrom(args.operands[0]);
  const relation = requireRelation(session, args);
  const unit = args.text('unit');
  if (unit !== undefined && appOf(unit) !== relation.remoteApp) {
    throw usageError(`cannot specify unit "${unit}" in relation to application "${relation.remoteApp}"`);
  }
  const secret = managed(session).find((one) => one.id === id);
  if (secret === undefined) throw new ToolError(`secret ${JSON.stringify(id)} not found`);
  if (secret.owner === 'application') requireLeader(session);
  const granted = grantsOf(session, secret).filter((one) => one.relation === relation.id);
  const target = unit ?? relation.remoteApp;
  if (granted.some((one) => one.target === target || !one.target.includes('/'))) return;
  if (unit === undefined && granted.length > 0) {
    throw new ToolError(
      'any unit level grants need to be revoked before granting access to the corresponding application',
    );
  }
  const grants = session.pending.grants.get(id) ?? new Map<number, string>();
  session.pending.grants.set(id, grants.set(relation.id, target));
}

function revokeSecret(session: Session, args: Arguments): undefined {
  const id = idFrom(args.operands[0]);
  const app = args.text('app') ?? args.text('application');
  const named = args.text('r') ?? args.text('relation');
  if (named !== undefined && app !== undefined) throw usageError('do not specify both relation and app');
  const relation = named === undefined ? undefined : requireRelation(session, args);
  const target = args.text('unit') ?? app ?? relation?.remoteApp;
  if (target === undefined) throw usageError('missing relation or application or unit');
  const known = session.state.secrets.find((one) => one.id === id);
  if (known?.owner === 'application') requireLeader(session);
  const revokes = session.pending.revokes.get(id) ?? new Set<string>();
  session.pending.revokes.set(id, revokes.add(target));
}

function removeSecret(session: Session, args: Arguments): undefined {
  const id = idFrom(args.operands[0]);
  const known = session.state.secrets.find((one) => one.id === id);
  if (known?.owner === 'application') requireLeader(session);
  const { creates, updates, grants, revokes, trackLatest, deletes } = session.pending;
  for (const map of [creates, updates, grants, revokes]) map.delete(id);
  trackLatest.delete(id);
  const revision = Number(args.text('revision') ?? 0);
  const before = deletes.get(id);
  if (revision === 0 || before === 'all') deletes.set(id, 'all');
  else deletes.set(id, new Set([...(before ?? []), revision]));
}

/** Secrets that this unit may manage, with the pending writes: what secret-info-get sees. */
function managed(session: Session): readonly SecretState[] {
  const { creates, updates, deletes } = session.pending;
  const stored = session.state.secrets
    .filter((one) => one.owner === 'unit' || (one.owner === 'application' && session.state.leader))
    .filter((one) => !deletes.has(one.id))
    .map((one) => {
      const { content: _content, owner: _owner, ...metadata } = updates.get(one.id) ?? { id: one.id };
      return { ...one, ...metadata };
    });
  const made = [...creates.values()].map((one): SecretState => {
    const { content = {}, owner = 'application', ...metadata } = one;
    return { ...metadata, owner, revisions: [{ revision: 1, content }], grants: [] };
  });
  return [...stored, ...made];
}

function grantsOf(session: Session, secret: SecretState): SecretState['grants'] {
  const pending = [...(session.pending.grants.get(secret.id) ?? [])];
  const revoked = session.pending.revokes.get(secret.id);
  return [...secret.grants, ...pending.map(([relation, target]) => ({ relation, target }))].filter(
    (one) => revoked?.has(one.target) !== true,
  );
}

function upsertFrom(args: Arguments, content: DataBag): Omit<PendingSecret, 'id'> {
  const owner = args.text('owner') ?? 'application';
  if (owner !== 'application' && owner !== 'unit') throw usageError(`secret owner "${owner}" not valid`);
  const rotate = args.text('rotate');
  if (rotate !== undefined && !rotatePolicies.includes(rotate)) {
    throw usageError(`rotate policy "${rotate}" not valid`);
  }
  const label = args.text('label');
  const description = args.text('description');
  const expire = args.text('expire');
  return {
    owner,
    content,
    ...(rotate === undefined ? {} : { rotate }),
    ...(label === undefined || label === '' ? {} : { label }),
    ...(description === undefined || description === '' ? {} : { description }),
    ...(expire === undefined ? {} : { expire }),
  };
}

function contentFrom(pairs: readonly string[], call: HookToolCall): DataBag | undefined {
  if (pairs.length === 0 && call.privateFile === undefined) return undefined;
  const content: Record<string, string> = {};
  for (const pair of pairs) {
    const at = pair.replace(/=+$/, '').indexOf('=');
    if (at < 1) throw usageError(`key value ${JSON.stringify(pair)} not valid`);
    if (pair.slice(0, at).endsWith('#file')) {
      throw new Error('the scenario kit has no files: give secret content as `privateFile`');
    }
    addValue(content, pair.slice(0, at), pair.slice(at + 1));
  }
  const file: unknown = call.privateFile === undefined ? {} : parse(call.privateFile, { schema: 'failsafe' });
  if (typeof file !== 'object' || file === null) throw usageError('cannot decode the secret file');
  for (const [key, value] of Object.entries(file)) addValue(content, key, String(value));
  const size = Object.values(content).reduce((sum, value) => sum + Math.ceil(Buffer.byteLength(value) / 3) * 4, 0);
  if (size > maxContentBytes) throw usageError(`base64 encoded secret content too large: ${size} bytes`);
  return content;
}

function addValue(content: Record<string, string>, written: string, value: string): void {
  const key = written.replace(/#base64$/, '');
  if (!/^[a-z](?:-?[a-z0-9]){2,}$/.test(key)) throw usageError(`key ${JSON.stringify(key)} not valid`);
  content[key] = key === written ? value : Buffer.from(value, 'base64').toString('utf8');
}

function idFrom(uri: string | undefined): string {
  if (uri === undefined) throw usageError('missing secret URI');
  const id = /^(?:secret:)?(?:\/\/[0-9a-f-]+\/)?([0-9a-z]{20})$/.exec(uri)?.[1];
  if (id === undefined) throw usageError(`secret URI ${JSON.stringify(uri)} not valid`);
  return id;
}

function requireLeader(session: Session): void {
  if (!session.state.leader) throw new ToolError('this unit is not the leader');
}

function replaceSecret(session: Session, changed: SecretState): void {
  const secrets = session.state.secrets.map((old) => (old.id === changed.id ? changed : old));
  session.state = { ...session.state, secrets };
}

function sameBag(left: DataBag, right: DataBag): boolean {
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => left[key] === right[key]);
}
