// Pebble's HTTP interface as the port of `pebble.ts`, one function per call. Every call has a
// deadline and rejects with `PebbleError`; nothing is retried here. The plan comes as YAML, whose
// parser is loaded when somebody asks for the plan: a quiet hook should not.

import * as v from 'valibot';

import type { Clock } from '../base/clock.ts';
import { createHttp } from '../base/http.ts';
import type { HttpPort } from '../base/http-port.ts';
import { changeOf, waitForSuccess } from './changes.ts';
import { deadlines } from './deadlines.ts';
import { type Connection, createConnection, parseAnswer } from './envelope.ts';
import { PebbleError } from './errors.ts';
import { runExec } from './exec.ts';
import { listFiles, makeDirectory, pullFile, pushFile, removePath, statFile } from './files.ts';
import { renderLayer } from './layer.ts';
import type { CheckInfo, Layer, Notice, Pebble, Plan, ServiceInfo } from './pebble.ts';
import { parsePlan } from './plan.ts';

export interface PebbleOptions {
  readonly container: string;
  readonly socketPath: string;
  readonly clock: Clock;
  /** A port over the network unless given. */
  readonly http?: HttpPort;
  /** For starts, stops, restarts and replans; 30 s unless given. */
  readonly serviceChangeMs?: number;
}

/** The Pebble of one container; makes no request by itself. */
export function createPebble(options: PebbleOptions): Pebble {
  const { container, clock } = options;
  const connection = createConnection(options.http ?? createHttp(), options.socketPath);
  const timeoutMs = options.serviceChangeMs ?? deadlines.serviceChangeMs;
  const change = async (action: ServiceAction, services: readonly string[] = []) => {
    await changeServices(connection, { action, services, timeoutMs });
  };
  return {
    container,
    canConnect: async () => await canConnect(connection),
    plan: async () => await getPlan(connection),
    addLayer: async (label, layer) => {
      await addLayer(connection, label, layer);
    },
    services: async (names) => await getServices(connection, names),
    replan: async () => {
      await change('replan');
    },
    start: async (...services) => {
      await change('start', services);
    },
    stop: async (...services) => {
      await change('stop', services);
    },
    restart: async (...services) => {
      await change('restart', services);
    },
    signal: async (name, ...services) => {
      await sendSignal(connection, name, services);
    },
    pull: async (path) => await pullFile(connection, toPath(path)),
    push: async (path, content, pushing = {}) => {
      await pushFile(connection, { path: toPath(path), content, options: pushing });
    },
    list: async (path, pattern) => await listFiles(connection, toPath(path), pattern),
    stat: async (path) => await statFile(connection, toPath(path)),
    makeDir: async (path, making = {}) => {
      await makeDirectory(connection, toPath(path), making);
    },
    remove: async (path, { recursive = false } = {}) => {
      await removePath(connection, toPath(path), { recursive });
    },
    exec: async (command, running) => await runExec({ connection, clock }, command, running),
    checks: async () => await getChecks(connection),
    notices: async ({ keys } = {}) => await getNotices(connection, keys),
    notify: async (key, data) => {
      await notify(connection, key, data);
    },
    health: async (level) => await getHealth(connection, level),
    logs: async (service, lines) => await getLogs(connection, service, lines),
  };
}

/** Without slashes at the end: Pebble takes some calls for what is below. */
function toPath(path: string): string {
  return path.replace(/(?<=.)\/+$/, '');
}

type ServiceAction = 'start' | 'stop' | 'restart' | 'replan';

interface ServiceChange {
  readonly action: ServiceAction;
  readonly services: readonly string[];
  readonly timeoutMs: number;
}

async function canConnect(connection: Connection): Promise<boolean> {
  try {
    await connection.call({ what: 'reach Pebble', path: '/v1/system-info' }, v.unknown());
    return true;
  } catch (error) {
    if (error instanceof PebbleError) return false;
    throw error;
  }
}

async function getPlan(connection: Connection): Promise<Plan> {
  const what = 'get the plan';
  const request = { what, path: '/v1/plan', query: { format: 'yaml' } };
  const { result } = await connection.call(request, v.string());
  return await parsePlan(what, result);
}

