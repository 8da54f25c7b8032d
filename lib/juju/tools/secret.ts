// secret-add, -set, -get, -info-get, -ids, -grant, -revoke, -remove. Content goes in through a
// private file and comes out wrapped. What is written takes effect when the hook ends well; a new
// secret's URI is allocated at once. `refresh` and `label` of a read take effect at once.

import { Secret } from '../../base/secret.ts';
import type { RelationReference } from '../event.ts';
import { readJson, readText, runTool, unreadable } from './call.ts';
import { isRecord, renderTexts, textAt, toRecord, toTextList, toTexts } from './json.ts';
import type { HookToolPort } from './port.ts';
import { formatRelation } from './relation.ts';

export type SecretContent = Readonly<Record<string, Secret>>;
export type RotatePolicy =
  | 'never'
  | 'hourly'
  | 'daily'
  | 'weekly'
  | 'monthly'
  | 'quarterly'
  | 'yearly';

export interface SecretAttributes {
  readonly label?: string;
  readonly description?: string;
  /** RFC 3339, or a duration as Go writes it (`24h`). */
  readonly expire?: string;
  readonly rotate?: RotatePolicy;
}

export interface NewSecret extends SecretAttributes {
  readonly owner: 'application' | 'unit';
  readonly content: SecretContent;
}

/** Announces a secret; gives its URI. */
export async function secretAdd(port: HookToolPort, secret: NewSecret): Promise<string> {
  const tool = 'secret-add';
  const args = [...renderAttributes(secret), '--owner', secret.owner];
  const printed = await readText(port, { tool, args, privateFile: renderContent(secret.content) });
  const uri = printed.trim();
  if (uri === '') throw unreadable(tool, 'it printed no URI');
  return uri;
}

export interface SecretChange extends SecretAttributes {
  /** The whole content; without it only the attributes change. */
  readonly content?: SecretContent;
}

/** Changes an own secret. */
export async function secretSet(
  port: HookToolPort,
  uri: string,
  change: SecretChange,
): Promise<void> {
  const args = [...renderAttributes(change), uri];
  const { content } = change;
  const file = content === undefined ? {} : { privateFile: renderContent(content) };
  await runTool(port, { tool: 'secret-set', args, ...file });
}

export interface SecretReference {
  readonly uri?: string;
  /** With a URI: the label to give to a consumed secret. */
  readonly label?: string;
}

export interface SecretGetOptions extends SecretReference {
  /** `refresh`: the newest revision, now and from now on; `peek`: the newest just this time. */
  readonly revision?: 'refresh' | 'peek';
}

/** Content of a secret: without `revision` that of the revision seen at the first read. */
export async function secretGet(
  port: HookToolPort,
  options: SecretGetOptions,
): Promise<SecretContent> {
  const tool = 'secret-get';
  const revision = options.revision === undefined ? [] : [`--${options.revision}`];
  const args = [...revision, ...renderReference(options)];
  const texts = toTexts(tool, await readJson(port, { tool, args }));
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, new Secret(text)]));
}

export interface SecretInfo {
  readonly uri: string;
  readonly revision: number;
  readonly label?: string;
  readonly owner: 'application' | 'unit';
  readonly description?: string;
  readonly rotation?: string;
  readonly expiry?: string;
  readonly rotates?: string;
}

/** What Juju knows about a secret that this unit manages, writes of this hook included. */
export async function secretInfoGet(
  port: HookToolPort,
  reference: SecretReference,
): Promise<SecretInfo> {
  const tool = 'secret-info-get';
  const args = renderReference(reference);
  const [entry] = Object.entries(toRecord(tool, await readJson(port, { tool, args })));
  if (entry === undefined || !isRecord(entry[1])) throw unreadable(tool, 'it printed no secret');
  const [id, info] = entry;
  return {
    uri: `secret:${id}`,
    revision: Number(info['revision']),
    owner: info['owner'] === 'unit' ? 'unit' : 'application',
    ...optional('label', textAt(info, 'label')),
    ...optional('description', textAt(info, 'description')),
    ...optional('rotation', textAt(info, 'rotation')),
    ...optional('expiry', textAt(info, 'expiry')),
    ...optional('rotates', textAt(info, 'rotates')),
  };
}

/** Bare ids of the secrets that this unit manages. */
export async function secretIds(port: HookToolPort): Promise<readonly string[]> {
  const tool = 'secret-ids';
  return toTextList(tool, await readJson(port, { tool, args: [] })).toSorted();
}

export interface SecretGrant {
  readonly uri: string;
  readonly relation: RelationReference;
  /** Only this remote unit. */
  readonly unit?: string;
}

/** Lets the other side of a relation read a secret. */
export async function secretGrant(port: HookToolPort, grant: SecretGrant): Promise<void> {
  await runTool(port, { tool: 'secret-grant', args: renderGrant(grant) });
}

/** Takes a grant back. */
export async function secretRevoke(port: HookToolPort, grant: SecretGrant): Promise<void> {
  await runTool(port, { tool: 'secret-revoke', args: renderGrant(grant) });
}

/** Removes a secret, or one revision of it. */
export async function secretRemove(
  port: HookToolPort,
  uri: string,
  revision?: number,
): Promise<void> {
  const args = revision === undefined ? [uri] : ['--revision', String(revision), uri];
  await runTool(port, { tool: 'secret-remove', args });
}

/** The id alone of `secret:id`, `secret://model/id` or `id`. */
export function secretId(uri: string): string {
  return uri.slice(Math.max(uri.lastIndexOf(':'), uri.lastIndexOf('/')) + 1);
}

function renderContent(content: SecretContent): string {
  return renderTexts(
    Object.fromEntries(Object.entries(content).map(([key, value]) => [key, value.reveal()])),
  );
}

function renderAttributes(attributes: SecretAttributes): readonly string[] {
  const flags = ['label', 'description', 'expire', 'rotate'] as const;
  return flags.flatMap((flag) => {
    const value = attributes[flag];
    return value === undefined ? [] : [`--${flag}`, value];
  });
}

function renderReference({ uri, label }: SecretReference): readonly string[] {
  return [...(label === undefined ? [] : ['--label', label]), ...(uri === undefined ? [] : [uri])];
}

function renderGrant({ uri, relation, unit }: SecretGrant): readonly string[] {
  return ['-r', formatRelation(relation), ...(unit === undefined ? [] : ['--unit', unit]), uri];
}

function optional<K extends string>(key: K, value: string | undefined): { [P in K]?: string } {
  const entry: { [P in K]?: string } = {};
  if (value !== undefined) entry[key] = value;
  return entry;
}
