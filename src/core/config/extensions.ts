// The extensions that an operator switches on and off, as one table, and what follows from it: the
// options, which extensions are wanted, and in which order they come and go. Pure.

import { lazy } from '../../../lib/base/lazy.ts';

/** One switch: `plugin_<name>_enable`. */
interface Plugin {
  readonly option: string;
  readonly extensions: readonly string[];
  /** Extensions without which these cannot be created. */
  readonly needs: readonly string[];
  readonly default: boolean;
  readonly description: string;
}

interface PluginDetails {
  /** The name of the switch unless told. */
  readonly extensions?: readonly string[];
  readonly needs?: readonly string[];
  /** Off unless told. */
  readonly default?: boolean;
}

function plugin(name: string, purpose: string, details: PluginDetails = {}): Plugin {
  const { extensions = [name], needs = [], default: enabled = false } = details;
  const needed = needs.length === 0 ? '' : ` Needs ${needs.join(' and ')}.`;
  return {
    option: `plugin_${name}_enable`,
    extensions,
    needs,
    default: enabled,
    description: `${extensions.join(', ')} in every database: ${purpose}.${needed}`,
  };
}

// Differs: bool_plperl and earthdistance name what their control files require, so that a switch
// that cannot work is refused instead of failing in the log.
const plugins: readonly Plugin[] = [
  plugin('address_standardizer_data_us', 'tables for normalising addresses of the United States', {
    needs: ['postgis'],
  }),
  plugin('address_standardizer', 'splits an address into its parts', { needs: ['postgis'] }),
  plugin('audit', 'audit log of roles, schema changes and sessions', {
    extensions: ['pgaudit'],
    default: true,
  }),
  plugin('bloom', 'index over many columns with Bloom filters'),
  plugin('bool_plperl', 'booleans as Perl values', { needs: ['plperl'] }),
  plugin('btree_gin', 'ordinary types in GIN indexes'),
  plugin('btree_gist', 'ordinary types in GiST indexes, for exclusion constraints too'),
  plugin('citext', 'text that compares without regard to case'),
  plugin('cube', 'points and boxes in many dimensions'),
  plugin('debversion', "version numbers in Debian's order"),
  plugin('dict_int', 'text search dictionary for whole numbers'),
  plugin('dict_xsyn', 'text search dictionary with synonyms'),
  plugin('earthdistance', 'great-circle distances on the Earth', { needs: ['cube'] }),
  plugin('fuzzystrmatch', 'similarity and distance of words, by sound too'),
  plugin('hll', 'approximate distinct counts (HyperLogLog)'),
  plugin('hstore', 'sets of key and value in one column'),
  plugin('hypopg', 'hypothetical indexes, to try them without building them'),
  plugin('icu_ext', 'functions of the ICU library for Unicode text'),
  plugin('intarray', 'operators and indexes for arrays of integers'),
  plugin('ip4r', 'ranges of IPv4 and IPv6 addresses, with indexes'),
  plugin('isn', 'ISBN, ISSN, EAN and other product numbers'),
  plugin('jsonb_plperl', 'jsonb as Perl values', { needs: ['plperl'] }),
  plugin('lo', 'upkeep of large objects that a column refers to'),
  plugin('ltree', 'labels of a tree, and searching in it'),
  plugin('old_snapshot', 'inspection of old_snapshot_threshold, up to PostgreSQL 16'),
  plugin('orafce', 'functions and packages of Oracle'),
  plugin('pg_freespacemap', 'inspection of the free space map'),
  plugin('pg_similarity', 'similarity functions for text'),
  plugin('pg_trgm', 'similarity of text by trigrams, with indexes for LIKE'),
  plugin('pg_visibility', 'inspection of the visibility map'),
  plugin('pgrowlocks', 'shows which rows are locked'),
  plugin('pgstattuple', 'statistics of live and dead rows'),
  plugin('pg_stat_statements', 'statistics of the statements that were run'),
  plugin('plperl', 'functions in trusted Perl'),
  plugin('plpython3u', 'functions in Python, for superusers'),
  plugin('pltcl', 'functions in trusted Tcl'),
  plugin('postgis', 'geometry and geography'),
  plugin('postgis_raster', 'raster data for PostGIS', { needs: ['postgis'] }),
  plugin('postgis_tiger_geocoder', 'addresses to places, with the TIGER data', {
    needs: ['postgis', 'fuzzystrmatch'],
  }),
  plugin('postgis_topology', 'topology for PostGIS', { needs: ['postgis'] }),
  plugin('prefix', 'prefix ranges with indexes, for telephone numbers'),
  plugin('rdkit', 'molecules and chemical search'),
  plugin('seg', 'intervals of floating-point numbers'),
  plugin('spi', 'ready-made trigger functions', {
    extensions: ['refint', 'autoinc', 'insert_username', 'moddatetime'],
  }),
  plugin('tablefunc', 'functions that return tables, crosstab among them'),
  plugin('tcn', 'trigger that notifies of changed rows'),
  plugin('tds_fdw', 'tables of Sybase and SQL Server as foreign tables'),
  plugin('timescaledb', 'time series in hypertables'),
  plugin('tsm_system_rows', 'TABLESAMPLE with a number of rows'),
  plugin('tsm_system_time', 'TABLESAMPLE with a limit of time'),
  plugin('unaccent', 'text search dictionary that takes accents off'),
  plugin('uuid_ossp', 'generators of UUIDs', { extensions: ['uuid-ossp'] }),
  plugin('vector', 'vectors, and searching for the nearest ones'),
];

