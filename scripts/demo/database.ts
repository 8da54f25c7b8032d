/**
 * One unit's own server, asked from inside its workload container: psql and pgbench over the local
 * socket, as the user that owns the data directory, with the database role `operator`.
 */

import type { RunResult } from './juju.ts';
import type { Model } from './model.ts';

export interface Server {
  readonly unit: string;
  /** Runs SQL given as a whole; rows as lines, columns separated by `|`. */
  query(sql: string, options?: QueryOptions): Promise<string>;
  /** Runs one of PostgreSQL's programs; its arguments may hold plain words only. */
  program(name: string, args: readonly string[], timeoutMs?: number): Promise<RunResult>;
}

export interface QueryOptions {
  readonly database?: string;
  readonly timeoutMs?: number;
}

const container = 'postgresql';
const dataDirectory = '/var/lib/postgresql/data/pgdata';
const socketDirectory = '/var/run/postgresql';
const plainWord = /^[\w./:=+-]+$/;

export function openServer(model: Model, unit: string): Server {
  const inWorkload = async (
    words: readonly string[],
    run: { input?: string; timeoutMs?: number },
  ) => {
    const strange = words.find((word) => !plainWord.test(word));
    if (strange !== undefined) throw new Error(`cannot pass "${strange}" through the shell`);
    // The remote side joins its arguments and hands them to a shell.
    const command = `exec runuser -u "$(stat -c %U ${dataDirectory})" -- ${words.join(' ')}`;
    return await model.run('ssh', ['--container', container, unit, command], run);
  };
  return {
    unit,
    query: async (sql, options = {}) => {
      const database = options.database ?? 'postgres';
      const words = ['psql', '-X', '-q', '-At', '-v', 'ON_ERROR_STOP=1', ...connection(database)];
      const { timeoutMs = 60_000 } = options;
      const result = await inWorkload(words, { input: `${sql}\n`, timeoutMs });
      return result.stdout.trim();
    },
    program: async (name, args, timeoutMs = 300_000) =>
      await inWorkload([name, ...args], { timeoutMs }),
  };
}

/** Options that psql and pgbench share. */
export function connection(database: string): readonly string[] {
  return ['-h', socketDirectory, '-U', 'operator', '-d', database];
}
