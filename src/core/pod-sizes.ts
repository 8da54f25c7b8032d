// How large the members' pods are: each unit tells its own in its databag, and the leader puts all together
// where every unit reads them anyway. Pure.

import * as v from 'valibot';

import { type Resources, wholeCores } from './config/derive.ts';
import { unitNumber } from './names.ts';
import { parseStored } from './stored.ts';

/** By unit; those that have not told are not there. */
export type PodSizes = Readonly<Record<string, Resources>>;

const mebibyte = 2 ** 20;
const count = v.pipe(v.number(), v.check(isCount));
const sizeSchema = v.object({ cores: count, memory: count });
const schema = v.record(v.string(), sizeSchema);

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}

/** What a unit tells: whole cores that its container may use, and whole MiB. */
export function toldSize(resources: Resources): Readonly<Record<'cores' | 'memory', string>> {
  return {
    cores: String(wholeCores(resources)),
    memory: String(Math.max(1, Math.floor(resources.memoryBytes / mebibyte))),
  };
}

/** `undefined` where nothing, or only part, has been told. */
export function sizeIn(bag: Readonly<Record<string, string>>): Resources | undefined {
  const { cores, memory } = bag;
  const told = v.safeParse(sizeSchema, { cores: Number(cores), memory: Number(memory) });
  return told.success ? resourcesOf(told.output) : undefined;
}

function resourcesOf({ cores, memory }: v.InferOutput<typeof sizeSchema>): Resources {
  return { cores, memoryBytes: memory * mebibyte };
}

export function renderSizes(sizes: PodSizes): string {
  const sorted = Object.entries(sizes).toSorted(
    ([one], [other]) => unitNumber(one) - unitNumber(other),
  );
  return JSON.stringify(
    Object.fromEntries(
      sorted.map(([unit, { cores, memoryBytes }]) => [
        unit,
        { cores, memory: memoryBytes / mebibyte },
      ]),
    ),
  );
}

/** What makes no sense counts as not told. */
export function parseSizes(text: string | undefined): PodSizes {
  const told = parseStored(schema, text) ?? {};
  return Object.fromEntries(Object.entries(told).map(([unit, size]) => [unit, resourcesOf(size)]));
}
