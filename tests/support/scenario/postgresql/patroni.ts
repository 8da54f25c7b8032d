// Patroni's REST interface answering from the world: `127.0.0.1` is the own member, other members
// are known by the first label of their host, and the primary's Service by its name. A request that
// Patroni does not have, or that goes to nobody known, fails the scenario.
// Source: Patroni documentation, "Patroni REST API".

import { HttpError, type HttpErrorCode } from '../../../../lib/base/http.ts';
import type { HttpPort, HttpRequest, HttpResponse } from '../../../../lib/base/http-port.ts';
import type { Host } from '../host.ts';
import { appOf } from '../state.ts';
import type {
  HttpFault,
  JsonObject,
  PatroniMember,
  PatroniWorld,
  PostgresqlWorld,
} from './world.ts';

const container = 'postgresql';
const replayedUnlessTold = 83_886_080;
const service = 'postgresql';

/** HTTP to Patroni. */
export function createPatroniHttp(host: Host<PostgresqlWorld>): HttpPort {
  return async (request) => await Promise.resolve(answerRequest(host, request));
}

function answerRequest(host: Host<PostgresqlWorld>, request: HttpRequest): HttpResponse {
  const url = new URL(request.url);
  const { patroni } = host.world.get();
  const member = memberAt(host, request, url);
  const key = `${request.method} ${url.pathname}`;
  const fault = patroni.faults[`${key} ${member.name}`] ?? patroni.faults[key];
  const handle = routes[key];
  if (handle === undefined) throw host.unexpected(`Patroni has no ${key}`);
  if (fault !== undefined && isThere(fault, host.clock.nowMs())) {
    if (fault.happens !== undefined) handle({ host, member, url, body: parseBody(request) });
    if (fault.happens === 'lost') throw failure(request, 'timeout');
    return response(fault.status, fault.body);
  }
  if (request.method !== 'GET' && request.headers?.['authorization'] === undefined) {
    return response(401, 'no auth header received');
  }
  return handle({ host, member, url, body: parseBody(request) });
}

function isThere({ fromMs = 0, untilMs = Infinity }: HttpFault, nowMs: number): boolean {
  return nowMs >= fromMs && nowMs < untilMs;
}

function memberAt(host: Host<PostgresqlWorld>, request: HttpRequest, url: URL): PatroniMember {
  const { unit } = host.state();
  const { patroni } = host.world.get();
  const own = unit.replace('/', '-');
  const members = visibleMembers(host);
  if (url.hostname.startsWith(`${appOf(unit)}-primary.`)) {
    if (patroni.primaryService !== 'answers') throw failure(request, patroni.primaryService);
    const leader = members.find(({ role, silent }) => isLeading(role) && silent === undefined);
    if (leader === undefined) throw failure(request, 'refused');
    return leader;
  }
  const name = url.hostname === '127.0.0.1' ? own : url.hostname.replace(/\..*$/, '');
  const member = members.find((one) => one.name === name);
  if (member !== undefined) {
    if (member.silent !== undefined) throw failure(request, member.silent);
    return member;
  }
  if (name === own) throw failure(request, 'refused');
  throw failure(request, 'unresolved');
}

/** The members as Patroni lists them now. */
export function visibleMembers(host: Host<PostgresqlWorld>): readonly PatroniMember[] {
  const { patroni: stored } = host.world.get();
  const patroni = { ...stored, members: settled(stored.members, host.clock.nowMs()) };
  const own = host.state().unit.replace('/', '-');
  const others = patroni.members.filter(({ name }) => name !== own);
  const running = host.pebble(container).state().services[service]?.current === 'active';
  if (!running) return others;
  return [...others, patroni.members.find(({ name }) => name === own) ?? freshMember(own, patroni)];
}

function freshMember(name: string, { members, starts }: PatroniWorld): PatroniMember {
  const leader = members.find(({ role }) => isLeading(role));
  if (leader === undefined) return { name, role: 'leader', state: starts, timeline: 1 };
  const state = starts === 'running' ? 'streaming' : starts;
  return { name, role: 'replica', state, timeline: leader.timeline, lagBytes: 0 };
}

/** After so many turns of its loop at most Patroni counts a standby that streams as synchronous. */
const turnsUntilSynchronous = 2;

