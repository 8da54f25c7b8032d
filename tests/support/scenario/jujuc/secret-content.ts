// What the secret tools share: content from arguments and from the private file, URIs, who may
// manage a secret, and how the pending writes of this hook look.

import { parse } from 'yaml';

import type { HookToolCall } from '../../../../lib/juju/tools/port.ts';
import type { DataBag, SecretState } from '../state.ts';
import { ToolError, usageError } from './arguments.ts';
import type { OpenHook, PendingSecret } from './open-hook.ts';

const maxContentBytes = 1_000_000;

/** The content in a call; `undefined` when it has none. */
export function contentFrom(pairs: readonly string[], call: HookToolCall): DataBag | undefined {
  if (pairs.length === 0 && call.privateFile === undefined) return undefined;
  const entries = [...pairs.map(splitPair), ...fileEntries(call.privateFile)];
  const content = Object.fromEntries(entries.map(([written, value]) => decoded(written, value)));
  const size = Object.values(content)
    .map((value) => Math.ceil(Buffer.byteLength(value) / 3) * 4)
    .reduce((sum, bytes) => sum + bytes, 0);
  if (size > maxContentBytes) {
    throw usageError(`base64 encoded secret content too large: ${size} bytes`);
  }
  return content;
}

function splitPair(pair: string): readonly [string, string] {
  const at = pair.replace(/=+$/, '').indexOf('=');
  if (at < 1) throw usageError(`key value ${JSON.stringify(pair)} not valid`);
  if (pair.slice(0, at).endsWith('#file')) {
    throw new Error('the scenario kit has no files: give secret content as `privateFile`');
  }
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function fileEntries(text: string | undefined): readonly (readonly [string, string])[] {
  if (text === undefined) return [];
  const file: unknown = parse(text, { schema: 'failsafe' });
  if (typeof file !== 'object' || file === null) throw usageError('cannot decode the secret file');
  return Object.entries(file).map(([key, value]) => [key, String(value)]);
}

function decoded(written: string, value: string): readonly [string, string] {
  const key = written.replace(/#base64$/, '');
  if (!/^[a-z](?:-?[a-z0-9]){2,}$/.test(key)) {
    throw usageError(`key ${JSON.stringify(key)} not valid`);
  }
  return [key, key === written ? value : Buffer.from(value, 'base64').toString('utf8')];
}

/** The bare id of a URI in any of its forms. */
export function idFrom(uri: string | undefined): string {
  if (uri === undefined) throw usageError('missing secret URI');
  const id = /^(?:secret:)?(?:\/\/[0-9a-f-]+\/)?([0-9a-z]{20})$/.exec(uri)?.[1];
  if (id === undefined) throw usageError(`secret URI ${JSON.stringify(uri)} not valid`);
  return id;
}

/** A committed secret. */
export function storedSecret(hook: OpenHook, id: string): SecretState | undefined {
  return hook.state.secrets.find((one) => one.id === id);
}

/** Refuses to manage an application's secret without leadership; unknown ones pass. */
export function requireManager(hook: OpenHook, secret: SecretState | undefined): void {
  if (secret?.owner === 'application') requireLeader(hook);
}

export function requireLeader(hook: OpenHook): void {
  if (!hook.state.leader) throw new ToolError('this unit is not the leader');
}

/**
 * Secrets that this unit may manage, with the pending writes: what secret-info-get sees. One of
 * which a revision was removed in this hook is not among them; that is how Juju does it.
 */
export function managedSecrets(hook: OpenHook): readonly SecretState[] {
  const { creates, updates, deletes } = hook.pending;
  const stored = hook.state.secrets
    .filter((one) => one.owner === 'unit' || (one.owner === 'application' && hook.state.leader))
    .filter((one) => !deletes.has(one.id))
    .map((one) => {
      const update: PendingSecret = updates.get(one.id) ?? { id: one.id };
      const { content: _content, owner: _owner, ...metadata } = update;
      return { ...one, ...metadata };
    });
  const made = [...creates.values()].map((one): SecretState => {
    const { content = {}, owner = 'application', ...metadata } = one;
    return { ...metadata, owner, revisions: [{ revision: 1, content }], grants: [] };
  });
  return [...stored, ...made];
}

/** The grants of a secret after those of this hook. */
export function grantsOf(hook: OpenHook, secret: SecretState): SecretState['grants'] {
  const pending = [...(hook.pending.grants.get(secret.id) ?? [])];
  const revoked = hook.pending.revokes.get(secret.id);
  return [...secret.grants, ...pending.map(([relation, target]) => ({ relation, target }))].filter(
    (one) => revoked?.has(one.target) !== true,
  );
}
