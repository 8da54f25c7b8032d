// The world of the hook that a charm is packed with: a unit of PostgreSQL whose cluster is well, so
// that the functions of a quiet hook get compiled. Where an answer no longer suits the charm, nothing
// breaks: other functions are compiled. For other charms it is a Juju that knows little.

import { createServer, globalAgent } from 'node:http';
import { globalAgent as secureAgent } from 'node:https';
import { connect } from 'node:net';

import { fingerprint } from '../lib/base/fingerprint.ts';

const state = {
  'applied-options': fingerprint('[]'),
  'peer-relation-database-peers': 'database-peers:0',
};

const host = 'postgresql-k8s-0.postgresql-k8s-endpoints';

/** What hook tools print, by patterns of the shell for the tool and its arguments; the first counts. */
export function toolAnswers(config: unknown): readonly (readonly [string, unknown])[] {
  return [
    ['config-get *', config],
    ['goal-state *', { units: {}, relations: {} }],
    ['is-leader *', true],
    ['relation-ids *', []],
    ['relation-list *', []],
    [
      'relation-get *--app*',
      {
        cluster_initialised: 'True',
        endpoints: JSON.stringify([host]),
        extensions: JSON.stringify({ enabled: ['plugin_audit_enable'] }),
      },
    ],
    ['relation-get *', { 'member-started': 'True' }],
    ['state-get *', state],
    ['status-get *', { status: 'active', message: 'Primary' }],
  ];
}

/** The unit that the answers are about. */
export const warmUnit = 'postgresql-k8s/0';

/** Has requests over HTTP that this process makes answered by itself, whomever they are for. */
export function answerRequests(): void {
  // In no folder, and gone with the process.
  const path = `\0warm-up-${process.pid}`;
  const server = createServer(({ url = '/' }, response) => {
    const { status, type, body } = answerTo(new URL(url, 'http://warm-up'));
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  // Nobody waits for the end of kept connections.
  server.on('connection', (socket) => socket.unref());
  server.listen(path).unref();
  for (const agent of [globalAgent, secureAgent]) {
    Object.assign(agent, { createConnection: () => connect(path) });
  }
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function answerTo({ pathname, searchParams }: URL): Answer {
  if (pathname === '/v1/files' && searchParams.get('action') === 'read') {
    return fileAnswer(searchParams.get('path') ?? '');
  }
  if (pathname === '/v1/files') return jsonAnswer(404, { type: 'error', result: notFound });
  if (pathname === '/v1/services') {
    const name = searchParams.get('names') ?? '';
    const result = [{ name, startup: 'enabled', current: 'active' }];
    return jsonAnswer(200, { type: 'sync', result });
  }
  if (pathname.startsWith('/v1/')) return jsonAnswer(200, { type: 'sync', result: {} });
  const member = { name: 'postgresql-k8s-0', role: 'leader', state: 'running', timeline: 1 };
  return jsonAnswer(200, { members: [member] });
}

const notFound = { kind: 'not-found', message: 'no such file or directory' };

const watched = {
  disk: { level: 'ok', free_percent: 50, total: 2 ** 30 },
  archive: { waiting: 0, failing: false },
  fences: [],
};

/** A file as Pebble sends it; there is the watcher's only. */
function fileAnswer(path: string): Answer {
  const boundary = 'a-boundary-that-is-long-enough';
  const part = (name: string, body: unknown) =>
    `--${boundary}\r\nContent-Disposition: form-data; ${name}\r\n\r\n${JSON.stringify(body)}\r\n`;
  const exists = path.endsWith('charm-watch.json');
  const parts = [
    ...(exists ? [part(`name="files"; filename="${path}"`, watched)] : []),
    part('name="response"', {
      type: 'sync',
      result: [exists ? { path } : { path, error: notFound }],
    }),
  ];
  const body = `${parts.join('')}--${boundary}--\r\n`;
  return { status: 200, type: `multipart/form-data; boundary=${boundary}`, body };
}

function jsonAnswer(status: number, body: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}