async function addLayer(connection: Connection, label: string, layer: Layer): Promise<void> {
  const json = {
    action: 'add',
    combine: true,
    label,
    format: 'yaml',
    layer: renderLayer(layer),
  };
  const request = { what: `add layer ${JSON.stringify(label)}`, path: '/v1/layers', json };
  await connection.call(request, v.unknown());
}

const servicesSchema = v.array(
  v.object({
    name: v.string(),
    startup: v.picklist(['enabled', 'disabled']),
    current: v.picklist(['active', 'inactive', 'error', 'backoff']),
  }),
);

async function getServices(
  connection: Connection,
  names: readonly string[] | undefined,
): Promise<readonly ServiceInfo[]> {
  // An empty list of names means all to Pebble, but none to a caller.
  if (names?.length === 0) return [];
  const query = { names: names?.join(',') };
  const request = { what: 'list services', path: '/v1/services', query };
  return (await connection.call(request, servicesSchema)).result;
}

async function changeServices(connection: Connection, change: ServiceChange): Promise<void> {
  const { action, services, timeoutMs } = change;
  if (services.length === 0 && action !== 'replan') return;
  const what = [action, ...services.map((name) => JSON.stringify(name))].join(' ');
  const json = { action, services };
  const answer = await connection.call({ what, path: '/v1/services', json }, v.unknown());
  await waitForSuccess(connection, changeOf(what, answer), { what, timeoutMs });
}

async function sendSignal(
  connection: Connection,
  signal: string,
  services: readonly string[],
): Promise<void> {
  if (services.length === 0) return;
  const what = `send ${signal}`;
  const json = { signal, services };
  await connection.call({ what, path: '/v1/signals', json }, v.unknown());
}

const checksSchema = v.array(
  v.object({
    name: v.string(),
    status: v.picklist(['up', 'down', 'inactive']),
    failures: v.optional(v.number(), 0),
    threshold: v.number(),
  }),
);

async function getChecks(connection: Connection): Promise<readonly CheckInfo[]> {
  const request = { what: 'list checks', path: '/v1/checks' };
  return (await connection.call(request, checksSchema)).result;
}

const noticesSchema = v.array(
  v.object({
    id: v.string(),
    type: v.string(),
    key: v.string(),
    occurrences: v.number(),
    'last-data': v.nullish(v.record(v.string(), v.string()), {}),
  }),
);

async function getNotices(
  connection: Connection,
  keys: readonly string[] | undefined,
): Promise<readonly Notice[]> {
  if (keys?.length === 0) return [];
  const query = { types: 'custom', keys: keys?.join(',') };
  const request = { what: 'list notices', path: '/v1/notices', query };
  const { result } = await connection.call(request, noticesSchema);
  return result.map(({ 'last-data': lastData, ...notice }) => ({ ...notice, lastData }));
}

async function notify(
  connection: Connection,
  key: string,
  data: Readonly<Record<string, string>> = {},
): Promise<void> {
  const what = `notify ${JSON.stringify(key)}`;
  const json = { action: 'add', type: 'custom', key, data };
  await connection.call({ what, path: '/v1/notices', json }, v.unknown());
}

async function getHealth(connection: Connection, level: 'alive' | 'ready'): Promise<boolean> {
  const request = { what: 'get the health', path: '/v1/health', query: { level } };
  return (await connection.call(request, v.object({ healthy: v.boolean() }))).result.healthy;
}

const logLineSchema = v.pipe(v.string(), v.parseJson(), v.object({ message: v.string() }));

async function getLogs(
  connection: Connection,
  service: string,
  lines: number,
): Promise<readonly string[]> {
  const what = `read the log of ${JSON.stringify(service)}`;
  const query = { services: service, n: String(lines) };
  const response = await connection.exchange({ what, path: '/v1/logs', query });
  if (response.status !== 200) parseAnswer(what, response, v.unknown());
  const text = response.body.toString('utf8');
  const messages = text.split('\n').filter((line) => line !== '');
  return messages.map((line) => v.parse(logLineSchema, line).message);
}
