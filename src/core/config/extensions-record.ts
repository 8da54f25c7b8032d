// What the leader remembers about extensions in the application's databag, where the next leader
// finds it: which switches it has carried out, what kept it from it, and which extensions are the
// charm's to drop. Pure.

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
import { unsatisfiedPlugins, wantedExtensions } from './extensions.ts';

const recordSchema = v.object({
  /** `null`: begun, and to be gone through again. */
  enabled: v.nullable(v.array(v.string())),
  /**
   * Switches whose extensions the charm has created, and not dropped since; those that are on unless
   * told.
   */
  made: v.optional(v.array(v.string())),
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

/** Switches that have been carried out, as far as they could be. */
export interface CarriedOut {
  readonly enabled: readonly string[];
  readonly problem: ExtensionsProblem | undefined;
  /** Extensions that were to be dropped and are still there. */
  readonly left: readonly string[];
}

/** What is remembered from now on. */
export function renderRecord(before: ExtensionsRecord | undefined, done: CarriedOut): string {
  const { enabled, problem, left } = done;
  if (problem === undefined) return JSON.stringify({ enabled });
  const former = madeSwitches(before);
  const kept = former.filter((option) =>
    wantedExtensions([option]).some((name) => left.includes(name)),
  );
  // Where the image lacks one, nothing has been created.
  const made = problem.kind === 'missing' ? former : [...enabled, ...kept];
  return JSON.stringify({ enabled, made, problem });
}

/**
 * The same when it is not known how far the databases are: all is to be gone through again. What these
 * switches stand for may have been created.
 */
export function renderUnfinished(
  before: ExtensionsRecord | undefined,
  enabled: readonly string[],
): string {
  const made = new Set([...madeSwitches(before), ...enabled]);
  return JSON.stringify({ enabled: null, made: [...made] });
}

/** Of a problem that an earlier version has noted nobody knows what it had created. */
function madeSwitches(record: ExtensionsRecord | undefined): readonly string[] {
  return record?.made ?? (record?.problem === undefined ? record?.enabled : undefined) ?? [];
}

// Differs: what was made by hand stays when another option changes; nobody has switched it off.
/** Extensions that the charm has created for a switch that is off now: no other is ever dropped. */
export function unwantedExtensions(
  record: ExtensionsRecord | undefined,
  enabled: readonly string[],
): readonly string[] {
  return wantedExtensions(madeSwitches(record).filter((option) => !enabled.includes(option)));
}

/** Whether there is nothing left to do for these switches. */
export function isSettled(
  record: ExtensionsRecord | undefined,
  enabled: readonly string[],
): boolean {
  return record?.problem === undefined && isFor(record, enabled);
}

function isFor(record: ExtensionsRecord | undefined, enabled: readonly string[]): boolean {
  return record?.enabled?.join() === enabled.join();
}

/** What keeps the switches from being carried out; `undefined` when nothing does. */
export function extensionsStatus(
  record: ExtensionsRecord | undefined,
  enabled: readonly string[],
): Status | undefined {
  if (unsatisfiedPlugins(enabled).length > 0) return unsatisfiedDependencies;
  if (!isFor(record, enabled)) return updatingExtensions;
  const problem = record?.problem;
  if (problem === undefined) return undefined;
  const texts = {
    missing: extensionsNotInImage,
    failed: cannotChangeExtensions,
    dependents: () => cannotDisablePlugins,
  } as const;
  return texts[problem.kind](problem.extensions);
}
