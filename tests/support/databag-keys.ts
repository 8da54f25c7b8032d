// Which keys of databags and of the unit's state the charm uses, read from its source text.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { repository } from '../../scripts/charms.ts';

interface Source {
  readonly file: string;
  readonly text: string;
}

async function sourcesBelow(folder: string): Promise<readonly Source[]> {
  const found = await readdir(path.join(repository, folder), { recursive: true });
  return await Promise.all(
    found
      .filter((name) => name.endsWith('.ts'))
      .map(async (name) => {
        const file = path.join(folder, name);
        return { file, text: await readFile(path.join(repository, file), 'utf8') };
      }),
  );
}

/** Names of keys that have a constant, by the name of that. */
function constantsOf({ text }: Source): Readonly<Record<string, string>> {
  const found = text.matchAll(/const (\w*key|\w+Key(?:Prefix)?) = '([^']+)';/g);
  return Object.fromEntries([...found].map(([, name = '', value = '']) => [name, value]));
}

/** What stands between the brackets that begin after this place, without what inner ones hold. */
function argumentOf(text: string, place: number): string {
  let depth = 0;
  let outer = '';
  for (const sign of text.slice(place)) {
    if ('({'.includes(sign)) depth += 1;
    if (')}'.includes(sign)) depth -= 1;
    if (depth === 0) break;
    // An object is the second bracket: `setUnit({ … })`.
    if (depth === 2 && !'({)}'.includes(sign)) outer += sign;
  }
  return outer;
}

/** Keys of the objects that this function is called with, as they are written. */
function writtenBy(name: string, { text }: Source): readonly string[] {
  return [...text.matchAll(new RegExp(`\\b${name}\\(\\{`, 'g'))].flatMap(({ index }) => {
    const entries = argumentOf(text, index + name.length).split(',');
    return entries.flatMap((entry) => entry.trim().match(/^(?:'[^']+'|\w+|\[\w+\])(?=:|$)/) ?? []);
  });
}

/** Keys of what this expression gives, as they are written. */
function readFrom(expression: string, { text }: Source): readonly string[] {
  const found = text.matchAll(new RegExp(`${expression}\\)?\\[('[^']+'|\\w+)\\]`, 'g'));
  return [...found].map(([, key = '']) => (key.startsWith("'") ? key : `[${key}]`));
}

export interface UsedKeys {
  /** Keys of a unit's databag that are written or read. */
  readonly ofUnits: readonly string[];
  /** Keys of the unit's state that are written. */
  readonly remembered: readonly string[];
  /** Keys of any kind that have a constant, or beginnings of them. */
  readonly named: readonly string[];
}

export async function findKeys(): Promise<UsedKeys> {
  const sources = await sourcesBelow('src');
  const juju = await sourcesBelow('lib/juju');
  const shared = Object.fromEntries(
    sources.flatMap((source) => Object.entries(constantsOf(source))),
  );
  const keysOf = (find: (source: Source) => readonly string[]): readonly string[] =>
    sources.flatMap((source) => {
      const constants = { ...shared, ...constantsOf(source) };
      return find(source).map((key) => {
        if (key.startsWith('[')) return String(constants[key.slice(1, -1)]);
        return key.replaceAll("'", '');
      });
    });
  return {
    ofUnits: keysOf((source) => [
      ...writtenBy('setUnit', source),
      ...readFrom(String.raw`\.unitData\(\)`, source),
      ...readFrom(String.raw`\.peers\.data\((?!cluster\.app)[\w.]+\)`, source),
    ]),
    remembered: keysOf((source) => writtenBy('setState', source)),
    named: [...sources, ...juju].flatMap((source) => Object.values(constantsOf(source))),
  };
}
