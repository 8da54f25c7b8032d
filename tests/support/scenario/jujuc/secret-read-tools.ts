// secret-get, secret-info-get, secret-ids. Which revision a reader tracks, and the label that it
// gives, take effect at once. A trap of Juju is kept: an own secret that was updated in this hook
// reads old until `--refresh` or `--peek`.
// Source: Juju's hook tools, the hook context behind them, and its secret service.

import { present } from '../../../../lib/base/present.ts';
import { type DataBag, latestOf, type SecretState } from '../state.ts';
import { type Arguments, ToolError, usageError } from './arguments.ts';
import type { OpenHook, Tool } from './open-hook.ts';
import { grantsOf, idFrom, managedSecrets, storedSecret } from './secret-content.ts';

export const secretReadTools: Readonly<Record<string, Tool>> = {
  'secret-get': {
    flags: { text: ['label', 'format'], boolean: ['peek', 'refresh'] },
    run: getSecret,
  },
  'secret-info-get': { flags: { text: ['label', 'format'] }, run: getInfo },
  'secret-ids': {
    flags: { text: ['format'] },
    run: (hook) => {
      const ids = managedSecrets(hook).map((one) => one.id);
      // Juju prints a list that was never made.
      return ids.length === 0 ? null : ids;
    },
  },
};

type Freshness = 'tracked' | 'peek' | 'refresh';

function getSecret(hook: OpenHook, args: Arguments): unknown {
  const [uri, key] = args.operands;
  const label = args.text('label');
  const freshness = freshnessFrom(args);
  const id = uri === undefined ? idByLabel(hook, label) : idFrom(uri);
  const content = pendingContent(hook, id, freshness) ?? storedContent(hook, id, freshness);
  if (uri !== undefined && label !== undefined) relabel(hook, id, label);
  return key === undefined ? content : valueOf(content, key);
}

function freshnessFrom(args: Arguments): Freshness {
  const peek = args.flag('peek');
  const refresh = args.flag('refresh');
  if (peek && refresh) throw usageError('specify one of --peek or --refresh but not both');
  if (peek) return 'peek';
  return refresh ? 'refresh' : 'tracked';
}

function idByLabel(hook: OpenHook, label: string | undefined): string {
  if (label === undefined) throw usageError('require either a secret URI or label');
  const isLabelled = (one: SecretState): boolean => one.label === label;
  const found = managedSecrets(hook).find(isLabelled) ?? hook.state.secrets.find(isLabelled);
  if (found !== undefined) return found.id;
  throw new ToolError(`secret URI for consumer label ${JSON.stringify(label)} not found`);
}

function pendingContent(hook: OpenHook, id: string, freshness: Freshness): DataBag | undefined {
  const created = hook.pending.creates.get(id);
  if (created !== undefined) return created.content;
  const updated = hook.pending.updates.get(id);
  if (updated?.content === undefined || freshness === 'tracked') return undefined;
  if (freshness === 'refresh') hook.pending.trackLatest.add(id);
  return updated.content;
}

function storedContent(hook: OpenHook, id: string, freshness: Freshness): DataBag {
  const secret = storedSecret(hook, id);
  if (secret === undefined) throw new ToolError(`secret ${JSON.stringify(id)} not found`);
  if (secret.denied === true) throw new ToolError('permission denied');
  const latest = latestOf(secret).revision;
  const before = secret.tracked ?? latest;
  replaceSecret(hook, { ...secret, tracked: freshness === 'refresh' ? latest : before });
  const wanted = freshness === 'tracked' ? before : latest;
  const found = secret.revisions.find((one) => one.revision === wanted);
  if (found === undefined) throw new ToolError(`secret revision ${id}/${wanted} not found`);
  return found.content;
}

function relabel(hook: OpenHook, id: string, label: string): void {
  const created = hook.pending.creates.get(id);
  if (created !== undefined) hook.pending.creates.set(id, { ...created, label });
  const secret = storedSecret(hook, id);
  if (secret === undefined) return;
  // A follower reads an application's secret under the owner's label, whatever it gives.
  if (secret.owner === 'application' && !hook.state.leader) return;
  replaceSecret(hook, { ...secret, label });
}

function valueOf(content: DataBag, written: string): string {
  const key = written.replace(/#base64$/, '');
  const value = content[key];
  if (value === undefined) throw new ToolError(`secret key value ${JSON.stringify(key)} not found`);
  return key === written ? value : Buffer.from(value).toString('base64');
}

function getInfo(hook: OpenHook, args: Arguments): unknown {
  const found = wantedSecret(hook, args);
  const access = grantsOf(hook, found).map(({ relation, target }) => ({
    target: `${target.includes('/') ? 'unit' : 'application'}-${target.replace('/', '-')}`,
    scope: `relation-${relation}`,
    role: 'view',
  }));
  return {
    [found.id]: {
      revision: latestOf(found).revision,
      label: found.label ?? '',
      owner: found.owner,
      ...present({
        description: found.description,
        rotation: found.rotate,
        expiry: found.expire,
        access: access.length === 0 ? undefined : access,
      }),
    },
  };
}

function wantedSecret(hook: OpenHook, args: Arguments): SecretState {
  const label = args.text('label');
  const [uri] = args.operands;
  if (uri === undefined && label === undefined) {
    throw usageError('require either a secret URI or label');
  }
  if (uri !== undefined && label !== undefined) {
    throw usageError('specify either a secret URI or label but not both');
  }
  const id = uri === undefined ? undefined : idFrom(uri);
  const found = managedSecrets(hook).find((one) =>
    id === undefined ? one.label === label : one.id === id,
  );
  if (found === undefined) throw new ToolError(`secret ${JSON.stringify(id ?? label)} not found`);
  return found;
}

function replaceSecret(hook: OpenHook, changed: SecretState): void {
  const secrets = hook.state.secrets.map((old) => (old.id === changed.id ? changed : old));
  hook.state = { ...hook.state, secrets };
}
