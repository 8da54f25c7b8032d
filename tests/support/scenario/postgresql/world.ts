// What is around a PostgreSQL unit, as plain data: Patroni's cluster, Kubernetes, the database, the
// repository of backups and the object storage. What a running member shows follows from the own
// service of Pebble: while that is down, the own member neither answers nor is listed.

import type { KubeErrorCode } from '../../../../lib/kube/error.ts';
import type { KubeKind, KubeObject } from '../../../../lib/kube/kube.ts';
import type { FakeStorage } from '../../fake-object-store.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export interface PatroniMember {
  /** The pod's name. */
  readonly name: string;
  readonly role: 'leader' | 'standby_leader' | 'sync_standby' | 'quorum_standby' | 'replica';
  /** In Patroni's words: `running`, `streaming`, `starting`, `start failed`, … */
  readonly state: string;
  readonly timeline: number;
  readonly lagBytes?: number;
  /** Up to where a replica has replayed its WAL. */
  readonly replayed?: number;
  readonly tags?: JsonObject;
  readonly pendingRestart?: true;
  /** What a restart is pending for: by parameter, from what to what. */
  readonly pendingChanges?: Readonly<Record<string, readonly [from: string, to: string]>>;
  /** Patroni was restarted since, and does not know until it reads its file again. */
  readonly pendingForgotten?: true;
  /** In PostgreSQL's words. */
  readonly startTime?: string;
  /** What Patroni is to count it as, and when: it streams already. */
  readonly joins?: { readonly role: PatroniMember['role']; readonly atMs: number };
  /** `refused`: nobody listens; `timeout`: frozen. Answers when absent. */
  readonly silent?: 'refused' | 'timeout';
}

/** An answer that a request gets instead of the usual one. */
export interface HttpFault {
  readonly status: number;
  readonly body: string;
  /** It is carried out all the same; `lost`: and no answer comes. */
  readonly happens?: 'answered' | 'lost';
  /** When it begins and is over; always there unless told. */
  readonly fromMs?: number;
  readonly untilMs?: number;
}

export interface PatroniWorld {
  /** The own member only if it differs from what `starts` says. */
  readonly members: readonly PatroniMember[];
  /** State of the own member once its service runs. */
  readonly starts: string;
  /** The shared configuration. */
  readonly config: JsonObject;
  /** Whether the primary's Service leads to a member that answers. */
  readonly primaryService: 'answers' | 'refused' | 'timeout' | 'unresolved';
  readonly systemIdentifier: string;
  /** As PostgreSQL numbers it: 170004. */
  readonly serverVersion: number;
  /** By method and path: `POST /restart`, `PATCH /config`; of one member: `POST /restart name`. */
  readonly faults: Readonly<Record<string, HttpFault>>;
}

export interface KubeWorld {
  /** By kind and name: `pods/postgresql-k8s-0`. */
  readonly objects: Readonly<Record<string, KubeObject>>;
  /** By call and kind: `patch pods`, `apply services`; `*` for every call. */
  readonly faults: Readonly<Record<string, KubeErrorCode>>;
}

export type ObjectStoreWorld = FakeStorage;

export interface RoleState {
  readonly password?: string;
  readonly superuser: boolean;
  readonly memberOf: readonly string[];
}

export interface PostgresWorld {
  readonly roles: Readonly<Record<string, RoleState>>;
  /** `works`: a switched segment arrives where it is sent to; `fails`: it does not. */
  readonly archiving: 'works' | 'fails';
  /** What the last segment was sent by; until then there has been none. */
  readonly archived?: 'done' | 'failed';
  /** `archive_command` that takes one more segment before that of the configuration does. */
  readonly formerArchiveCommand?: string;
  /**
   * Path of the repository that a primary on another unit knows of, if it has not taken over the settings
   * that this one has.
   */
  readonly formerPath?: string;
  /** What psql says when the replication user cannot log in to the primary. */
  readonly replicationFault?: string;
  /** What every connection fails with. */
  readonly fault?: 'unreachable' | 'refused-login';
  /**
   * What a call fails with, by its name and perhaps its database, `connect app`: the code of the
   * error, or a SQLSTATE.
   */
  readonly faults: Readonly<Record<string, string>>;
  /** Extensions by database; `template1` among them. */
  readonly databases: Readonly<Record<string, readonly string[]>>;
  /** What the image has. */
  readonly availableExtensions: readonly string[];
  /** What depends on an extension, by database and extension: `app hstore`. */
  readonly dependents: Readonly<Record<string, readonly string[]>>;
  /** Values that the server takes, by who is asked: `time-zone`, `roles`. */
  readonly accepted: Readonly<Record<string, readonly string[]>>;
}

