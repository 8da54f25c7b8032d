/** Results that an earlier run has left: of rows that are not played again they stay. */

import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { isMissing } from '../../cloud/files.ts';
import { faults } from './catalogue.ts';
import { type Fault, targets, titleOf } from './fault.ts';
import type { Result } from './result.ts';

const figure = v.nullable(v.number());
const resultSchema = v.object({
  fault: v.string(),
  target: v.picklist(targets),
  round: v.number(),
  at: v.string(),
  write_gap_s: v.number(),
  acknowledged: v.number(),
  lost: figure,
  duplicated: figure,
  recovered: v.boolean(),
  recovered_s: figure,
  new_primary: v.nullable(v.string()),
  failed_over: v.boolean(),
  statuses_right_s: figure,
  labels_right_s: figure,
  endpoints_right_s: figure,
  right_in_time: v.nullable(v.boolean()),
  members_agree: v.nullable(v.boolean()),
  lock_returned: v.boolean(),
  two_primaries: v.number(),
  load: v.number(),
  problem: v.nullable(v.string()),
});

/** Those of the other rows. A file of another shape, as earlier versions wrote it, is put aside. */
export async function readEarlier(
  file: string,
  played: readonly Fault[],
  say: (text: string) => void,
): Promise<readonly Result[]> {
  const text = await readIfThere(file);
  if (text === undefined) return [];
  const content = v.safeParse(v.pipe(v.string(), v.parseJson(), v.array(resultSchema)), text);
  if (!content.success) {
    const aside = await putAside(file);
    say(`${path.basename(file)} has other contents than this version writes: it is ${aside} now`);
    return [];
  }
  const again = new Set(played.map(titleOf));
  return content.output.filter((result) => !again.has(titleOfResult(result)));
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Under a name that says when; returns it. */
async function putAside(file: string): Promise<string> {
  const { dir, name, ext } = path.parse(file);
  const time = new Date().toISOString().replaceAll(':', '-');
  const aside = `${name}-until-${time}${ext}`;
  await rename(file, path.join(dir, aside));
  return aside;
}

/** In the order of the catalogue, whoever was played first. */
export function inOrder(results: readonly Result[]): readonly Result[] {
  const places = new Map(faults.map((fault, place) => [titleOf(fault), place]));
  const placeOf = (result: Result) => places.get(titleOfResult(result)) ?? places.size;
  return results.toSorted((one, other) => placeOf(one) - placeOf(other));
}

function titleOfResult({ fault: name, target }: Result): string {
  return titleOf({ name, target });
}
