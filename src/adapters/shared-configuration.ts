// The configuration that all members share: Patroni keeps it in Kubernetes, and any member takes a
// change, also while its PostgreSQL is down. So it does not matter what has become of the own one. Two
// may write at once, such as units that go together: the second is refused, and looks again.

import { memberOfUnit } from '../core/names.ts';
import type { Document, DocumentValue } from '../core/render/patroni.ts';
import type { Cluster } from './cluster.ts';
import { isPatroniConflict, isPatroniOutage, type Patroni, PatroniError } from './patroni.ts';
import type { JsonObject } from './patroni-answers.ts';

/** The shared configuration as one member tells it. */
export interface Shared {
  readonly present: JsonObject;
  readonly patroni: Patroni;
}

/** What it is to have, from what it has. */
type Wanted = (shared: Shared) => Promise<Document> | Document;

/**
 * Patches only what differs. A cluster that is still being bootstrapped has no shared configuration
 * yet and will start with the one in the member's file. Rejects with `PatroniError` when no member takes
 * the change.
 */
export async function changeShared(cluster: Cluster, wanted: Wanted): Promise<void> {
  await withMember(cluster, async (patroni) => {
    await changeThrough(patroni, wanted);
  });
}

/** What the shared configuration has, by the first member that tells it; `undefined`: there is none. */
export async function readShared(cluster: Cluster): Promise<JsonObject | undefined> {
  return await withMember(cluster, readPresent);
}

/** Patroni's own, in seconds. */
const defaultLoopWait = 10;

/**
 * A turn of Patroni's loop. What a member does by itself begins with the next one, and Patroni counts a
 * standby that streams as synchronous within two.
 */
export async function readTurnMs(cluster: Cluster): Promise<number> {
  const { loop_wait: loopWait } = (await readShared(cluster)) ?? {};
  return (typeof loopWait === 'number' ? loopWait : defaultLoopWait) * 1_000;
}

/** Asks one member after another, the own one first, until one does it. */
async function withMember<T>(cluster: Cluster, ask: (patroni: Patroni) => Promise<T>): Promise<T> {
  let first: PatroniError | undefined;
  for await (const unit of candidates(cluster)) {
    try {
      return await ask(await cluster.patroni(unit));
    } catch (error) {
      if (!isPatroniOutage(error)) throw error;
      first ??= error;
    }
  }
  throw first ?? new PatroniError('cannot find Patroni: no member', { code: 'unreachable' });
}

/** The others, when they are needed at all: those that Patroni lists, which somebody has to do. */
async function* candidates(cluster: Cluster): AsyncGenerator<string> {
  yield cluster.unit;
  const listed = (await cluster.patroniCluster())?.members ?? [];
  if (listed.length === 0) return;
  const names = new Set(listed.map(({ name }) => name));
  for (const unit of await cluster.units()) {
    if (unit !== cluster.unit && names.has(memberOfUnit(unit))) yield unit;
  }
}

async function changeThrough(patroni: Patroni, wanted: Wanted): Promise<void> {
  try {
    await changeOnce(patroni, wanted);
  } catch (error) {
    if (!isPatroniConflict(error)) throw error;
    await changeOnce(patroni, wanted);
  }
}

async function changeOnce(patroni: Patroni, wanted: Wanted): Promise<void> {
  const present = await readPresent(patroni);
  if (present === undefined) return;
  const change = differenceOf(await wanted({ present, patroni }), present);
  if (Object.keys(change).length > 0) await patroni.patchConfig(change);
}

// What Patroni answers while there is no configuration in the cluster's store.
const noConfigStatus = 502;

async function readPresent(patroni: Patroni): Promise<JsonObject | undefined> {
  try {
    return await patroni.config();
  } catch (error) {
    const absent = error instanceof PatroniError && error.fields['status'] === noConfigStatus;
    if (absent) return undefined;
    throw error;
  }
}

/** The part of `wanted` that `present` does not have. */
function differenceOf(wanted: Document, present: JsonObject): Document {
  const changes: [string, DocumentValue][] = [];
  for (const [key, value] of Object.entries(wanted)) {
    const other = present[key];
    if (isDocument(value)) {
      const inner = differenceOf(value, isJsonObject(other) ? other : {});
      if (Object.keys(inner).length > 0) changes.push([key, inner]);
    } else if (other !== value) {
      changes.push([key, value]);
    }
  }
  return Object.fromEntries(changes);
}

function isDocument(value: DocumentValue): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
