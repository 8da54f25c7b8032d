// Comparing states: two are the same when they differ only in what every run makes anew (secret
// ids, random passwords), and these stand in the same places. Used for the idempotence and kill
// checks, and to show what a run has changed.

import { madeTokens } from './host.ts';
import type { State } from './state.ts';

/** The state as text with sorted keys, in which made names are numbered in the order they appear. */
export function canonical(value: unknown): string {
  const names = new Map<string, string>();
  return JSON.stringify(value, sorted).replaceAll(madeTokens, (token) => {
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
 * The same for states. Which revision of an own secret this unit tracks is left out: Juju notes it
 * when the secret is read, and nobody else can see it.
 */
export function stateDifferences<W>(before: State<W>, after: State<W>): readonly string[] {
  return differences(withoutTracking(before), withoutTracking(after));
}

function withoutTracking<W>(state: State<W>): State<W> {
  const secrets = state.secrets.map(({ tracked, ...secret }) =>
    secret.owner !== 'foreign' || tracked === undefined ? secret : { ...secret, tracked },
  );
  return { ...state, secrets };
}

interface Pair {
  readonly path: string;
  readonly left: unknown;
  readonly right: unknown;
}

function collect({ path, left, right }: Pair, lines: string[]): void {
  if (isObject(left) && isObject(right)) {
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      collect({ path: path === '' ? key : `${path}.${key}`, left: left[key], right: right[key] }, lines);
    }
  } else if (JSON.stringify(left) !== JSON.stringify(right)) {
    lines.push(`${path}: ${show(left)} → ${show(right)}`);
  }
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

function sorted(_key: string, value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`;
  if (!isObject(value) || Array.isArray(value)) return value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, value[key]]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
