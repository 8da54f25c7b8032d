// The charm around which the outside fails as it does in passing: the n-th of all calls to Kubernetes,
// Patroni and PostgreSQL, or that one and all after it, in one of the ways in which such a call can
// fail. Fakes stay as they are; what they would have done happens only where an answer is lost.

import { HttpError } from '../../../../lib/base/http.ts';
import type { HttpPort, HttpRequest, HttpResponse } from '../../../../lib/base/http-port.ts';
import { KubeError } from '../../../../lib/kube/error.ts';
import type { Kube } from '../../../../lib/kube/kube.ts';
import { PostgresError } from '../../../../lib/sql/error.ts';
import type { PostgresqlPorts } from '../../../../src/ports.ts';
import type { CharmUnderTest } from '../run.ts';
import { underTest } from './journey.ts';
import type { PostgresqlWorld } from './world.ts';

export interface Refusal {
  /** Number of the call, from 0; none when it is negative. */
  readonly at: number;
  /** All calls after it fail as well. */
  readonly lasting?: boolean;
  /** Which of the ways; any whole number. `bug`: no failure that anybody expects. */
  readonly way: number | 'bug';
}

export interface Refusing {
  readonly charm: CharmUnderTest<PostgresqlPorts, PostgresqlWorld>;
  /** The calls so far, in their order. */
  readonly calls: readonly string[];
}

/** More than there are for any call. */
export const waysToFail = 6;

export function refusing(refusal: Refusal): Refusing {
  const calls: string[] = [];
  const meets = (call: string): boolean => {
    const number = calls.push(call) - 1;
    if (refusal.at < 0) return false;
    return refusal.lasting === true ? number >= refusal.at : number === refusal.at;
  };
  const ports = (real: PostgresqlPorts): PostgresqlPorts => ({
    ...real,
    kube: refusingKube(real.kube, meets, refusal.way),
    http: refusingHttp(real.http, meets, refusal.way),
    connectPostgres: async (target) => {
      if (!meets(`postgres ${target.pod}`)) return await real.connectPostgres(target);
      // So the real port tells of whatever keeps it from entering a pod.
      throw refusal.way === 'bug' ? bug() : new PostgresError('refused', { code: 'unreachable' });
    },
  });
  return { calls, charm: { ...underTest, ports: (host) => ports(underTest.ports(host)) } };
}

type Meets = (call: string) => boolean;

function bug(): TypeError {
  return new TypeError('a fault of the charm');
}

function pick<T>(ways: readonly T[], way: number): T {
  const found = ways[way % ways.length];
  if (found === undefined) throw new Error('no way to fail');
  return found;
}

const kubeStatuses = ['unreachable', 500, 503, 504, 429] as const;

function refusingKube(kube: Kube, meets: Meets, way: Refusal['way']): Kube {
  return new Proxy(kube, {
    get: (target, key) => {
      const method: unknown = Reflect.get(target, key);
      if (typeof method !== 'function') return method;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        const name = `${String(key)} ${String(args[0])}`;
        const answer: unknown = meets(`kube ${name}`)
          ? Promise.reject(way === 'bug' ? bug() : kubeFailure(name, way))
          : Reflect.apply(method, target, args);
        return await answer;
      };
    },
  });
}

function kubeFailure(name: string, way: number): KubeError {
  const writes = /^(?:apply|patch|delete) /.test(name);
  const status = pick(writes ? [...kubeStatuses, 409] : kubeStatuses, way);
  if (status === 'unreachable') return new KubeError(`cannot ${name}`, { code: 'unreachable' });
  return new KubeError(`cannot ${name}: status ${status}`, {
    code: status === 409 ? 'conflict' : 'api',
    fields: { status },
  });
}

function refusingHttp(http: HttpPort, meets: Meets, way: Refusal['way']): HttpPort {
  return async (request) => {
    const { pathname, hostname } = new URL(request.url);
    if (!meets(`patroni ${request.method} ${hostname}${pathname}`)) return await http(request);
    if (way === 'bug') throw bug();
    return await pick(request.method === 'GET' ? reads : writes, way)(request, http);
  };
}

type Failing = (request: HttpRequest, http: HttpPort) => Promise<HttpResponse>;

const silent =
  (code: 'refused' | 'timeout'): Failing =>
  async (request) =>
    await Promise.reject(new HttpError({ code, request, reason: code }));

const answering =
  (status: number): Failing =>
  async () =>
    await Promise.resolve({ status, headers: {}, body: Buffer.from('<html>error</html>') });

/** It is done, and nobody hears of it. */
const lost: Failing = async (request, http) => {
  await http(request);
  throw new HttpError({ code: 'timeout', request, reason: 'no answer in time' });
};

const reads: readonly Failing[] = [
  silent('refused'),
  silent('timeout'),
  answering(503),
  answering(500),
];
const writes: readonly Failing[] = [
  silent('refused'),
  silent('timeout'),
  answering(409),
  answering(503),
  answering(500),
  lost,
];
