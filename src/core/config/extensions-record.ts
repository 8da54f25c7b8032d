// What the leader remembers about extensions in the application's databag, where the next leader
// finds it: which switches it has carried out, and what kept it from it. Pure.

import * as v from 'valibot';

import type { Status } from '../../../lib/juju/juju.ts';
import {
  cannotChangeExtensions,
  cannotDisablePlugins,
  extensionsNotInImage,
  unsatisfiedDependencies,
  updatingExtensions,
} from '../status.ts';
import { parseStored } from '../stored.ts';
import { unsatisfiedPlugins } from './extensions.ts';

const recordSchema = v.object({
  enabled: v.array(v.string()),
  problem: v.optional(
    v.object({
      /** `missing`: not in the image; `dependents`: objects need it; `failed`: the server refused. */
      kind: v.picklist(['missing', 'dependents', 'failed']),
      extensions: v.array(v.string()),
    }),
  ),
});

export type ExtensionsRecord = v.InferOutput<typeof recordSchema>;
export type ExtensionsProblem = NonNullable<ExtensionsRecord['problem']>;

/** Reads what `renderRecord` has written; `undefined`: nothing that is known has been carried out yet. */
export function parseRecord(text: string | undefined): ExtensionsRecord | undefined {
  return parseStored(recordSchema, text);
}

export function renderRecord(
  enabled: readonly string[],
  problem: ExtensionsProblem | undefined,
): string {
  return JSON.stringify({ enabled, ...(problem === undefined ? {} : { problem }) });
}

/** Whether there is nothing left to do for these switches. */
export function isSettled(
  record: ExtensionsRecord | undefined,
  enabled: readonly string[],
): boolean {
  return record?.problem === undefined && isFor(record, enabled);
}

function isFor(record: ExtensionsRecord | undefined, enabled: readonly string[]): boolean {
  return record !== undefined && record.enabled.join() === enabled.join();
}

/** What keeps the switches from being carried out; `undefined` when nothing does. */
export function extensionsStatus(
  record: ExtensionsRecord | undefined,
  enabled: readonly string[],
): Status | undefined {
  if (unsatisfiedPlugins(enabled).length > 0) return unsatisfiedDependencies;
  if (record === undefined || !isFor(record, enabled)) return updatingExtensions;
  const { problem } = record;
  if (problem === undefined) return undefined;
  const texts = {
    missing: extensionsNotInImage,
    failed: cannotChangeExtensions,
    dependents: () => cannotDisablePlugins,
  } as const;
  return texts[problem.kind](problem.extensions);
}
