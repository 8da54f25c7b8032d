// Everything outside that the PostgreSQL charm talks to besides Juju. `main.ts` builds the real
// ones; the scenario kit builds them in memory.

import type { Clock } from '../lib/base/clock.ts';
import type { HttpPort } from '../lib/base/http-port.ts';
import type { Random } from '../lib/base/random.ts';
import type { Secret } from '../lib/base/secret.ts';
import type { Kube } from '../lib/kube/kube.ts';
import type { Pebble } from '../lib/pebble/pebble.ts';
import type { DatabaseJudge } from './core/config/database-checks.ts';

export interface ObjectStoreSettings {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly uriStyle: 'host' | 'path';
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  /** PEM of the authorities that signed the server's certificate. */
  readonly caChain?: string;
}

/**
 * One bucket of an S3 server. Every call rejects with `ObjectStoreError`: codes `unreachable`,
 * `untrusted`, `wrong-key`, `wrong-secret`, `forbidden`, `no-bucket`, `api`.
 */
export interface ObjectStore {
  /** Makes the bucket unless it exists. */
  ensureBucket(): Promise<void>;
  /** The object's text, or `undefined` when there is none. Keys have no leading `/`. */
  get(key: string): Promise<string | undefined>;
  /** The first bytes of an object, at most so many. */
  start(key: string, bytes: number): Promise<Uint8Array | undefined>;
  put(key: string, text: string): Promise<void>;
  /**
   * Names of what is directly in a folder, sorted; those of folders end with `/`. The folder's own
   * name ends with `/`, or is empty for the bucket itself.
   */
  list(folder: string): Promise<readonly string[]>;
}

export interface SystemUser {
  readonly name: string;
  readonly password?: Secret;
  readonly superuser?: boolean;
  /** Predefined roles to be a member of. */
  readonly memberOf?: readonly string[];
}

export interface ArchiverState {
  /** The `archive_command` that is in force. */
  readonly command: string;
  readonly lastArchivedWal?: string;
  readonly lastFailedWal?: string;
}

/** What copies the data of the primary at the moment. */
export interface CopyActivity {
  /** pgBackRest makes a backup. */
  readonly backupRuns: boolean;
  /** How far a replica that is made anew has come, if there is one. */
  readonly percent?: number;
}

/** A server, entered in its own pod as `operator`: superusers are not let in over the network. */
export interface PostgresTarget {
  /** The pod's name. */
  readonly pod: string;
  /** `postgres` unless told. */
  readonly database?: string;
}

/** One connection. Rejects with `PostgresError`: codes `unreachable`, `refused-login`, `sql`. */
export interface Postgres {
  /** Makes system users, access groups and default privileges true; safe to repeat. */
  setUp(users: readonly SystemUser[]): Promise<void>;
  /** Sets a password, unless it is set already, without letting it reach the server's log. */
  setPassword(user: string, password: Secret): Promise<void>;
  /** Writes a restore point, ends the WAL segment it is in and gives that segment's file name. */
  switchWal(): Promise<string>;
  /** What the archiver did last (pg_stat_archiver). */
  archiver(): Promise<ArchiverState>;
  copying(): Promise<CopyActivity>;
  /** Names of databases that take connections: `template1`, then those that are no templates. */
  databases(): Promise<readonly string[]>;
  /** Extensions that the connected database has. */
  extensions(): Promise<readonly string[]>;
  /** Extensions that the server could create. */
  availableExtensions(): Promise<readonly string[]>;
  /** Creates all, in this order, or none. */
  createExtensions(names: readonly string[]): Promise<void>;
  /** Drops one, unless other objects depend on it: these are described, and it stays. */
  dropExtension(name: string): Promise<readonly string[]>;
  /** Whether the server takes this value of an option. */
  accepts(judge: DatabaseJudge, value: string): Promise<boolean>;
  close(): Promise<void>;
}

export interface PostgresqlPorts {
  /** The workload container `postgresql`. */
  readonly pebble: Pebble;
  /** Patroni's REST interface. */
  readonly http: HttpPort;
  readonly kube: Kube;
  readonly clock: Clock;
  readonly random: Random;
  /** Also rejects with `KubeError`, code `forbidden`, as long as the charm may not enter pods. */
  connectPostgres(target: PostgresTarget): Promise<Postgres>;
  openObjectStore(settings: ObjectStoreSettings): ObjectStore;
}