export interface BackupState {
  /** `20260131-120000F` */
  readonly label: string;
  readonly stanza: string;
  readonly failed?: true;
  /** First and last segment that it needs; the same third one of the first timeline unless told. */
  readonly wal?: readonly [start: string, stop: string];
  /** Its manifest has been removed: the next expiry removes the rest. */
  readonly manifestGone?: true;
}

/** A file below the repository's `archive`. */
export interface ArchiveFile {
  readonly seconds: number;
  /** Of a history file. */
  readonly text?: string;
}

export interface PgbackrestWorld {
  readonly stanzas: readonly string[];
  readonly backups: readonly BackupState[];
  /** By path: `<stanza>/17-1/00000002.history`. */
  readonly archive: Readonly<Record<string, ArchiveFile>>;
  /** Information files of a stanza whose creation was cut short, by their paths in the repository. */
  readonly half?: readonly string[];
  /** A backup, or an expiry, holds the lock of this pod. */
  readonly lock?: { readonly size: number; readonly complete: number };
  /** Somebody is making a backup. */
  readonly backupRuns?: true;
  /** How far the copy of the primary's data for a replica is. */
  readonly copyPercent?: number;
  /** By path below the stanza's folder of the archive or of the backups: what `verify` finds. */
  readonly damaged?: Readonly<Record<string, 'file missing' | 'invalid checksum'>>;
  /** Output of a failing command by its name: `stanza-create`, `info`, `backup`. */
  readonly faults: Readonly<Record<string, string>>;
}

export interface VolumeWorld {
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** What each data directory takes. */
  readonly usedBytes: number;
  /** As long as a file of this name is anywhere on it, nothing can be written to it. */
  readonly filledBy?: string;
  /** PostgreSQL outlives Patroni and does not end when it is told to. */
  readonly hangs?: true;
  /** What is wrong with the data that are restored on trial, in the words of who finds it. */
  readonly trial?: {
    readonly start?: string;
    readonly amcheck?: string;
    readonly checksums?: string;
    /** The server does not end. */
    readonly hangs?: true;
  };
}

export interface PostgresqlWorld {
  readonly patroni: PatroniWorld;
  readonly kube: KubeWorld;
  readonly objectStore: ObjectStoreWorld;
  readonly postgres: PostgresWorld;
  readonly pgbackrest: PgbackrestWorld;
  readonly volume: VolumeWorld;
}

/** The world without troubles, in which nothing has been set up yet. */
export function world(part: {
  readonly patroni?: Partial<PatroniWorld>;
  readonly kube?: Partial<KubeWorld>;
  readonly objectStore?: Partial<ObjectStoreWorld>;
  readonly postgres?: Partial<PostgresWorld>;
  readonly pgbackrest?: Partial<PgbackrestWorld>;
  readonly volume?: Partial<VolumeWorld>;
}): PostgresqlWorld {
  return {
    patroni: {
      members: [],
      starts: 'running',
      config: { ttl: 30, loop_wait: 10, retry_timeout: 10 },
      primaryService: 'answers',
      systemIdentifier: '7588888888888888888',
      serverVersion: 170_004,
      faults: {},
      ...part.patroni,
    },
    kube: { objects: {}, faults: {}, ...part.kube },
    objectStore: { buckets: {}, ...part.objectStore },
    postgres: {
      roles: {},
      archiving: 'works',
      faults: {},
      databases: { template1: ['plpgsql'], postgres: ['plpgsql'] },
      availableExtensions: ['plpgsql', 'pgaudit', 'hstore', 'cube', 'earthdistance', 'vector'],
      dependents: {},
      accepted: {},
      ...part.postgres,
    },
    pgbackrest: { stanzas: [], backups: [], archive: {}, faults: {}, ...part.pgbackrest },
    volume: {
      freeBytes: 10 * 2 ** 30,
      totalBytes: 20 * 2 ** 30,
      usedBytes: 2 ** 30,
      ...part.volume,
    },
  };
}

/** Key of an object in `KubeWorld.objects`. */
export function kubeKey(kind: KubeKind, name: string): string {
  return `${kind}/${name}`;
}
