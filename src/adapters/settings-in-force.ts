// What the member's file was made of last, in the state of the unit, which outlives the pod: while the
// options are wrong, the file of a new pod is made of the same (decision 25).

import * as v from 'valibot';

import { options } from '../core/config/options.ts';
import type { Settings } from '../core/config/settings.ts';
import { validPart } from '../core/config/validate.ts';
import { parseStored } from '../core/stored.ts';
import { reckonedVolume } from '../core/watch-state.ts';
import type { PostgresqlHook } from './cluster.ts';
import { readWatchState } from './watch-state.ts';

/** Values of the options that are not at their default, by name. */
const optionsKey = 'options-in-force';
const optionsSchema = v.record(v.string(), v.union([v.string(), v.number(), v.boolean()]));

/** The size of the data volume that limits were reckoned from. */
const volumeKey = 'volume-in-force';
const volumeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Says what the member's file is made of. */
export function rememberInForce(
  hook: PostgresqlHook,
  { values }: Pick<Settings, 'values'>,
  volumeBytes: number | undefined,
): void {
  const changed = options.flatMap(({ name, default: usual }) => {
    const value = values[name];
    return value === undefined || value === usual ? [] : [[name, value] as const];
  });
  hook.juju.setState({
    [optionsKey]: JSON.stringify(Object.fromEntries(changed)),
    [volumeKey]: volumeBytes === undefined ? undefined : String(volumeBytes),
  });
}

/** The settings of the member's file; `undefined` when this unit has not written one yet. */
export async function settingsInForce(hook: PostgresqlHook): Promise<Settings | undefined> {
  const values = parseStored(optionsSchema, await hook.juju.state(optionsKey));
  // Another version of the charm may have taken what this one does not.
  return values === undefined ? undefined : validPart(values).settings;
}

/** The size of the data volume to reckon with now, and whether that is another one than so far. */
export async function readVolume(
  hook: PostgresqlHook,
): Promise<{ readonly bytes: number | undefined; readonly changed: boolean }> {
  const before = parseStored(volumeSchema, await hook.juju.state(volumeKey));
  const bytes = reckonedVolume(await readWatchState(hook), before);
  return { bytes, changed: bytes !== before };
}
