// The watcher as it runs in the workload, among stand-ins: a Patroni, a postmaster with children, and
// a Pebble that notes down notices. All are processes of their own, in a folder of their own.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';

import { execa } from 'execa';

import { systemClock } from '../../../lib/base/clock.ts';
import { poll } from '../../../lib/base/retry.ts';
import { repository } from '../../../scripts/charms.ts';
import { callbackScript } from '../../../src/core/render/watcher.ts';
import { watcherFiles } from '../../../src/core/render/watcher-program.ts';
import { makeTemporaryFolder } from '../child-server.ts';
import { findFreePort } from '../free-port.ts';

/** What the stand-in of Patroni answers by path: status and body; `null`: it never answers. */
export type Answers = Readonly<Record<string, readonly [number, unknown] | null>>;

export interface Stage {
  /** Parent of the data directory, as the volume's mount point is. */
  readonly volume: string;
  readonly data: string;
  readonly logs: string;
  /** The file that stands while a hook works on backups. */
  readonly longWork: string;
  readonly watcher: ChildProcess;
  readonly patroni: ChildProcess;
  readonly postmaster: ChildProcess;
  /** Changes some of what Patroni answers. */
  answer(answers: Answers): Promise<void>;
  /** What Patroni was asked so far. */
  requests(): Promise<readonly string[]>;
  /** Changes some of what Kubernetes answers; without that it knows nothing. */
  answerOfKubernetes(answers: Answers): Promise<void>;
  /** Starts another member's Patroni at this address of the machine, with these answers. */
  startPatroniAt(address: string, answers: Answers): Promise<void>;
  /** What Kubernetes was asked so far. */
  requestsToKubernetes(): Promise<readonly string[]>;
  /** What the watcher has said so far. */
  said(): string;
  /** Notices so far: key, then data. */
  notices(): Promise<readonly string[]>;
  /** The watcher's file, parsed. */
  seen(): Promise<Readonly<Record<string, unknown>>>;
  /** Calls the script as Patroni does. */
  callback(name: string, role: string): Promise<void>;
  /** Writes down when a backup is due. */
  writeBackupDue(time: string): Promise<void>;
  /** Starts a further postmaster, as Patroni does after the end of one. */
  startPostmaster(): ChildProcess;
  /** Starts (`+`) or kills (`-`) a child of the postmaster with this title. */
  child(action: '+' | '-', title: string): void;
}

/** Leader lock that the stand-in tells; half of it is what the watcher puts up with. */
export const ttlS = 8;

/** Longer than a stop of PostgreSQL or Patroni is put up with here. */
export const patienceS = 1;

export const healthy: Answers = {
  '/liveness': [200, ''],
  '/reload': [202, ''],
  '/config': [200, { ttl: ttlS }],
  '/cluster': [200, { members: [{ name: 'app-0', role: 'leader', state: 'running' }] }],
};

const support = path.join(repository, 'tests/support/watcher');

interface LogFile {
  readonly name: string;
  readonly megabytes: number;
  /** Since it was written to last. */
  readonly hours: number;
}

interface StageOptions {
  /** Whether the member replicates. */
  readonly standby?: boolean;
  /** Some of what Patroni answers from the start. */
  readonly answers?: Answers;
  /** Log files before the start. */
  readonly logs?: readonly LogFile[];
  /** The one of them that PostgreSQL says it logs into. */
  readonly logsInto?: string;
  /** Seconds that WAL may wait; the watcher's own unless told. */
  readonly lagS?: number;
  /** Prepares the volume; what it gives is called at the end. */
  readonly mount?: (volume: string) => Promise<() => Promise<void>>;
}

/** Runs a test among the stand-ins once the watcher knows them, and ends them all. */
export async function onStage(
  options: StageOptions,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  const folder = await makeTemporaryFolder('watcher');
  const volume = path.join(folder.path, 'volume');
  await mkdir(volume);
  const unmount = await options.mount?.(volume);
  const processes: ChildProcess[] = [];
  try {
    const stage = await build({ folder: folder.path, volume, processes, options });
    await until(async () => (await stage.requests()).includes('GET /cluster') || undefined);
    await until(async () => ('replication' in (await stage.seen()) ? true : undefined));
    await play(stage);
  } finally {
    await Promise.all(processes.map(end));
    await unmount?.();
    await folder.remove();
  }
}

/** Waits until the attempt gives something, and fails after a while. */
export async function until<T>(
  attempt: () => Promise<T | undefined>,
  timeoutMs = 20_000,
): Promise<T> {
  const found = await poll({ clock: systemClock, intervalMs: 50, timeoutMs }, attempt);
  if (found === undefined) throw new Error('what the test waits for did not come');
  return found;
}

/** The signal that ended a process, or `undefined` while it runs. */
export function endOf(child: ChildProcess): string | undefined {
  return child.signalCode ?? undefined;
}

interface Parts {
  readonly folder: string;
  readonly volume: string;
  readonly processes: ChildProcess[];
  readonly options: StageOptions;
}

