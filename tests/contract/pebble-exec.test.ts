// Programs in a real daemon when something goes wrong on either side: the in-memory Pebble has no
// processes that could be left behind.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { poll } from '../../lib/base/retry.ts';
import { createPebble } from '../../lib/pebble/client.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { type PebbleDaemon, startPebbleDaemon } from '../support/pebble-daemon.ts';

let daemon: PebbleDaemon;
let pebble: Pebble;
beforeEach(async () => {
  daemon = await startPebbleDaemon();
  const { socketPath } = daemon;
  pebble = createPebble({ container: 'workload', socketPath, clock: systemClock });
});
afterEach(async () => {
  await daemon.stop();
});

/** Runs until killed, and writes its process id to a file first. */
const lasting = (file: string) => ['sh', '-c', `echo $$ > ${file}; exec sleep 1000`];

async function waitForPid(file: string): Promise<string> {
  const read = async () => {
    const text = await pebble.pull(file);
    return text?.endsWith('\n') === true ? text.trim() : undefined;
  };
  const pid = await poll({ clock: systemClock, intervalMs: 20, timeoutMs: 10_000 }, read);
  if (pid === undefined) throw new Error('cannot find the program: it wrote no process id');
  return pid;
}

async function waitForEnd(pid: string): Promise<boolean | undefined> {
  return await poll({ clock: systemClock, intervalMs: 20, timeoutMs: 10_000 }, async () =>
    (await pebble.stat(`/proc/${pid}/exe`)) === undefined ? true : undefined,
  );
}

/** A way to the daemon on which the connection for signals is late. */
async function startLateControl(socketPath: string): Promise<Server> {
  const server = createServer((client) => {
    client.once('data', (first) => {
      const late = first.toString().includes('/websocket/control') ? 1000 : 0;
      setTimeout(() => {
        const daemonSide = connect(socketPath);
        daemonSide.write(first);
        client.pipe(daemonSide).pipe(client);
        for (const socket of [client, daemonSide]) socket.on('error', () => undefined);
      }, late);
    });
  });
  server.listen(join(daemon.folder, 'late'));
  await once(server, 'listening');
  return server;
}

test('a program that ends at once has run, however late the connection for signals is', async () => {
  const server = await startLateControl(daemon.socketPath);
  const socketPath = join(daemon.folder, 'late');
  const late = createPebble({ container: 'workload', socketPath, clock: systemClock });

  const { exitCode, stdout } = await late.exec(['echo', 'here'], { timeoutMs: 5000 });
  server.close();

  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'here\n' });
});

test('a program at its time limit is killed', async () => {
  const file = join(daemon.folder, 'pid');

  const running = pebble.exec(lasting(file), { timeoutMs: 1000 });

  await expect(running).rejects.toMatchObject({ code: 'timeout' });
  expect(await waitForEnd(await waitForPid(file))).toBe(true);
});

test('a program is killed when it is told to', async () => {
  const file = join(daemon.folder, 'pid');
  const kill = new AbortController();
  const running = pebble.exec(lasting(file), { timeoutMs: 600_000, kill: kill.signal });
  const pid = await waitForPid(file);

  kill.abort();

  expect(await running).toMatchObject({ exitCode: 137 });
  expect(await waitForEnd(pid)).toBe(true);
});

test('a program that leaves its output open is given up on', async () => {
  const command = ['sh', '-c', 'sleep 7 & echo done'];

  const running = pebble.exec(command, { timeoutMs: 100 });

  await expect(running).rejects.toMatchObject({ code: 'timeout' });
});

test('a program is killed when whoever runs it dies', async () => {
  const file = join(daemon.folder, 'pid');
  const client = new URL('../../lib/pebble/client.ts', import.meta.url).href;
  const clock = new URL('../../lib/base/clock.ts', import.meta.url).href;
  const script = `
    const { createPebble } = await import(${JSON.stringify(client)});
    const { systemClock } = await import(${JSON.stringify(clock)});
    const socketPath = ${JSON.stringify(daemon.socketPath)};
    const pebble = createPebble({ container: 'workload', socketPath, clock: systemClock });
    await pebble.exec(${JSON.stringify(lasting(file))}, { timeoutMs: 600_000 });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: 'ignore',
  });
  const pid = await waitForPid(file);

  child.kill('SIGKILL');

  expect(await waitForEnd(pid)).toBe(true);
});

test('a listener that throws makes the call fail, after the program has ended', async () => {
  const file = join(daemon.folder, 'ended');
  const command = ['sh', '-c', `echo one; sleep 0.2; touch ${file}`];

  const running = pebble.exec(command, {
    timeoutMs: 5000,
    onStdout: () => {
      throw new Error('planned');
    },
  });

  await expect(running).rejects.toThrow('planned');
  expect(await pebble.stat(file)).toBeDefined();
});

test('output in any script arrives whole, also when characters are torn apart', async () => {
  const script = String.raw`printf '\303'; sleep 0.1; printf '\274\n\357\273\277'`;

  const { stdout } = await pebble.exec(['sh', '-c', script], { timeoutMs: 5000 });

  expect(stdout).toBe('ü\n\ufeff');
});

test('output that is discarded goes to the listener only', async () => {
  const heard: string[] = [];

  const { stdout, stderr } = await pebble.exec(['sh', '-c', 'echo out; echo error >&2'], {
    timeoutMs: 5000,
    discardStdout: true,
    onStdout: (text) => {
      heard.push(text);
    },
  });

  expect([heard.join(''), stdout, stderr]).toEqual(['out\n', '', 'error\n']);
});

test('programs run side by side', async () => {
  const words = Array.from({ length: 20 }, (_, index) => `word ${index}`);

  const results = await Promise.all(
    words.map(async (stdin) => await pebble.exec(['cat'], { timeoutMs: 20_000, stdin })),
  );

  expect(results.map(({ stdout }) => stdout)).toEqual(words);
});

test('a daemon that goes away ends the call', async () => {
  const file = join(daemon.folder, 'pid');
  const running = pebble.exec(lasting(file), { timeoutMs: 60_000 });
  const settled = Promise.allSettled([running]);
  await waitForPid(file);

  await daemon.stop();

  // Killed by the daemon on its way out, or cut off.
  const [outcome] = await settled;
  expect(outcome).toMatchObject(
    outcome.status === 'fulfilled'
      ? { value: { exitCode: 137 } }
      : { reason: { code: 'unreachable' } },
  );
});
