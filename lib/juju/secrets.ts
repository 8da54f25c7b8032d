// Secrets: reads by label or URI, own pending writes laid over them.
//
// A new secret is announced to Juju at once, because only Juju makes URIs and the URI usually goes
// into a databag; Juju itself keeps the secret only when the hook ends well. Rolling a handler back
// therefore leaves a secret that it announced: whoever asks for the label next finds it, as it
// would after a crash between two hooks. Removing it again is no way out: Juju 4.1 ignores the
// removal of a secret that it never had, but nothing says that all versions do.
//
// URIs are always given in their long form with the model's UUID, which other models understand:
// Juju itself prints now the one form and now the other, and a databag would change with it.
//
// Reads by label take the newest revision and keep it (`--refresh`): an owner who only peeks, or
// reads the revision that it saw first, would compare with an old content.

import { HookToolError } from './error.ts';
import type { HookContext } from './event.ts';
import type { Journal, WriteOf } from './journal.ts';
import type { OwnedSecret } from './juju.ts';
import { oncePerKey } from './once.ts';
import type { HookToolPort } from './tools/port.ts';
import { formatRelation } from './tools/relation.ts';
import {
  type SecretContent,
  type SecretGetOptions,
  type SecretGrant,
  secretAdd,
  secretGet,
  secretGrant,
  secretId,
  secretInfoGet,
  secretRemove,
  secretRevoke,
  secretSet,
} from './tools/secret.ts';

export interface Secrets {
  readonly byLabel: (label: string) => Promise<SecretContent | undefined>;
  readonly byId: (uri: string, options: SecretReadOptions) => Promise<SecretContent | undefined>;
  readonly set: (secret: OwnedSecret) => Promise<string>;
  /** Newest revision of a secret that this unit manages, writes of this dispatch left aside. */
  readonly revision: (uri: string) => Promise<number | undefined>;
  /** Removes revisions, then sends new contents, grants, revocations and removals, each once. */
  flush(): Promise<void>;
  /** Grants of secrets that were announced in this dispatch. */
  newGrants(): readonly SecretGrant[];
}

export interface SecretReadOptions {
  readonly label?: string;
  readonly refresh?: boolean;
}

export function createSecrets(
  { modelUuid }: Pick<HookContext, 'modelUuid'>,
  port: HookToolPort,
  journal: Journal,
): Secrets {
  const stored = createStoredSecrets(port, modelUuid);
  const pending = (matches: (write: WriteOf<'secret-content'>) => boolean) =>
    journal.all('secret-content').findLast(matches)?.content;
  const byLabel = async (label: string) =>
    pending((write) => write.label === label) ?? (await stored.byLabel(label));
  return {
    byLabel,
    byId: async (uri, options) =>
      pending((write) => secretId(write.uri) === secretId(uri)) ??
      (await stored.byId(uri, options)),
    set: async (secret) => {
      const { label, content } = secret;
      const present = await byLabel(label);
      const uri = present === undefined ? undefined : await stored.ownUri(label);
      if (present === undefined || uri === undefined) return await stored.add(secret);
      if (!sameContent(present, content)) {
        journal.add({ kind: 'secret-content', uri, label, content });
      }
      return uri;
    },
    revision: async (uri) => (await unlessMissing(secretInfoGet(port, { uri })))?.revision,
    flush: async () => {
      await flushSecrets(port, journal);
    },
    newGrants: () =>
      distinct(journal.all('secret-grant')).filter(({ uri }) => stored.isNew(secretId(uri))),
  };
}

interface StoredSecrets {
  byLabel(label: string): Promise<SecretContent | undefined>;
  byId(uri: string, options: SecretReadOptions): Promise<SecretContent | undefined>;
  /** `undefined` when there is no secret of this label that this unit manages. */
  ownUri(label: string): Promise<string | undefined>;
  add(secret: OwnedSecret): Promise<string>;
  isNew(id: string): boolean;
}

function createStoredSecrets(port: HookToolPort, modelUuid: string): StoredSecrets {
  const toLongUri = (uri: string) => `secret://${modelUuid}/${secretId(uri)}`;
  const byLabel = oncePerKey(
    async (label) => await unlessMissing(secretGet(port, { label, revision: 'refresh' })),
  );
  const ownUri = oncePerKey(async (label) => {
    const info = await unlessMissing(secretInfoGet(port, { label }));
    return info === undefined ? undefined : toLongUri(info.uri);
  });
  const added = new Set<string>();
  const contents = new Map<string, { readonly fresh: boolean; readonly content: SecretContent }>();
  return {
    byLabel,
    ownUri,
    byId: async (uri, { label, refresh = false }) => {
      const known = contents.get(secretId(uri));
      if (known !== undefined && (known.fresh || !refresh)) return known.content;
      const content = await unlessMissing(secretGet(port, readOptions(uri, label, refresh)));
      if (content === undefined) return undefined;
      contents.set(secretId(uri), { fresh: refresh, content });
      if (label !== undefined && refresh) byLabel.set(label, content);
      return content;
    },
    add: async (secret) => {
      const uri = toLongUri(await secretAdd(port, secret));
      byLabel.set(secret.label, secret.content);
      ownUri.set(secret.label, uri);
      contents.set(secretId(uri), { fresh: true, content: secret.content });
      added.add(secretId(uri));
      return uri;
    },
    isNew: (id) => added.has(id),
  };
}

function readOptions(uri: string, label: string | undefined, refresh: boolean): SecretGetOptions {
  return {
    uri,
    ...(label === undefined ? {} : { label }),
    ...(refresh ? { revision: 'refresh' } : {}),
  };
}

async function flushSecrets(port: HookToolPort, journal: Journal): Promise<void> {
  const contents = new Map(
    journal.all('secret-content').map(({ uri, content }) => [uri, content] as const),
  );
  // First: Juju forgets what a hook has written into a secret when it removes a revision afterwards.
  for (const { uri, revision } of journal.all('secret-remove')) {
    if (revision !== undefined) await secretRemove(port, uri, revision);
  }
  for (const [uri, content] of contents) await secretSet(port, uri, { content });
  for (const grant of distinct(journal.all('secret-grant'))) await secretGrant(port, grant);
  for (const grant of distinct(journal.all('secret-revoke'))) await secretRevoke(port, grant);
  for (const { uri, revision } of journal.all('secret-remove')) {
    if (revision === undefined) await secretRemove(port, uri);
  }
}

function distinct(grants: readonly SecretGrant[]): readonly SecretGrant[] {
  const byKey = new Map(
    grants.map((grant) => [
      `${secretId(grant.uri)} ${formatRelation(grant.relation)} ${grant.unit ?? ''}`,
      grant,
    ]),
  );
  return [...byKey.values()];
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof HookToolError && error.code === 'secret-not-found') return undefined;
    throw error;
  }
}

function sameContent(left: SecretContent, right: SecretContent): boolean {
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => left[key]?.equals(right[key]) === true)
  );
}
