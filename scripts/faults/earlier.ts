/** Results that an earlier run has left: of rows that are not played again they stay. */

import { readFile } from 'node:fs/promises';

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
  recovered: figure,
  new_primary: v.nullable(v.string()),
  failed_over: v.boolean(),
  statuses_right_s: figure,
  members_agree: v.nullable(v.boolean()),
  lock_returned: v.boolean(),
  two_primaries: v.number(),
  load: v.number(),
  problem: v.nullable(v.string()),
});

/** Those of the other rows; throws when the file holds something else. */
export async function readEarlier(
  file: string,
  played: readonly Fault[],
): Promise<readonly Result[]> {
  const again = new Set(played.map(titleOf));
  return (await readResults(file)).filter((result) => !again.has(titleOfResult(result)));
}

async function readResults(file: string): Promise<readonly Result[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  const content = v.safeParse(v.pipe(v.string(), v.parseJson(), v.array(resultSchema)), text);
  if (!content.success) throw new Error(`cannot go on with ${file}: it has other contents`);
  return content.output;
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
