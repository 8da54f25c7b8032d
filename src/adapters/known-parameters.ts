// Which parameters the server in the image has. The server itself lists them; the list is kept in a
// file beside the scripts, which a new image comes without, so it is asked once for each image.

import * as v from 'valibot';

import { PebbleError } from '../../lib/pebble/errors.ts';
import { chosenOptions, type Settings } from '../core/config/settings.ts';
import { watcherDirectory } from '../core/names.ts';
import { leftOutParameters } from '../core/render/patroni.ts';
import type { PostgresqlHook } from './cluster.ts';
import { readVersion, type WorkloadFacts } from './workload.ts';

const listPath = `${watcherDirectory}/known-parameters`;

export interface KnownParameters {
  readonly version: string;
  /** Names of parameters, and of the modules that are loaded with the server. */
  readonly names: ReadonlySet<string>;
  /** Whether the server has just been asked, for the first time in this image. */
  readonly isNew: boolean;
}

/** `undefined` when the server does not tell: then nothing is known to be wrong. */
export async function readKnownParameters(
  hook: PostgresqlHook,
  { binDir, preloadLibraries }: WorkloadFacts,
): Promise<KnownParameters | undefined> {
  const { pebble } = hook.ports;
  const kept = await pebble.pull(listPath);
  const list = kept ?? (await describeServer(hook, binDir));
  if (list === undefined) return undefined;
  if (kept === undefined) await pebble.push(listPath, list, { makeDirs: true });
  const [version = '', ...names] = list.trim().split('\n');
  const all = new Set([...names, ...preloadLibraries]);
  return { version, names: all, isNew: kept === undefined };
}

/** The version, then the names, one line each. */
async function describeServer(hook: PostgresqlHook, binDir: string): Promise<string | undefined> {
  try {
    const version = await readVersion(hook, binDir);
    const { exitCode, stdout, stderr } = await hook.ports.pebble.exec(
      [`${binDir}/postgres`, '--describe-config'],
      { timeoutMs: 10_000 },
    );
    const names = stdout.split('\n').flatMap((line) => /^(\w+)\t/.exec(line)?.[1] ?? []);
    if (exitCode === 0 && names.length > 0) return [version ?? '', ...names, ''].join('\n');
    hook.log('WARNING', `the server does not list its parameters: ${stderr}`);
  } catch (error) {
    if (!(error instanceof PebbleError) || error.code === 'unreachable') throw error;
    hook.log('WARNING', error.message);
  }
  return undefined;
}

/** Options that have been named in the log, in the state of the unit. */
const toldKey = 'left-out';

/**
 * Logs what the server does not have: all of it once for each image, and an option that is set although
 * it has no effect whenever it gets another value.
 */
export async function reportLeftOut(
  hook: PostgresqlHook,
  { version, names, isNew }: KnownParameters,
  settings: Settings,
): Promise<void> {
  const leftOut = leftOutParameters(settings, names);
  if (isNew && leftOut.length > 0) {
    hook.log('INFO', `PostgreSQL ${version} does not have ${leftOut.join(', ')}: left out`);
  }
  const chosen = chosenOptions(settings, leftOut);
  const told = parseTold(await hook.juju.state(toldKey));
  const untold = chosen.filter((option) => !told.includes(option));
  if (untold.length > 0) {
    hook.log('WARNING', `PostgreSQL ${version} has nothing that is set by ${untold.join(', ')}`);
  }
  hook.juju.setState({ [toldKey]: chosen.length === 0 ? undefined : JSON.stringify(chosen) });
}

const toldSchema = v.pipe(v.string(), v.parseJson(), v.array(v.string()));

function parseTold(text: string | undefined): readonly string[] {
  const result = v.safeParse(toldSchema, text);
  return result.success ? result.output : [];
}
