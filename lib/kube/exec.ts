// Running a program in a container of any pod, over a WebSocket to the API server. Each message's
// first byte says which stream the rest belongs to; the last stream carries Kubernetes' verdict on
// how the program ended.
// Source: Kubernetes' remote command protocol, versions 4 and 5; 5 added closing a single stream.

import { Duplex } from 'node:stream';

import * as v from 'valibot';

import { HttpError } from '../base/http.ts';
import type { HttpResponse } from '../base/http-port.ts';
import { connectWebSocket, type WebSocketConnection } from '../base/websocket.ts';
import type { Message } from '../base/websocket-frames.ts';
import { KubeError } from './error.ts';
import type { ExecOptions } from './kube.ts';
import type { KubeCredentials } from './service-account.ts';

const channels = { stdin: 0, stdout: 1, stderr: 2, verdict: 3, close: 255 } as const;
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

export interface ExecTarget {
  /** Of the pod: `https://host/api/v1/namespaces/model/pods/name`. */
  readonly url: string;
  readonly credentials: KubeCredentials;
}

/** Starts the program; gives the server's answer if it refuses. See `Kube.exec`. */
export async function openExec(
  { url, credentials }: ExecTarget,
  options: ExecOptions,
): Promise<Duplex | HttpResponse> {
  const exchange = createExchange(describe(options));
  try {
    const socket = await connectWebSocket({
      url: `${url}/exec?${renderQuery(options)}`,
      headers: { authorization: `Bearer ${credentials.token}` },
      ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
      protocols,
      timeoutMs: options.timeoutMs,
      onMessage: exchange.receive,
    });
    return exchange.start(socket);
  } catch (error) {
    if (error instanceof HttpError && error.response !== undefined) return error.response;
    throw error;
  }
}

function renderQuery({ container, command }: ExecOptions): string {
  const query = new URLSearchParams({ container, stdin: 'true', stdout: 'true', stderr: 'true' });
  for (const word of command) query.append('command', word);
  return query.toString();
}

function describe({ container, command }: ExecOptions): string {
  return `run ${JSON.stringify(command[0] ?? '')} in container "${container}"`;
}

interface Exchange {
  readonly receive: (message: Message) => void;
  readonly start: (socket: WebSocketConnection) => Duplex;
}

function createExchange(what: string): Exchange {
  const stderr = createErrorOutput();
  let verdict: Verdict | undefined;
  let socket: WebSocketConnection | undefined;
  const stdio = new Duplex({
    // What comes is passed on at once; whoever starts a program reads what it writes.
    read: () => {},
    write: (chunk: Buffer, _, taken) => socket?.send(onChannel(channels.stdin, chunk), taken),
    final: (taken) => {
      if (socket?.protocol === protocols[0]) {
        socket.send(Buffer.from([channels.close, channels.stdin]), taken);
      } else {
        // Version 4 cannot end the input alone.
        verdict ??= { ended: 'well' };
        socket?.close();
        taken();
      }
    },
    destroy: (error, done) => {
      socket?.drop();
      done(error);
    },
  });
  // A failure between two uses must not end the process; the next use fails.
  stdio.on('error', () => {});
  return {
    receive: ({ data }) => {
      const [channel, payload] = [data[0], data.subarray(1)];
      if (channel === channels.stdout) stdio.push(payload);
      else if (channel === channels.stderr) stderr.add(payload);
      else if (channel === channels.verdict) verdict = parseVerdict(payload.toString());
    },
    start: (connected) => {
      socket = connected;
      void connected.closed.then((failure) => {
        if (failure === undefined && verdict?.ended === 'well') stdio.push(null);
        else stdio.destroy(toKubeError(what, failure ?? verdict, stderr.text()));
      });
      return stdio;
    },
  };
}

function onChannel(channel: number, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([channel]), payload]);
}

// Enough for the trace of a program that fails.
const maximumErrorBytes = 8 * 1024;

function createErrorOutput(): { add(bytes: Uint8Array): void; text(): string } {
  let kept = Buffer.alloc(0);
  return {
    add: (bytes) => {
      kept = Buffer.concat([kept, bytes]).subarray(-maximumErrorBytes);
    },
    text: () => kept.toString('utf8').trim(),
  };
}

type Verdict =
  | { readonly ended: 'well' }
  | { readonly ended: 'badly'; readonly exitCode: number | undefined; readonly message: string };

const verdictSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    status: v.string(),
    message: v.optional(v.string(), ''),
    details: v.optional(
      v.object({
        causes: v.optional(
          v.array(v.object({ reason: v.optional(v.string()), message: v.optional(v.string()) })),
          [],
        ),
      }),
    ),
  }),
);

function parseVerdict(text: string): Verdict {
  const result = v.safeParse(verdictSchema, text);
  if (!result.success) return { ended: 'badly', exitCode: undefined, message: 'no reason is told' };
  const { status, message, details } = result.output;
  if (status === 'Success') return { ended: 'well' };
  const exitCode = details?.causes.find(({ reason }) => reason === 'ExitCode')?.message;
  return {
    ended: 'badly',
    exitCode: exitCode === undefined ? undefined : Number(exitCode),
    message,
  };
}

/** A program that failed, or a connection that ended before the verdict. */
function toKubeError(what: string, end: Error | Verdict | undefined, stderr: string): KubeError {
  if (end === undefined || end instanceof Error || end.ended === 'well') {
    return new KubeError(`cannot ${what}: the connection broke`, {
      code: 'unreachable',
      ...(end instanceof Error ? { cause: end } : {}),
    });
  }
  const { exitCode, message } = end;
  return new KubeError(`cannot ${what}: ${stderr === '' ? message : stderr}`, {
    code: 'api',
    fields: { exitCode },
  });
}
