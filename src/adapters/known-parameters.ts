// Which parameters the server in the image has. The server itself lists them; the list is kept in a
// file beside the scripts, which a new image comes without, so it is asked once for each image.

import { PebbleError } from '../../lib/pebble/errors.ts';
import { watcherDirectory } from '../core/names.ts';
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

/** Logs what the server does not have, once for each image. */
export function reportLeftOut(
  hook: PostgresqlHook,
  known: KnownParameters | undefined,
  leftOut: readonly string[],
): void {
  if (known?.isNew !== true || leftOut.length === 0) return;
  hook.log('INFO', `PostgreSQL ${known.version} does not have ${leftOut.join(', ')}: left out`);
}
