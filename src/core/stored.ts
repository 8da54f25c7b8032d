// What the charm has written for itself: into databags, the unit's state, files. Pure.

import * as v from 'valibot';

/**
 * Reads it back. What is no JSON, or not of this form (garbage, or another version's), counts as not
 * there: whoever reads it begins anew, and no hook fails over it again and again.
 */
export function parseStored<T>(
  schema: v.GenericSchema<unknown, T>,
  text: string | undefined,
): T | undefined {
  if (text === undefined) return undefined;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  return result.success ? result.output : undefined;
}