/** A standby that streams anew: until Patroni counts it again it is a replica like any other. */
function joining(host: Host<PostgresqlWorld>, member: PatroniMember): PatroniMember {
  const role = member.joins?.role ?? member.role;
  if (role === 'replica' || isLeading(role)) return member;
  const turnMs = Number(host.world.get().patroni.config['loop_wait'] ?? 10) * 1000;
  const atMs = host.clock.nowMs() + turnsUntilSynchronous * turnMs;
  return { ...member, role: 'replica', joins: { role, atMs } };
}

/** What time has brought about. */
function settled(members: readonly PatroniMember[], nowMs: number): readonly PatroniMember[] {
  return members.map((member) => {
    const { joins, ...rest } = member;
    return joins === undefined || joins.atMs > nowMs ? member : { ...rest, role: joins.role };
  });
}

/** The members so much later, by a clock that begins anew. */
export function membersLater(
  members: readonly PatroniMember[],
  elapsedMs: number,
): readonly PatroniMember[] {
  if (elapsedMs === Infinity) return settled(members, Infinity);
  return members.map((member) => {
    const { joins } = member;
    if (joins === undefined) return member;
    return { ...member, joins: { ...joins, atMs: joins.atMs - elapsedMs } };
  });
}

interface Call {
  readonly host: Host<PostgresqlWorld>;
  readonly member: PatroniMember;
  readonly url: URL;
  readonly body: JsonObject;
}

const routes: Readonly<Record<string, (call: Call) => HttpResponse>> = {
  'GET /cluster': ({ host }) =>
    response(200, {
      members: visibleMembers(host).map(listedMember),
      ...(host.world.get().patroni.config['pause'] === true ? { pause: true } : {}),
      scope: `patroni-${appOf(host.state().unit)}`,
    }),
  'GET /health': ({ host, member }) => response(isUp(member) ? 200 : 503, healthOf(host, member)),
  'GET /leader': ({ host, member }) =>
    response(isLeading(member.role) && isUp(member) ? 200 : 503, healthOf(host, member)),
  'GET /primary': ({ host, member }) =>
    response(member.role === 'leader' && isUp(member) ? 200 : 503, healthOf(host, member)),
  'GET /replica': ({ host, member, url }) => {
    const allowed = Number(url.searchParams.get('lag') ?? Number.MAX_SAFE_INTEGER);
    const close = !isLeading(member.role) && isUp(member) && (member.lagBytes ?? 0) <= allowed;
    return response(close ? 200 : 503, healthOf(host, member));
  },
  'GET /config': ({ host }) => response(200, host.world.get().patroni.config),
  'PATCH /config': ({ host, body }) => {
    const merged = merge(host.world.get().patroni.config, body);
    keepArchiveCommand(host, merged);
    updatePatroni(host, (patroni) => ({
      ...patroni,
      config: merged,
      members: raiseStandbys(host, patroni.members, merged['synchronous_node_count']),
    }));
    return response(200, merged);
  },
  'POST /restart': ({ host, member, body }) => {
    if (body['restart_pending'] === true && member.pendingRestart === undefined)
      return response(503, 'restart conditions are not satisfied');
    host.disturb(`Patroni restarted PostgreSQL of ${member.name}`);
    const leader = visibleMembers(host).find(({ role }) => isLeading(role));
    replaceMember(host, joining(host, startedAnew(member, leader)));
    return response(200, 'restarted successfully');
  },
  'POST /reload': ({ host, member }) => {
    host.disturb(`Patroni of ${member.name} reloaded its file`);
    const { pendingForgotten: _forgotten, ...reminded } = member;
    replaceMember(host, reminded);
    return response(202, 'reload scheduled');
  },
  'POST /reinitialize': ({ host, member }) => {
    if (isLeading(member.role)) return response(503, 'I am the leader, can not reinitialize');
    host.disturb(`Patroni cloned ${member.name} anew`);
    const leader = visibleMembers(host).find(({ role }) => isLeading(role));
    const timeline = leader?.timeline ?? member.timeline;
    const startTime = `${member.startTime ?? ''}+`;
    replaceMember(host, { ...member, state: 'streaming', lagBytes: 0, timeline, startTime });
    return response(200, 'reinitialize started');
  },
  'POST /switchover': switchOver,
  'POST /failover': ({ host, body }) => {
    const candidate = visibleMembers(host).find(({ name }) => name === body['candidate']);
    if (candidate === undefined) return response(412, 'candidate does not exists');
    host.disturb(`Patroni failed over to ${candidate.name}`);
    const timeline = candidate.timeline + 1;
    replaceMember(host, { ...candidate, role: 'leader', state: 'running', timeline });
    return response(200, `Successfully failed over to "${candidate.name}"`);
  },
};

