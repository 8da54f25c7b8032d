// What Patroni answers, as types: versions 3 and 4 say the same things in slightly different
// words, and the words that we act on are made one here.

import * as v from 'valibot';

import { present } from '../../lib/base/present.ts';
import type { PendingChange } from '../core/rolling-restart.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

const memberRoles = [
  'leader',
  'standby_leader',
  'sync_standby',
  'quorum_standby',
  'replica',
] as const;

/** As in `/cluster`. */
export type MemberRole = (typeof memberRoles)[number];

const memberStates = [
  'running',
  'streaming',
  'in archive recovery',
  'starting',
  'start failed',
  'restarting',
  'restart failed',
  'stopping',
  'stopped',
  'stop failed',
  'crashed',
  'initializing new cluster',
  'initdb failed',
  'running custom bootstrap script',
  'custom bootstrap failed',
  'creating replica',
] as const;

/** `unknown`: a state that this code has not heard of; `silent`: it does not answer now. */
export type MemberState = (typeof memberStates)[number] | 'unknown' | 'silent';

/** The member's own view of its role. */
export type OwnRole = 'primary' | 'standby_leader' | 'replica' | 'uninitialized' | 'unknown';

export interface Member {
  /** The pod's name. */
  readonly name: string;
  readonly role: MemberRole;
  readonly state: MemberState;
  readonly host?: string;
  readonly timeline?: number;
  /** Absent for the leader, and when Patroni does not know. */
  readonly lagBytes?: number;
  readonly tags: JsonObject;
  readonly pendingRestart: boolean;
}

export interface Cluster {
  readonly members: readonly Member[];
  readonly paused: boolean;
}

export interface Health {
  readonly state: MemberState;
  readonly role: OwnRole;
  /** `streaming` or `in archive recovery` on a replica that replicates. */
  readonly replicationState?: string;
  /** Names of who streams from this one, members or others; absent when that is not known. */
  readonly followers?: readonly string[];
  /** Up to where a replica has replayed its WAL, as a number. */
  readonly replayed?: number;
  readonly timeline?: number;
  /** As PostgreSQL numbers it: 140012. */
  readonly serverVersion?: number;
  readonly systemIdentifier?: string;
  readonly patroniVersion?: string;
  readonly pendingRestart: boolean;
  /** By parameter; from version 4 on. */
  readonly pendingChanges?: Readonly<Record<string, PendingChange>>;
  /** When the server process started, in PostgreSQL's words. */
  readonly startTime?: string;
}

const tags = v.fallback(v.optional(v.record(v.string(), v.unknown()), {}), {});
const flag = v.fallback(v.optional(v.boolean(), false), false);
const number = v.fallback(v.optional(v.number()), undefined);
const text = v.fallback(v.optional(v.string()), undefined);
const state = v.fallback(v.picklist([...memberStates, 'unknown']), 'unknown');

const setting = v.pipe(v.union([v.string(), v.number(), v.boolean()]), v.transform(String));
const changes = v.fallback(
  v.optional(
    v.record(
      v.string(),
      v.pipe(
        v.object({ old_value: setting, new_value: setting }),
        v.transform((change): PendingChange => ({ from: change.old_value, to: change.new_value })),
      ),
    ),
  ),
  undefined,
);

const followers = v.fallback(
  v.optional(
    v.pipe(
      v.array(v.object({ state: text, application_name: v.fallback(v.string(), '') })),
      v.transform((all) =>
        all.filter((one) => one.state === 'streaming').map((one) => one.application_name),
      ),
    ),
  ),
  undefined,
);

const memberSchema = v.pipe(
  v.object({
    name: v.string(),
    // Roles that newer versions may add behave like replicas.
    role: v.fallback(v.picklist(memberRoles), 'replica'),
    state,
    host: text,
    timeline: number,
    lag: number,
    tags,
    pending_restart: flag,
  }),
  v.transform(
    (member): Member => ({
      name: member.name,
      role: member.role,
      state: member.state,
      tags: member.tags,
      pendingRestart: member.pending_restart,
      ...present({ host: member.host, timeline: member.timeline, lagBytes: member.lag }),
    }),
  ),
);

export const clusterSchema = v.pipe(
  v.object({ members: v.array(memberSchema), pause: flag }),
  v.transform(({ members, pause }): Cluster => ({ members, paused: pause })),
);

const ownRoles: Readonly<Record<string, OwnRole>> = {
  // Patroni 3 says it this way.
  master: 'primary',
  primary: 'primary',
  standby_leader: 'standby_leader',
  replica: 'replica',
  uninitialized: 'uninitialized',
};

export const healthSchema = v.pipe(
  v.object({
    state,
    role: text,
    replication_state: text,
    replication: followers,
    xlog: v.fallback(v.optional(v.object({ replayed_location: number })), undefined),
    timeline: number,
    server_version: number,
    database_system_identifier: text,
    patroni: v.fallback(v.optional(v.object({ version: text })), undefined),
    pending_restart: flag,
    pending_restart_reason: changes,
    postmaster_start_time: text,
  }),
  v.transform(
    (health): Health => ({
      state: health.state,
      role: ownRoles[health.role ?? ''] ?? 'unknown',
      pendingRestart: health.pending_restart,
      ...present({
        replicationState: health.replication_state,
        followers: health.replication,
        replayed: health.xlog?.replayed_location,
        timeline: health.timeline,
        serverVersion: health.server_version,
        systemIdentifier: health.database_system_identifier,
        patroniVersion: health.patroni?.version,
        pendingChanges: health.pending_restart_reason,
        startTime: health.postmaster_start_time,
      }),
    }),
  ),
);

export const configSchema = v.record(v.string(), v.unknown());
