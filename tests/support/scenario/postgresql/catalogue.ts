// What the fake server knows of one database: its extensions, and the values that it takes.

import { PostgresError } from '../../../../lib/sql/error.ts';
import { mappedRoles } from '../../../../src/core/config/database-checks.ts';
import type { Postgres } from '../../../../src/ports.ts';
import type { Host } from '../host.ts';
import type { PostgresqlWorld, PostgresWorld } from './world.ts';

type Calls = Pick<
  Postgres,
  | 'databases'
  | 'extensions'
  | 'availableExtensions'
  | 'createExtensions'
  | 'dropExtension'
  | 'accepts'
>;

/** The error of a fault of the world. */
export function failureOf(call: string, fault: string): PostgresError {
  const message = `cannot ${call}: ${fault}`;
  return fault === 'unreachable' || fault === 'refused-login'
    ? new PostgresError(message, { code: fault })
    : new PostgresError(message, { code: 'sql', fields: { sqlState: fault } });
}

/** The calls of a connection to this database. */
export function createCatalogue(host: Host<PostgresqlWorld>, database: string): Calls {
  const now = (): PostgresWorld => host.world.get().postgres;
  const installed = (): readonly string[] => now().databases[database] ?? [];
  const fail = (call: string): void => {
    const fault = now().faults[call] ?? now().faults[`${call} ${database}`];
    if (fault !== undefined) throw failureOf(call, fault);
  };
  const install = (extensions: readonly string[]): void => {
    const databases = { ...now().databases, [database]: extensions };
    host.world.update((all) => ({ ...all, postgres: { ...all.postgres, databases } }));
  };
  return {
    databases: async () => {
      fail('databases');
      const names = Object.keys(now().databases).toSorted();
      const template = names.filter((name) => name === 'template1');
      return await Promise.resolve([...template, ...names.filter((one) => one !== 'template1')]);
    },
    extensions: async () => await Promise.resolve(installed()),
    availableExtensions: async () => await Promise.resolve(now().availableExtensions),
    createExtensions: async (names) => {
      fail('createExtensions');
      install([...installed(), ...names.filter((name) => !installed().includes(name))]);
      await Promise.resolve();
    },
    dropExtension: async (name) => {
      fail('dropExtension');
      const dependents = now().dependents[`${database} ${name}`] ?? [];
      if (dependents.length === 0) install(installed().filter((one) => one !== name));
      return await Promise.resolve(dependents);
    },
    accepts: async (judge, value) => {
      fail('accepts');
      const known = now().accepted[judge] ?? [];
      const asked = judge === 'roles' ? mappedRoles(value) : [value];
      return await Promise.resolve(asked.every((one) => known.includes(one)));
    },
  };
}