/** Patroni tells PostgreSQL with the next turn of its loop, and WAL does not wait for that. */
function keepArchiveCommand(host: Host<PostgresqlWorld>, config: JsonObject): void {
  const { patroni, postgres } = host.world.get();
  const former = archiveCommandIn(patroni.config);
  if (former === archiveCommandIn(config)) return;
  host.world.update((now) => ({ ...now, postgres: { ...postgres, formerArchiveCommand: former } }));
}

/** By which PostgreSQL archives when all members follow this. */
export function archiveCommandIn({ postgresql }: JsonObject): string {
  const parameters = isObject(postgresql) ? postgresql['parameters'] : undefined;
  const command = isObject(parameters) ? parameters['archive_command'] : undefined;
  return typeof command === 'string' ? command : '/bin/true';
}

/** More synchronous standbys come from the replicas that stream; fewer come about later. */
function raiseStandbys(
  host: Host<PostgresqlWorld>,
  members: readonly PatroniMember[],
  wanted: unknown,
): readonly PatroniMember[] {
  const roleOf = ({ role, joins }: PatroniMember) => joins?.role ?? role;
  const present = members.filter((member) => roleOf(member) === 'sync_standby').length;
  let missing = typeof wanted === 'number' ? wanted - present : 0;
  return members.map((member) => {
    const raised = missing > 0 && roleOf(member) === 'replica' && member.state === 'streaming';
    if (!raised) return member;
    missing -= 1;
    return joining(host, { ...member, role: 'sync_standby' });
  });
}

function switchOver({ host, body }: Call): HttpResponse {
  const members = visibleMembers(host);
  const leader = members.find(({ role }) => isLeading(role));
  if (leader === undefined || leader.name !== body['leader'])
    return response(412, 'leader name does not match');
  const wanted = body['candidate'];
  const synchronous = members.filter(
    ({ role }) => role === 'sync_standby' || role === 'quorum_standby',
  );
  const candidate = synchronous.find(({ name }) => wanted === undefined || name === wanted);
  if (candidate === undefined)
    return response(412, 'candidate name does not match with sync_standby');
  host.disturb(`Patroni switched over from ${leader.name} to ${candidate.name}`);
  const timeline = leader.timeline + 1;
  updatePatroni(host, (patroni) => ({
    ...patroni,
    members: members.map((one) => {
      if (one.name === candidate.name)
        return { ...candidate, role: leader.role, state: 'running', timeline };
      // It is started anew to follow.
      if (one.name === leader.name) {
        const follower = startedAnew(one, candidate);
        const role = candidate.role;
        return joining(host, { ...follower, role, state: 'streaming', timeline });
      }
      return joining(host, { ...one, timeline });
    }),
  }));
  return response(200, `Successfully switched over to "${candidate.name}"`);
}

function listedMember(member: PatroniMember): JsonObject {
  return {
    name: member.name,
    role: member.role,
    state: member.state,
    host: member.name,
    port: 5432,
    timeline: member.timeline,
    ...(isLeading(member.role) ? {} : { lag: member.lagBytes ?? 'unknown' }),
    ...(member.tags === undefined ? {} : { tags: member.tags }),
    ...pendingOf(member),
  };
}

