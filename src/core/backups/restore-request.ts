// How the members of a cluster agree on a restore, through the peer relation. The leader asks all others
// to stop; one unit restores when they have said that they did; then they copy its data, or, when the
// restore has failed, start with their own. Pure.

import * as v from 'valibot';

import { targetFields } from './restore-target.ts';

const id = v.pipe(v.string(), v.regex(/^[0-9a-z]{1,32}$/));

const requestSchema = v.object({
  id,
  /** The one that restores. */
  unit: v.pipe(v.string(), v.regex(/^[a-z0-9-]+\/\d+$/)),
  /**
   * `stop`: the others are down, or about to be. `clone`: the restored primary is up, they copy its
   * data. `keep`: nothing has come of it, they start with the data that they have, as they do when the
   * request is gone, soon afterwards.
   */
  phase: v.picklist(['stop', 'clone', 'keep']),
  target: v.object(targetFields),
});

export type RestoreRequest = Readonly<v.InferOutput<typeof requestSchema>>;

/** What the unit that restores says in its own databag. */
const resultSchema = v.object({
  id,
  state: v.picklist(['restored', 'failed']),
  /** Why it failed. */
  failure: v.exactOptional(v.string()),
});

export type RestoreResult = Readonly<v.InferOutput<typeof resultSchema>>;

/** As it stands in the application's databag; anything else is none. */
export function parseRequest(text: string | undefined): RestoreRequest | undefined {
  return parse(requestSchema, text);
}

export function parseResult(text: string | undefined): RestoreResult | undefined {
  return parse(resultSchema, text);
}

/** That of a restore by an only unit; as it stands in the databag. */
export function parseRestoreId(text: string | undefined): string | undefined {
  return v.is(id, text) ? text : undefined;
}

// A unit that comes back with its volume after so many of them has been away for very long.
const remembered = 16;

/** Requests whose restored data the cluster has gone on without; as they stand in the databag. */
export function parseAbandoned(text: string | undefined): readonly string[] {
  return (text ?? '').split(' ').filter((one) => v.is(id, one));
}

export function renderAbandoned(before: readonly string[], added: string): string {
  return [...before.filter((one) => one !== added), added].slice(-remembered).join(' ');
}

function parse<T>(schema: v.GenericSchema<unknown, T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  return result.success ? result.output : undefined;
}
