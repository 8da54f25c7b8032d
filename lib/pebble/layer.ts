// Layers as values: how Pebble lays one over another, and whether a plan already holds a layer.
// Pure; used by handlers to decide whether anything must be sent, and by the tests' Pebble.
// Rules: `replace` puts the entry in place of the old one; `merge` overwrites single values, appends
// lists and merges maps key by key. An empty value counts as absent.

import type { Layer, LayerCheck, LayerLogTarget, LayerService, Plan } from './pebble.ts';
import { parseDurationNs } from './time.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const lists = ['after', 'before', 'requires'] as const;

/** The plan that layers make, lowest first. */
export function combineLayers(layers: readonly Layer[]): Plan {
  return layers.reduce<Plan>(layOver, { services: {}, checks: {}, 'log-targets': {} });
}

/** One layer over another, as when both are added under one label. */
export function mergeLayers(base: Layer, layer: Layer): Layer {
  const { summary, description } = layer;
  return {
    ...(isEmpty(summary) ? {} : { summary }),
    ...(isEmpty(description) ? {} : { description }),
    ...layOver(combineLayers([base]), layer),
  };
}

/**
 * Whether the plan holds the layer already, so that it need not be added. Only entries that the
 * layer names count; durations are compared by length, so `90s` is `1m30s`; of a list that is to be
 * appended, every element must be there.
 */
export function planHasLayer(plan: Plan, layer: Layer): boolean {
  const added = layOver(plan, withoutPresentElements(plan, layer));
  return (
    Object.keys(layer.services ?? {}).every((name) =>
      isSame(plan.services[name], added.services[name]),
    ) &&
    Object.keys(layer.checks ?? {}).every((name) =>
      isSame(plan.checks[name], added.checks[name]),
    ) &&
    Object.keys(layer['log-targets'] ?? {}).every((name) =>
      isSame(plan['log-targets'][name], added['log-targets'][name]),
    )
  );
}

// Characters that JSON leaves alone and YAML does not take as they are.
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** The layer as a text that is JSON and YAML. */
export function renderLayer(layer: Layer): string {
  return JSON.stringify(layer).replaceAll(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Whether two entries configure the same, however they are written and whatever their override. */
export function isSame(one: object | undefined, other: object | undefined): boolean {
  return JSON.stringify(toCanonical(one)) === JSON.stringify(toCanonical(other));
}

/** The layer without those elements of appending lists that the plan has. */
function withoutPresentElements(plan: Plan, layer: Layer): Layer {
  return {
    services: mapMerging(plan.services, layer.services, (old, entry) => {
      const copy: Mutable<LayerService> = { ...entry };
      for (const key of lists) {
        if (entry[key] !== undefined) copy[key] = subtract(entry[key], old[key]);
      }
      return copy;
    }),
    ...(layer.checks === undefined ? {} : { checks: layer.checks }),
    'log-targets': mapMerging(plan['log-targets'], layer['log-targets'], (old, entry) => ({
      ...entry,
      services: subtract(entry.services, old.services),
    })),
  };
}

/** Changes the entries that would be merged into an old one. */
function mapMerging<T extends { readonly override: 'replace' | 'merge' }>(
  entries: Readonly<Record<string, T>>,
  added: Readonly<Record<string, T>> = {},
  change: (old: T, entry: T) => T,
): Readonly<Record<string, T>> {
  const pairs = Object.entries(added).map(([name, entry]): [string, T] => {
    const old = entries[name];
    return [name, old === undefined || entry.override === 'replace' ? entry : change(old, entry)];
  });
  return Object.fromEntries(pairs);
}

function subtract(list: readonly string[], from: readonly string[] = []): readonly string[] {
  return list.filter((element) => !from.includes(element));
}

function layOver(plan: Plan, layer: Layer): Plan {
  return {
    services: overlay(plan.services, layer.services, mergeService),
    checks: overlay(plan.checks, layer.checks, mergeCheck),
    'log-targets': overlay(plan['log-targets'], layer['log-targets'], mergeLogTarget),
  };
}

function overlay<T extends { readonly override: 'replace' | 'merge' }>(
  entries: Readonly<Record<string, T>>,
  added: Readonly<Record<string, T>> | undefined,
  merge: (old: T, entry: T) => T,
): Readonly<Record<string, T>> {
  return { ...entries, ...mapMerging(entries, added, merge) };
}

function mergeService(old: LayerService, entry: LayerService): LayerService {
  const merged: Mutable<LayerService> = { ...old, ...withoutEmpty(entry), override: old.override };
  for (const key of lists) {
    const list = [...(old[key] ?? []), ...(entry[key] ?? [])];
    if (list.length > 0) merged[key] = list;
  }
  const { environment } = entry;
  if (environment !== undefined) merged.environment = { ...old.environment, ...environment };
  const reactions = entry['on-check-failure'];
  if (reactions !== undefined) {
    merged['on-check-failure'] = { ...old['on-check-failure'], ...reactions };
  }
  return merged;
}

function mergeCheck(old: LayerCheck, entry: LayerCheck): LayerCheck {
  const merged: Mutable<LayerCheck> = { ...old, ...withoutEmpty(entry), override: old.override };
  const { http, tcp, exec } = entry;
  if (http !== undefined) {
    const headers = { ...old.http?.headers, ...http.headers };
    merged.http = { ...old.http, ...withoutEmpty(http), ...(isEmpty(headers) ? {} : { headers }) };
  }
  if (tcp !== undefined) merged.tcp = { ...old.tcp, ...withoutEmpty(tcp) };
  if (exec !== undefined) {
    const environment = { ...old.exec?.environment, ...exec.environment };
    const both = isEmpty(environment) ? {} : { environment };
    merged.exec = { ...old.exec, ...withoutEmpty(exec), ...both };
  }
  return merged;
}

function mergeLogTarget(old: LayerLogTarget, entry: LayerLogTarget): LayerLogTarget {
  const labels = { ...old.labels, ...entry.labels };
  return {
    ...old,
    ...withoutEmpty(entry),
    override: old.override,
    services: [...old.services, ...entry.services],
    ...(isEmpty(labels) ? {} : { labels }),
  };
}

/** A copy without values that count as absent. */
function withoutEmpty<T extends object>(entry: T): T {
  const copy = { ...entry };
  for (const key in copy) if (isEmpty(copy[key])) delete copy[key];
  return copy;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

const durations: ReadonlySet<string> = new Set([
  'backoff-delay',
  'backoff-limit',
  'kill-delay',
  'period',
  'timeout',
]);

/** Sorted keys, no empty values, durations as numbers, no `override`. */
function toCanonical(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const pairs = Object.entries(value)
    .filter(([key, field]) => key !== 'override' && !isEmpty(field))
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  return pairs.map(([key, field]) => {
    if (durations.has(key) && typeof field === 'string') return [key, parseDurationNs(field)];
    return [key, toCanonical(field)];
  });
}