function healthOf(host: Host<PostgresqlWorld>, member: PatroniMember): JsonObject {
  const { patroni } = host.world.get();
  const replicates = member.state === 'streaming' || member.state === 'in archive recovery';
  const roles: Readonly<Record<string, string>> = {
    leader: 'primary',
    standby_leader: 'standby_leader',
  };
  return {
    state: replicates ? 'running' : member.state,
    role: roles[member.role] ?? 'replica',
    ...(replicates ? { replication_state: member.state } : {}),
    ...(isLeading(member.role) ? { replication: streamsOf(host, member) } : {}),
    ...(isUp(member) ? { server_version: patroni.serverVersion, timeline: member.timeline } : {}),
    ...(isUp(member) && !isLeading(member.role) ? { xlog: xlogOf(member) } : {}),
    ...pendingOf(member),
    ...(member.startTime === undefined ? {} : { postmaster_start_time: member.startTime }),
    database_system_identifier: patroni.systemIdentifier,
    patroni: { version: '4.0.5', scope: `patroni-${appOf(host.state().unit)}`, name: member.name },
  };
}

/** As a number, as Patroni tells positions in the WAL. */
function xlogOf({ replayed = replayedUnlessTold }: PatroniMember): JsonObject {
  return { received_location: replayed, replayed_location: replayed, paused: false };
}

function streamsOf(host: Host<PostgresqlWorld>, leader: PatroniMember): readonly JsonObject[] {
  return visibleMembers(host)
    .filter(({ name, state }) => name !== leader.name && state === 'streaming')
    .map(({ name }) => ({ application_name: name, state: 'streaming', sync_state: 'sync' }));
}

function isLeading(role: PatroniMember['role']): boolean {
  return role === 'leader' || role === 'standby_leader';
}

function isUp(member: PatroniMember): boolean {
  return ['running', 'streaming', 'in archive recovery'].includes(member.state);
}

const followedParameters = [
  'max_connections',
  'max_locks_per_transaction',
  'max_prepared_transactions',
  'max_wal_senders',
  'max_worker_processes',
];

/** A start takes everything over but what a standby may not have less of than its primary. */
function startedAnew(member: PatroniMember, leader: PatroniMember | undefined): PatroniMember {
  const { pendingRestart: _pending, pendingChanges = {}, ...rest } = member;
  if (leader === undefined || leader.name === member.name) return rest;
  const left = Object.entries(pendingChanges).filter(
    ([name, [from, to]]) =>
      followedParameters.includes(name) &&
      Number(to) < Number(from) &&
      leader.pendingChanges?.[name] !== undefined,
  );
  if (left.length === 0) return rest;
  return { ...rest, pendingRestart: true, pendingChanges: Object.fromEntries(left) };
}

function pendingOf({ pendingRestart, pendingChanges, ...member }: PatroniMember): JsonObject {
  if (pendingRestart === undefined || member.pendingForgotten === true) return {};
  if (pendingChanges === undefined) return { pending_restart: true };
  const reasons = Object.entries(pendingChanges).map(
    ([name, [from, to]]) => [name, { old_value: from, new_value: to }] as const,
  );
  return { pending_restart: true, pending_restart_reason: Object.fromEntries(reasons) };
}

function replaceMember(host: Host<PostgresqlWorld>, changed: PatroniMember): void {
  updatePatroni(host, (patroni) => ({
    ...patroni,
    members: patroni.members.map((one) => (one.name === changed.name ? changed : one)),
  }));
}

function updatePatroni(
  host: Host<PostgresqlWorld>,
  change: (now: PatroniWorld) => PatroniWorld,
): void {
  host.world.update((now) => ({ ...now, patroni: change(now.patroni) }));
}

/** RFC 7386: `null` removes. */
export function merge(target: JsonObject, patch: JsonObject): JsonObject {
  const merged: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    const old = merged[key];
    if (value === null) delete merged[key];
    else if (isObject(value)) merged[key] = merge(isObject(old) ? old : {}, value);
    else merged[key] = value;
  }
  return merged;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseBody({ body }: HttpRequest): JsonObject {
  if (body === undefined) return {};
  const parsed: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
  return isObject(parsed) ? parsed : {};
}

function response(status: number, body: string | JsonObject): HttpResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/html' : 'application/json';
  return { status, headers: { 'content-type': type }, body: Buffer.from(text) };
}

const reasons: Readonly<Record<string, string>> = {
  refused: 'connection refused',
  timeout: 'no answer in time',
  unresolved: 'no such host',
};

function failure(request: HttpRequest, code: HttpErrorCode): HttpError {
  return new HttpError({ code, request, reason: reasons[code] ?? code });
}
