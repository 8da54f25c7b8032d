// Patroni's REST interface, one function per endpoint. Answers are parsed into types; what they
// mean for the cluster is decided elsewhere. Nothing is retried here: the caller knows how long
// it may wait. The password goes out only with requests that change something: Patroni answers
// reads without it, and a unit without TLS would otherwise send it in clear on every look.
// Source: Patroni documentation, "Patroni REST API".

import * as v from 'valibot';

import { CodedError } from '../../lib/base/error.ts';
import type { HttpPort, HttpRequest, HttpResponse } from '../../lib/base/http-port.ts';
import type { Secret } from '../../lib/base/secret.ts';
import {
  type Cluster,
  clusterSchema,
  configSchema,
  type Health,
  healthSchema,
  type JsonObject,
} from './patroni-answers.ts';

export interface PatroniTarget {
  readonly http: HttpPort;
  readonly host: string;
  /** 8008 unless told. */
  readonly port?: number;
  readonly scheme: 'http' | 'https';
  readonly password?: Secret;
  /** PEM of the authority that signed the members' certificates. */
  readonly ca?: string;
}

export interface Switchover {
  readonly leader: string;
  /** Patroni chooses when absent. */
  readonly candidate?: string;
}

/**
 * One member (or a Service that leads to one). Every call rejects with `PatroniError`: codes
 * `unreachable`, `unauthorised`, `not-sync-standby`, `not-pending`, `failed` (fields: status).
 */
export interface Patroni {
  cluster(): Promise<Cluster>;
  /** The member's own view; it also answers while PostgreSQL is down. */
  health(): Promise<Health>;
  /** Whether this member holds the leader lock (or leads a standby cluster). */
  isLeader(): Promise<boolean>;
  /** Whether this member replicates with at most this lag. */
  isReplica(maximumLagBytes: number): Promise<boolean>;
  config(): Promise<JsonObject>;
  /** Merges into the cluster's configuration; `null` removes. Gives the new configuration. */
  patchConfig(patch: JsonObject): Promise<JsonObject>;
  /** Restarts PostgreSQL and waits for it; `onlyPending`: `not-pending` unless it has to be. */
  restart(options?: { readonly onlyPending: boolean }): Promise<void>;
  /** Makes Patroni read its file again. */
  reload(): Promise<void>;
  /** Clones this member anew from the leader; its data is deleted. */
  reinitialize(): Promise<void>;
  switchover(request: Switchover): Promise<void>;
  /** Makes the candidate the leader of a cluster that has none, whatever it may lack. */
  failover(candidate: string): Promise<void>;
}

export type PatroniErrorCode =
  | 'unreachable'
  | 'unauthorised'
  | 'not-sync-standby'
  | 'not-pending'
  | 'failed';

export class PatroniError extends CodedError {
  declare readonly code: PatroniErrorCode;
}

const conflict = 409;

/** Whether two have changed the shared configuration at the same time, and this one came second. */
export function isPatroniConflict(error: unknown): error is PatroniError {
  return error instanceof PatroniError && error.fields['status'] === conflict;
}

/** Whether the same request may go well a little later: nobody answers, others write, or Kubernetes is away. */
export function isPatroniOutage(error: unknown): error is PatroniError {
  if (!(error instanceof PatroniError)) return false;
  const { status } = error.fields;
  return error.code === 'unreachable' || isPatroniConflict(error) || Number(status) >= 500;
}

const defaultPort = 8008;

const deadlines = {
  // A member answers from memory; one that does not within this time is stuck.
  readMs: 5_000,
  writeMs: 10_000,
  // Patroni answers when PostgreSQL is up again: checkpoint, stop, start.
  restartMs: 120_000,
  // Patroni answers when the candidate leads, or after about one ttl.
  switchoverMs: 60_000,
};

