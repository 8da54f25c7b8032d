// The files in which a charm declares itself: metadata.yaml, config.yaml and actions.yaml, reduced
// to what decides whether a state and an event are possible. Unknown fields are ignored.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

export type Role = 'provides' | 'requires' | 'peers';

export interface Endpoint {
  readonly role: Role;
  readonly limit?: number;
}

export type OptionType = 'string' | 'int' | 'float' | 'boolean' | 'secret';

export interface ConfigOption {
  readonly type: OptionType;
  readonly default?: string | number | boolean;
}

export interface ActionParameter {
  readonly type?: string;
  readonly default?: unknown;
}

export interface ActionDeclaration {
  readonly params: Readonly<Record<string, ActionParameter>>;
  readonly required: readonly string[];
}

export interface CharmFiles {
  readonly name: string;
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  readonly containers: readonly string[];
  readonly resources: readonly string[];
  readonly storages: Readonly<Record<string, { readonly multiple: boolean }>>;
  readonly options: Readonly<Record<string, ConfigOption>>;
  readonly actions: Readonly<Record<string, ActionDeclaration>>;
}

/** Reads the declaring files of a charm; only metadata.yaml must exist. */
export function readCharmFiles(directory: string): CharmFiles {
  return parseCharmFiles({
    metadata: readFileSync(join(directory, 'metadata.yaml'), 'utf8'),
    config: readOptional(join(directory, 'config.yaml')),
    actions: readOptional(join(directory, 'actions.yaml')),
  });
}

/** The same from texts. */
export function parseCharmFiles(texts: {
  readonly metadata: string;
  readonly config?: string | undefined;
  readonly actions?: string | undefined;
}): CharmFiles {
  const metadata = objectOf(parse(texts.metadata));
  return {
    name: String(metadata['name']),
    endpoints: {
      ...endpointsOf(metadata, 'provides'),
      ...endpointsOf(metadata, 'requires'),
      ...endpointsOf(metadata, 'peers'),
    },
    containers: Object.keys(objectOf(metadata['containers'])),
    resources: Object.keys(objectOf(metadata['resources'])),
    storages: mapObject(objectOf(metadata['storage']), (one) => ({
      multiple: objectOf(one)['multiple'] !== undefined,
    })),
    options: mapObject(objectOf(objectOf(parse(texts.config ?? ''))['options']), optionOf),
    actions: mapObject(objectOf(parse(texts.actions ?? '')), actionOf),
  };
}

function endpointsOf(metadata: Record<string, unknown>, role: Role): Record<string, Endpoint> {
  return mapObject(objectOf(metadata[role]), (declared) => {
    const limit = objectOf(declared)['limit'];
    return { role, ...(typeof limit === 'number' ? { limit } : {}) };
  });
}

function optionOf(declared: unknown): ConfigOption {
  const { type, default: value } = objectOf(declared);
  const known = optionTypes.find((one) => one === type);
  if (known === undefined) throw new Error(`config.yaml: unknown type ${JSON.stringify(type)}`);
  const usable =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return { type: known, ...(usable ? { default: value } : {}) };
}

const optionTypes: readonly OptionType[] = ['string', 'int', 'float', 'boolean', 'secret'];

function actionOf(declared: unknown): ActionDeclaration {
  const { params, required } = objectOf(declared);
  return {
    params: mapObject(objectOf(params), (one) => {
      const { type, default: value } = objectOf(one);
      return {
        ...(typeof type === 'string' ? { type } : {}),
        ...(value === undefined ? {} : { default: value }),
      };
    }),
    required: Array.isArray(required) ? required.map(String) : [],
  };
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function mapObject<T>(
  from: Record<string, unknown>,
  make: (value: unknown) => T,
): Record<string, T> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, make(value)]));
}

/** Anything that is not a mapping counts as an empty one. */
function objectOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
  return { ...value };
}
