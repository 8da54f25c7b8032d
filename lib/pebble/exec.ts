// Running a program in the container. Pebble starts it once our streams are connected: `stdio`
// carries input and output, `stderr` the errors, and `control` makes Pebble kill the program when
// it is told to, or this process dies, so that a hook that runs again never meets its own leftover.
//
// Pebble ends a program at its time limit, but then still waits until everybody who inherited the
// output has closed it; our own, slightly later limit ends that wait. So a program that leaves
// something running behind must give it another output.

import * as v from 'valibot';

import type { Clock } from '../base/clock.ts';
import { HttpError } from '../base/http.ts';
import { connectWebSocket, type WebSocketConnection } from '../base/websocket.ts';
import type { Message } from '../base/websocket-frames.ts';
import { type Change, changeFailed, changeOf, waitForChange } from './changes.ts';
import { deadlines } from './deadlines.ts';
import type { Connection } from './envelope.ts';
import { fromHttpError, PebbleError } from './errors.ts';
import type { ExecOptions, ExecResult } from './pebble.ts';
import { renderDurationMs } from './time.ts';

const execSchema = v.object({ 'task-id': v.string() });

export interface ExecPorts {
  readonly connection: Connection;
  readonly clock: Clock;
}

/** Runs a command to its end. */
export async function runExec(
  { connection, clock }: ExecPorts,
  command: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const what = `run ${JSON.stringify(command[0] ?? '')}`;
  const answer = await connection.call(describe(what, command, options), execSchema);
  const change = changeOf(what, answer);
  const streams = await connectStreams({
    what,
    socketPath: connection.socketPath,
    task: answer.result['task-id'],
    options,
  });
  const { timeoutMs, kill } = options;
  try {
    streams.sendInput(options.stdin ?? '');
    kill?.addEventListener('abort', streams.kill);
    if (kill?.aborted === true) streams.kill();
    const slackMs = deadlines.slackMs;
    const done = await waitForChange(connection, change, { what, timeoutMs: timeoutMs + slackMs });
    await waitForOutput(streams, clock);
    return { exitCode: readExitCode(what, done), ...streams.output() };
  } finally {
    kill?.removeEventListener('abort', streams.kill);
    streams.drop();
  }
}

function describe(what: string, command: readonly string[], options: ExecOptions) {
  const { user, group, environment, workingDir, timeoutMs } = options;
  const json = {
    command,
    user,
    group,
    environment,
    'working-dir': workingDir,
    timeout: renderDurationMs(timeoutMs),
    'split-stderr': true,
  };
  return { what, path: '/v1/exec', json };
}

// `timed out` is Pebble's own limit, the only failure of a program that has a meaning of its own.
const timedOut = /\btimed out after\b/;

function readExitCode(what: string, change: Change): number {
  if (change.err !== undefined) {
    const failure = changeFailed(what, change);
    if (!timedOut.test(change.err)) throw failure;
    throw new PebbleError(failure.message, { code: 'timeout', fields: failure.fields });
  }
  const code = change.tasks[0]?.data?.['exit-code'];
  if (typeof code === 'number') return code;
  throw new PebbleError(`cannot ${what}: Pebble gives no exit code`, { code: 'api' });
}

async function waitForOutput(streams: Streams, clock: Clock): Promise<void> {
  const stop = new AbortController();
  const enough = clock.sleep(deadlines.outputMs, stop.signal).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  const failure = await Promise.race([streams.ended, enough]);
  stop.abort();
  if (failure instanceof Error) throw failure;
}

interface Streams {
  sendInput(text: string): void;
  readonly kill: () => void;
  /** Settles when all output is here; gives what a listener threw. */
  readonly ended: Promise<Error | undefined>;
  output(): Pick<ExecResult, 'stdout' | 'stderr'>;
  drop(): void;
}

interface StreamsOptions {
  readonly what: string;
  readonly socketPath: string;
  readonly task: string;
  readonly options: ExecOptions;
}

async function connectStreams(given: StreamsOptions): Promise<Streams> {
  const { onStdout, onStderr, discardStdout } = given.options;
  const stdout = createCollector(onStdout, { keep: discardStdout !== true });
  const stderr = createCollector(onStderr);
  const opened: WebSocketConnection[] = [];
  const drop = () => {
    for (const socket of opened) socket.drop();
  };
  const open = async (name: string, onMessage: (message: Message) => void) => {
    const { socketPath, task } = given;
    const url = `http://127.0.0.1/v1/tasks/${task}/websocket/${name}`;
    const timeoutMs = deadlines.requestMs;
    const socket = await connectWebSocket({ url, socketPath, timeoutMs, onMessage });
    opened.push(socket);
    return socket;
  };
  const opening: Promise<WebSocketConnection>[] = [];
  try {
    // The other two start the program, and once it has ended Pebble lets nobody in here any more.
    const control = await open('control', () => undefined);
    const streams = [open('stdio', stdout.receive), open('stderr', stderr.receive)] as const;
    opening.push(...streams);
    const [stdio, errors] = await Promise.all(streams);
    return {
      sendInput: (text) => {
        sendInput(stdio, text);
      },
      kill: () => {
        control.send(killing);
      },
      ended: waitForEnd([
        [stdio, stdout],
        [errors, stderr],
      ]),
      output: () => ({ stdout: stdout.text(), stderr: stderr.text() }),
      drop,
    };
  } catch (error) {
    await Promise.allSettled(opening);
    drop();
    if (error instanceof HttpError) throw fromHttpError(given.what, error);
    throw error;
  }
}

const killing = JSON.stringify({ command: 'signal', signal: { name: 'SIGKILL' } });

// Larger messages would be held twice in memory, once as text and once as a frame.
const chunkBytes = 1024 * 1024;

function sendInput(socket: WebSocketConnection, text: string): void {
  const bytes = Buffer.from(text);
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    socket.send(bytes.subarray(start, start + chunkBytes));
  }
  socket.send('{"command":"end"}');
}

interface Collector {
  readonly receive: (message: Message) => void;
  readonly ended: Promise<void>;
  readonly text: () => string;
}

/** Collects one stream; a text message marks its end, characters may be split between messages. */
function createCollector(
  listener: ((text: string) => void) | undefined,
  { keep }: { readonly keep: boolean } = { keep: true },
): Collector {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const pieces: string[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const add = (text: string) => {
    if (text === '') return;
    if (keep) pieces.push(text);
    listener?.(text);
  };
  return {
    receive: ({ kind, data }) => {
      if (kind === 'binary') {
        add(decoder.decode(data, { stream: true }));
      } else {
        add(decoder.decode());
        resolve();
      }
    },
    ended,
    text: () => pieces.join(''),
  };
}

async function waitForEnd(
  streams: readonly (readonly [WebSocketConnection, Collector])[],
): Promise<Error | undefined> {
  const ends = await Promise.all(
    streams.map(
      async ([socket, collector]) => await Promise.race([collector.ended, socket.closed]),
    ),
  );
  return ends.find((end) => end instanceof Error);
}
