// PostgreSQL's archiver on the primary: runs the command that is in force there, which knows of the
// repository what pgBackRest's file in that pod says.

import type { PostgresTarget } from '../../../../src/ports.ts';
import type { Host } from '../host.ts';
import { archiveCommandIn } from './patroni.ts';
import { type RepositoryConfig, repositoryConfig } from './pgbackrest-cipher.ts';
import type { ObjectStoreWorld, PostgresqlWorld } from './world.ts';

const container = 'postgresql';

/** Archives one segment, or fails to. */
export function archiveSegment(
  host: Host<PostgresqlWorld>,
  target: PostgresTarget,
  segment: string,
): void {
  const { postgres, patroni, objectStore } = host.world.get();
  const { formerArchiveCommand = archiveCommandIn(patroni.config), ...rest } = postgres;
  const stanza = /^pgbackrest --stanza=(\S+) archive-push %p$/.exec(formerArchiveCommand)?.[1];
  const stored =
    stanza === undefined
      ? objectStore
      : push(objectStore, { config: configOf(host, target), stanza, segment });
  const succeeds = stanza === undefined || postgres.archiving === 'works';
  const isDone = succeeds && stored !== undefined;
  host.world.update((now) => ({
    ...now,
    postgres: { ...rest, archived: isDone ? 'done' : 'failed' },
    objectStore: isDone ? stored : objectStore,
  }));
}

function configOf(
  host: Host<PostgresqlWorld>,
  { pod }: PostgresTarget,
): RepositoryConfig | undefined {
  const file = host.pebble(container).state().files['/etc/pgbackrest.conf'];
  const config = file?.type === 'file' ? repositoryConfig(String(file.content)) : undefined;
  const { formerPath } = host.world.get().postgres;
  const isOther = pod !== host.state().unit.replace('/', '-');
  return config === undefined || formerPath === undefined || !isOther
    ? config
    : { ...config, path: formerPath };
}

interface Push {
  readonly config: RepositoryConfig | undefined;
  readonly stanza: string;
  readonly segment: string;
}

/** `undefined` without a file, or where no stanza has been made. */
function push(
  storage: ObjectStoreWorld,
  { config, stanza, segment }: Push,
): ObjectStoreWorld | undefined {
  const objects = config === undefined ? undefined : storage.buckets[config.bucket];
  const archive = `${config?.path}/archive/${stanza}`.replace(/^\//, '');
  if (config === undefined || objects?.[`${archive}/archive.info`] === undefined) return undefined;
  const key = `${archive}/17-1/${segment.slice(0, 16)}/${segment}-${'0a'.repeat(20)}.zst`;
  return {
    ...storage,
    buckets: { ...storage.buckets, [config.bucket]: { ...objects, [key]: '' } },
  };
}
