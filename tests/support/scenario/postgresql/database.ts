// PostgreSQL and the object storage, as the charm's ports see them. A connection needs a member that
// answers in its pod, and a charm that may enter pods.

import { PostgresError } from '../../../../lib/sql/error.ts';
import type {
  ObjectStore,
  ObjectStoreSettings,
  Postgres,
  PostgresTarget,
} from '../../../../src/ports.ts';
import { openFakeObjectStore } from '../../fake-object-store.ts';
import type { Host } from '../host.ts';
import { archiveSegment } from './archiver.ts';
import { createCatalogue, failureOf } from './catalogue.ts';
import { allow } from './kube.ts';
import { archiveCommandIn, visibleMembers } from './patroni.ts';
import type { ObjectStoreWorld, PostgresqlWorld, PostgresWorld } from './world.ts';

/** The segment in which the server writes; switching in a fake leads to the same one every time. */
const segment = '000000010000000000000003';

/** Connects like the real port, or rejects like it. */
export async function connectFakePostgres(
  host: Host<PostgresqlWorld>,
  target: PostgresTarget,
): Promise<Postgres> {
  allow('enter', 'pods', host.world.get().kube);
  const { fault } = host.world.get().postgres;
  const answers = visibleMembers(host).some(
    ({ name, silent }) => name === target.pod && silent === undefined,
  );
  if (!answers) throw refused(target, 'unreachable');
  if (fault !== undefined) throw refused(target, fault);
  failAsTold(host, target);
  return await Promise.resolve(host.watch('postgres', createConnection(host, target)));
}

function failAsTold(host: Host<PostgresqlWorld>, target: PostgresTarget): void {
  const { faults } = host.world.get().postgres;
  const call = `connect ${target.database ?? 'postgres'}`;
  const fault = faults[call];
  if (fault !== undefined) throw failureOf(call, fault);
}

function createConnection(host: Host<PostgresqlWorld>, target: PostgresTarget): Postgres {
  const { database } = target;
  const update = (change: (now: PostgresWorld) => PostgresWorld): void => {
    host.world.update((now) => ({ ...now, postgres: change(now.postgres) }));
  };
  return {
    setUp: async (users) => {
      const { setUp: fault } = host.world.get().postgres.faults;
      if (fault !== undefined) throw failureOf('setUp', fault);
      const made = users.map(({ name, password, superuser = false, memberOf = [] }) => {
        const kept = host.world.get().postgres.roles[name]?.password;
        const text = password?.reveal() ?? kept;
        return [
          name,
          { superuser, memberOf, ...(text === undefined ? {} : { password: text }) },
        ] as const;
      });
      update((now) => ({ ...now, roles: { ...now.roles, ...Object.fromEntries(made) } }));
      await Promise.resolve();
    },
    setPassword: async (user, password) => {
      const role = host.world.get().postgres.roles[user];
      if (role === undefined)
        throw new PostgresError(`cannot change role "${user}": it does not exist`, { code: 'sql' });
      update((now) => ({
        ...now,
        roles: { ...now.roles, [user]: { ...role, password: password.reveal() } },
      }));
      await Promise.resolve();
    },
    switchWal: async () => {
      archiveSegment(host, target, segment);
      return await Promise.resolve(segment);
    },
    copying: async () => {
      const { backupRuns = false, copyPercent } = host.world.get().pgbackrest;
      const copied = copyPercent === undefined ? {} : { percent: copyPercent };
      return await Promise.resolve({ backupRuns, ...copied });
    },
    archiver: async () => {
      const { postgres, patroni } = host.world.get();
      const { archived, formerArchiveCommand: former } = postgres;
      const last = archived === 'done' ? { lastArchivedWal: segment } : { lastFailedWal: segment };
      const command = former ?? archiveCommandIn(patroni.config);
      return await Promise.resolve({ command, ...(archived === undefined ? {} : last) });
    },
    ...createCatalogue(host, database ?? 'postgres'),
    close: async () => {
      await Promise.resolve();
    },
  };
}

function refused(target: PostgresTarget, code: 'unreachable' | 'refused-login'): PostgresError {
  return new PostgresError(`cannot connect to "${target.pod}": ${code}`, { code });
}

/** One bucket of the storage of the world. */
export function openFakeStore(
  host: Host<PostgresqlWorld>,
  settings: ObjectStoreSettings,
): ObjectStore {
  const storage = {
    get: () => host.world.get().objectStore,
    update: (change: (now: ObjectStoreWorld) => ObjectStoreWorld) => {
      host.world.update((now) => ({ ...now, objectStore: change(now.objectStore) }));
    },
  };
  return host.watch('object-store', openFakeObjectStore(storage, settings));
}
