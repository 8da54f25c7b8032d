// Comparing states: two are the same when they differ only in what every run makes anew (secret
// ids, random passwords), and these stand in the same places. Used for the idempotence and kill
// checks, and to show what a run has changed.

import type { Layer } from '../../../lib/pebble/pebble.ts';
import { madeTokens } from './host.ts';
import type { State } from './state.ts';

/** The state as text with sorted keys, in which made names are numbered in the order they appear. */
export function canonical(value: unknown): string {
  const names = new Map<string, string>();
  return (textOf(value) ?? 'null').replaceAll(madeTokens, (token) => {
    const known = names.get(token) ?? `made#${names.size + 1}`;
    names.set(token, known);
    return known;
  });
}

/** Where two values differ, as lines `path: old → new`; empty when they are the same. */
export function differences(before: unknown, after: unknown): readonly string[] {
  const [left, right] = [canonical(before), canonical(after)];
  if (left === right) return [];
  const lines: string[] = [];
  const leftTree: unknown = JSON.parse(left);
  const rightTree: unknown = JSON.parse(right);
  collect({ path: '', left: leftTree, right: rightTree }, lines);
  return lines;
}

/**
 * The same for states, without what nobody can see: the revision of an own secret that this unit
 * tracks, which Juju notes when it is read, and empty parts of Pebble's layers.
 */
export function stateDifferences<W>(before: State<W>, after: State<W>): readonly string[] {
  return differences(comparable(before), comparable(after));
}

function comparable<W>(state: State<W>): unknown {
  const secrets = state.secrets.map(({ tracked, ...secret }) =>
    secret.owner !== 'foreign' || tracked === undefined ? secret : { ...secret, tracked },
  );
  const containers = Object.entries(state.containers).map(([name, one]) => {
    const layers = one.layers.map(({ label, layer }) => ({ label, layer: withoutEmpty(layer) }));
    return [name, { ...one, layers }] as const;
  });
  return { ...state, secrets, containers: Object.fromEntries(containers) };
}

function withoutEmpty(layer: Layer): Layer {
  const parts = Object.entries(layer).filter(([, part]: [string, unknown]) => !isEmptyObject(part));
  return Object.fromEntries(parts);
}

interface Pair {
  readonly path: string;
  readonly left: unknown;
  readonly right: unknown;
}

function collect({ path, left, right }: Pair, lines: string[]): void {
  if (isObject(left) && isObject(right)) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      collect(
        { path: path === '' ? key : `${path}.${key}`, left: left[key], right: right[key] },
        lines,
      );
    }
  } else if (JSON.stringify(left) !== JSON.stringify(right)) {
    const from =
      typeof left === 'string' && typeof right === 'string' ? commonStart(left, right) : 0;
    lines.push(`${path}: ${show(left, from)} → ${show(right, from)}`);
  }
}

const shownLength = 300;

/** Long texts are shown from the first line that differs. */
function show(value: unknown, from: number): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  if (text.length <= shownLength) return text;
  const rest =
    typeof value === 'string' && from > 0 ? `…${JSON.stringify(value.slice(from))}` : text;
  return rest.length <= shownLength ? rest : `${rest.slice(0, shownLength - 1)}…`;
}

/** Where the first line begins that is not in both. */
function commonStart(left: string, right: string): number {
  let same = 0;
  while (same < left.length && left[same] === right[same]) same += 1;
  return left.lastIndexOf('\n', same - 1) + 1;
}

const texts = new WeakMap<object, string>();

/**
 * JSON with sorted keys; `undefined` for what JSON leaves out. States share most of their parts, so
 * the text of each part is kept. A part whose text is kept is frozen: nobody can change it unseen.
 */
function textOf(value: unknown): string | undefined {
  if (!isObject(value)) return JSON.stringify(value);
  if (value instanceof Uint8Array) {
    return JSON.stringify(`bytes ${Buffer.from(value).toString('base64')}`);
  }
  if ('toJSON' in value) return JSON.stringify(value);
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = Array.isArray(value) ? listText(value) : recordText(value);
  texts.set(Object.freeze(value), text);
  return text;
}

function listText(list: readonly unknown[]): string {
  return `[${list.map((element) => textOf(element) ?? 'null').join(',')}]`;
}

function recordText(record: Readonly<Record<string, unknown>>): string {
  const fields: string[] = [];
  for (const key of Object.keys(record).toSorted()) {
    const text = textOf(record[key]);
    if (text !== undefined) fields.push(`${JSON.stringify(key)}:${text}`);
  }
  return `{${fields.join(',')}}`;
}

function isEmptyObject(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length === 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
