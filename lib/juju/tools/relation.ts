// relation-ids, relation-list, relation-get, relation-set, relation-model-get. What is set takes
// effect when the hook ends well; reads of own data include it.

import type { RelationReference } from '../event.ts';
import { readJson, runTool } from './call.ts';
import { renderTexts, textAt, toOptionalText, toRecord, toTextList, toTexts } from './json.ts';
import type { HookToolPort } from './port.ts';

/** `db:7`, as Juju writes it. */
export function formatRelation(relation: RelationReference): string {
  return `${relation.endpoint}:${relation.id}`;
}

/** `db:7` in parts; `undefined` when it is something else. */
export function parseRelation(text: string): RelationReference | undefined {
  const match = /^(.+):(\d+)$/.exec(text);
  return match?.[1] === undefined ? undefined : { endpoint: match[1], id: Number(match[2]) };
}

/** Relations of an endpoint, the one that is breaking excluded, by ascending id. */
export async function relationIds(
  port: HookToolPort,
  endpoint: string,
): Promise<readonly RelationReference[]> {
  const tool = 'relation-ids';
  const texts = toTextList(tool, await readJson(port, { tool, args: [endpoint] }));
  return texts
    .flatMap((text) => parseRelation(text) ?? [])
    .toSorted((left, right) => left.id - right.id);
}

/** Remote units; for a peer relation the other units. */
export async function relationList(
  port: HookToolPort,
  relation: RelationReference,
): Promise<readonly string[]> {
  const tool = 'relation-list';
  const args = ['-r', formatRelation(relation)];
  return toTextList(tool, await readJson(port, { tool, args }));
}

/** The remote application. */
export async function relationApp(
  port: HookToolPort,
  relation: RelationReference,
): Promise<string | undefined> {
  const tool = 'relation-list';
  const args = ['--app', '-r', formatRelation(relation)];
  return toOptionalText(tool, await readJson(port, { tool, args }));
}

/** The databag of a unit (`app/0`) or an application (`app`). */
export async function relationGet(
  port: HookToolPort,
  relation: RelationReference,
  owner: string,
): Promise<Readonly<Record<string, string>>> {
  const tool = 'relation-get';
  const app = owner.includes('/') ? [] : ['--app'];
  const args = ['-r', formatRelation(relation), ...app, '-', owner];
  return toTexts(tool, await readJson(port, { tool, args }));
}

export interface RelationSetOptions {
  readonly relation: RelationReference;
  readonly owner: 'application' | 'unit';
  /** The empty text removes a key. */
  readonly values: Readonly<Record<string, string>>;
}

/** Writes into the own databag; the application's only as leader. */
export async function relationSet(port: HookToolPort, options: RelationSetOptions): Promise<void> {
  const app = options.owner === 'application' ? ['--app'] : [];
  await runTool(port, {
    tool: 'relation-set',
    args: ['-r', formatRelation(options.relation), ...app, '--file', '-'],
    stdin: renderTexts(options.values),
  });
}

/** UUID of the model at the other side. Since Juju 3.6.2. */
export async function relationModelGet(
  port: HookToolPort,
  relation: RelationReference,
): Promise<string | undefined> {
  const tool = 'relation-model-get';
  const args = ['-r', formatRelation(relation)];
  return textAt(toRecord(tool, await readJson(port, { tool, args })), 'uuid');
}