async function build({ folder, volume, processes, options }: Parts): Promise<Stage> {
  const at = (name: string) => path.join(folder, name);
  const [data, logs] = [path.join(volume, 'pgdata'), at('logs')];
  await mkdir(path.join(data, 'pg_wal/archive_status'), { recursive: true });
  await mkdir(logs);
  for (const { name, megabytes, hours } of options.logs ?? []) {
    const written = new Date(systemClock.nowMs() - hours * 3_600_000);
    await writeFile(path.join(logs, name), '');
    await truncate(path.join(logs, name), megabytes * 1_000_000);
    await utimes(path.join(logs, name), written, written);
  }
  if (options.logsInto !== undefined) {
    const line = `stderr ${path.join(logs, options.logsInto)}\n`;
    await writeFile(path.join(data, 'current_logfiles'), line);
  }
  if (options.standby === true) await writeFile(path.join(data, 'standby.signal'), '');
  const config = path.join(volume, 'patroni.yml');
  const login = '{username: patroni, password: secret}';
  const settings = [
    'name: app-0',
    'scope: patroni-app',
    'kubernetes: {namespace: model}',
    `restapi: {authentication: ${login}}`,
  ];
  await writeFile(config, `${settings.join('\n')}\n`, { mode: 0o600 });
  await copyFile(path.join(support, 'patroni.py'), at('patroni'));
  await mkdir(at('watcher'));
  for (const [name, content] of Object.entries(watcherFiles)) {
    await writeFile(path.join(at('watcher'), name), content);
  }
  await writeFile(at('callback'), callbackScript.replaceAll('/run/charm-notices', at('fifo')));
  const pebble = `#!/bin/sh\nshift\nprintf '%s\\n' "$*" >> ${at('notices')}\n`;
  await writeFile(at('pebble'), pebble, { mode: 0o755 });
  const answer = answerer(at('answers.json'), { ...healthy, ...options.answers });
  await answer({});
  await mkdir(at('kubernetes'));
  const answerOfKubernetes = answerer(at('kubernetes/answers.json'), {});
  await answerOfKubernetes({});

  // The interpreter itself: a wrapper around it would lose the name that the postmaster goes by. Under
  // that name it has to be told where its modules are.
  const facts = 'import sys; print(sys.executable, sys.base_prefix)';
  const { stdout } = await execa('python3', ['-c', facts]);
  const [python = '', pythonHome = ''] = stdout.split(' ');
  const start = (args: readonly string[], spawnOptions: SpawnOptions) => {
    const child = spawn(python, args, spawnOptions);
    processes.push(child);
    return child;
  };
  const port = await findFreePort();
  const output: SpawnOptions = { stdio: ['pipe', 'inherit', 'inherit'] };
  const startPostmaster = () =>
    start([path.join(support, 'postmaster.py'), data, python], {
      ...output,
      argv0: 'postgres',
      env: { ...process.env, PYTHONHOME: pythonHome },
    });
  const postmaster = startPostmaster();
  const kubernetesPort = await findFreePort();
  start([path.join(support, 'patroni.py'), at('kubernetes'), String(kubernetesPort)], output);
  const patroni = start([at('patroni'), config, folder, String(port)], output);
  const startPatroniAt = async (address: string, answers: Answers) => {
    await mkdir(at(address));
    await answerer(at(`${address}/answers.json`), {})(answers);
    start([path.join(support, 'patroni.py'), at(address), `${address}:${port}`], output);
    const up = async () => await isOpen({ host: address, port });
    await until(async () => (await up()) || undefined);
  };
  const watcher = start(
    [
      '-B',
      at('watcher'),
      ...Object.entries({
        config,
        data,
        logs,
        fifo: at('fifo'),
        state: at('seen.json'),
        pid: at('watcher.pid'),
        'backup-due': at('backup-due'),
        'long-work': at('long-work'),
        domain: 'test',
        port,
        patience: patienceS,
        pebble: at('pebble'),
        kubernetes: `http://127.0.0.1:${kubernetesPort}`,
        account: at('account'),
        ...(options.lagS === undefined ? {} : { lag: options.lagS }),
      }).map(([name, value]) => `--${name}=${value}`),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let said = '';
  watcher.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const lines = async (name: string) => (await readOr(at(name), '')).split('\n').filter(Boolean);
  return {
    volume,
    data,
    logs,
    longWork: at('long-work'),
    watcher,
    patroni,
    postmaster,
    startPostmaster,
    answer,
    requests: async () => await lines('requests'),
    answerOfKubernetes,
    startPatroniAt,
    requestsToKubernetes: async () => await lines('kubernetes/requests'),
    said: () => said,
    notices: async () => await lines('notices'),
    writeBackupDue: async (time) => {
      await writeFile(at('backup-due'), time);
    },
    seen: async () => toRecord(JSON.parse(await readOr(at('seen.json'), '{}'))),
    callback: async (name, role) => {
      await execa('sh', [at('callback'), name, role, 'cluster']);
    },
    child: (action, title) => {
      postmaster.stdin?.write(`${action}${title}\n`);
    },
  };
}

function answerer(file: string, first: Answers): (change: Answers) => Promise<void> {
  let answers = first;
  return async (change) => {
    answers = { ...answers, ...change };
    await writeFile(file, JSON.stringify(answers));
  };
}

/** Whether somebody listens there. */
async function isOpen(address: { readonly host: string; readonly port: number }) {
  const socket = connect(address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function readOr(file: string, otherwise: string): Promise<string> {
  return existsSync(file) ? await readFile(file, 'utf8') : otherwise;
}

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('not an object');
  return { ...value };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