/** A client for one address; makes no request by itself. */
export function createPatroni(target: PatroniTarget): Patroni {
  const read = async (path: string) =>
    await send(target, { method: 'GET', path, timeoutMs: deadlines.readMs });
  const write = async (request: Omit<PatroniRequest, 'method'>) =>
    await send(target, { method: 'POST', ...request });

  return {
    cluster: async () => parse(clusterSchema, accept('read the cluster', await read('/cluster'))),
    health: async () => parse(healthSchema, await read('/health')),
    isLeader: async () => (await read('/leader')).status === 200,
    isReplica: async (maximumLagBytes) =>
      (await read(`/replica?lag=${maximumLagBytes}`)).status === 200,
    config: async () =>
      parse(configSchema, accept('read the configuration', await read('/config'))),
    patchConfig: async (patch) => {
      const answer = await send(target, {
        method: 'PATCH',
        path: '/config',
        body: patch,
        timeoutMs: deadlines.writeMs,
      });
      return parse(configSchema, accept('change the configuration', answer));
    },
    restart: async (options) => {
      const body = options?.onlyPending === true ? { restart_pending: true } : {};
      const answer = await write({ path: '/restart', body, timeoutMs: deadlines.restartMs });
      accept('restart PostgreSQL', answer);
    },
    reload: async () => {
      const answer = await write({ path: '/reload', body: {}, timeoutMs: deadlines.writeMs });
      accept('reload Patroni', answer);
    },
    reinitialize: async () => {
      const body = { force: true };
      accept(
        'clone the member anew',
        await write({ path: '/reinitialize', body, timeoutMs: deadlines.writeMs }),
      );
    },
    switchover: async (request) => {
      const timeoutMs = deadlines.switchoverMs;
      const answer = await write({ path: '/switchover', body: { ...request }, timeoutMs });
      accept(`switch over to "${request.candidate ?? 'any member'}"`, answer);
    },
    failover: async (candidate) => {
      const timeoutMs = deadlines.switchoverMs;
      const answer = await write({ path: '/failover', body: { candidate }, timeoutMs });
      accept(`fail over to "${candidate}"`, answer);
    },
  };
}

/**
 * The cluster as seen by whoever answers first, so that a member that is down delays nobody.
 * Rejects with the first member's error when none answers.
 */
export async function fetchClusterFromAny(members: readonly Patroni[]): Promise<Cluster> {
  try {
    return await Promise.any(members.map(async (member) => await member.cluster()));
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    const first: unknown = error.errors[0];
    if (first instanceof PatroniError) throw first;
    const details = { code: 'unreachable', cause: first } as const;
    throw new PatroniError('cannot read the cluster: no member answers', details);
  }
}

interface PatroniRequest {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly body?: JsonObject;
  readonly timeoutMs: number;
}

async function send(target: PatroniTarget, request: PatroniRequest): Promise<HttpResponse> {
  const { host, port = defaultPort, scheme, ca } = target;
  try {
    return await target.http({
      method: request.method,
      url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${request.path}`,
      ...(request.body === undefined ? {} : changingParts(target, request.body)),
      ...(ca === undefined ? {} : { ca }),
      timeoutMs: request.timeoutMs,
    });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new PatroniError(`cannot reach Patroni on "${host}": ${error.code}`, {
      code: 'unreachable',
      fields: { host, reason: error.code },
      cause: error,
    });
  }
}

function changingParts(
  target: PatroniTarget,
  body: JsonObject,
): Pick<HttpRequest, 'headers' | 'body'> {
  const credentials = Buffer.from(`patroni:${target.password?.reveal() ?? ''}`).toString('base64');
  return {
    headers: {
      'content-type': 'application/json',
      ...(target.password === undefined ? {} : { authorization: `Basic ${credentials}` }),
    },
    body: JSON.stringify(body),
  };
}

function accept(purpose: string, response: HttpResponse): HttpResponse {
  if (response.status >= 200 && response.status < 300) return response;
  const said = response.body.toString('utf8').trim().slice(0, 200);
  throw new PatroniError(`cannot ${purpose}: Patroni answered ${response.status} "${said}"`, {
    code: codeOf(response.status, said),
    fields: { status: response.status },
  });
}

function codeOf(status: number, said: string): PatroniErrorCode {
  if (status === 401 || status === 403) return 'unauthorised';
  // Patroni: `candidate name does not match with sync_standby`; its only sign is this text.
  if (status === 412 && said.includes('does not match with sync_standby'))
    return 'not-sync-standby';
  if (status === 503 && said.includes('conditions are not satisfied')) return 'not-pending';
  return 'failed';
}

function parse<T>(schema: v.GenericSchema<unknown, T>, response: HttpResponse): T {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), response.body.toString());
  if (result.success) return result.output;
  throw new PatroniError(
    `cannot understand Patroni's answer: ${v.getDotPath(result.issues[0]) ?? 'not JSON'}`,
    { code: 'failed', fields: { status: response.status } },
  );
}