/** The switches as rows of the option table. */
export const extensionOptions = plugins.map((row) => ({
  name: row.option,
  type: 'boolean' as const,
  default: row.default,
  target: { kind: 'charm' } as const,
  description: row.description,
}));

/** Names of the options that are on, in the order of the table. */
export function enabledPlugins(raw: Readonly<Record<string, unknown>>): readonly string[] {
  return plugins
    .filter((row) => (raw[row.option] ?? row.default) === true)
    .map(({ option }) => option);
}

/** The extensions that these options stand for. */
export function wantedExtensions(enabled: readonly string[]): readonly string[] {
  return plugins.filter(({ option }) => enabled.includes(option)).flatMap((row) => row.extensions);
}

/** One sentence for each option that is on without what it needs. */
export function unsatisfiedPlugins(enabled: readonly string[]): readonly string[] {
  const wanted = wantedExtensions(enabled);
  return plugins
    .filter(({ option }) => enabled.includes(option))
    .flatMap(({ option, needs }) => {
      const missing = needs.filter((name) => !wanted.includes(name));
      return missing.length === 0 ? [] : [`${option} needs ${missing.join(' and ')}`];
    });
}

export interface ExtensionPlan {
  /** What is needed by others comes first. */
  readonly create: readonly string[];
  /** What needs others comes first. */
  readonly drop: readonly string[];
}

/** What all databases are to have, and not to have any more. Whatever else is there stays. */
export interface ExtensionGoal {
  readonly wanted: readonly string[];
  readonly unwanted: readonly string[];
}

/** What one database lacks, and has too much. */
export function planExtensions(
  { wanted, unwanted }: ExtensionGoal,
  installed: readonly string[],
): ExtensionPlan {
  const ordered = inOrder();
  const tooMuch = ordered.filter((name) => unwanted.includes(name) && !wanted.includes(name));
  return {
    create: ordered.filter((name) => wanted.includes(name) && !installed.includes(name)),
    drop: tooMuch.filter((name) => installed.includes(name)).toReversed(),
  };
}

const inOrder = lazy(() =>
  plugins.flatMap((row) => row.extensions).toSorted((one, other) => depthOf(one) - depthOf(other)),
);

/** How many extensions have to be there before, one needing the other. */
function depthOf(extension: string): number {
  const needs = plugins.flatMap((row) => (row.extensions.includes(extension) ? row.needs : []));
  return needs.reduce((depth, needed) => Math.max(depth, 1 + depthOf(needed)), 0);
}

/**
 * What the audit extension logs. As parameters of the server they are in force from its first start
 * on and are never reset in between, so nothing goes unaudited.
 */
export function extensionParameters(enabled: readonly string[]): Readonly<Record<string, string>> {
  if (!wantedExtensions(enabled).includes('pgaudit')) return {};
  return {
    'pgaudit.log': 'ROLE,DDL,MISC,MISC_SET',
    'pgaudit.log_client': 'off',
    'pgaudit.log_parameter': 'off',
  };
}
