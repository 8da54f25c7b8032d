// Pebble in memory, for scenarios and for tests of whatever talks to Pebble. It starts from a plain
// state, answers like the real one (one contract suite runs against both), and gives the new state.
// Programs of the image are stood in for by responders; a command that no responder knows fails the
// test. Nothing takes time here, and a service that starts stays up unless its state says otherwise.

import { fromApiFailure, PebbleError } from '../../lib/pebble/errors.ts';
import { isSame } from '../../lib/pebble/layer.ts';
import type { CheckInfo, ExecOptions, ExecResult, Pebble } from '../../lib/pebble/pebble.ts';
import {
  describeFile,
  listFiles,
  makeDirectory,
  readFile,
  removeEntry,
  type Tree,
  writeFile,
} from './fake-pebble-files.ts';
import {
  addLayer,
  listServices,
  type Outcome,
  planOf,
  replanServices,
  restartServices,
  startServices,
  stopServices,
} from './fake-pebble-services.ts';
import { normalise, type PebbleState, pebbleState, type ServiceState } from './pebble-state.ts';

export interface ExecCall {
  readonly command: readonly string[];
  readonly user?: string;
  readonly group?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly stdin?: string;
  readonly timeoutMs: number;
}

/** What a program did; zero and no output unless told. */
export type ExecAnswer = Partial<ExecResult>;

/** Stands in for one program. */
export interface ExecResponder {
  /** Answers commands that start with these words; the longest match wins. */
  readonly command: readonly string[];
  /** May change the container through `fake.update`, and may throw a `PebbleError`. */
  readonly respond: (call: ExecCall, fake: FakePebble) => ExecAnswer | Promise<ExecAnswer>;
}

/** A call that changes something, as it was made; what it did is in the state. */
export type PebbleCall =
  | { readonly kind: 'exec'; readonly call: ExecCall; readonly exitCode: number }
  | { readonly kind: 'add-layer'; readonly label: string }
  | {
      readonly kind: 'replan';
      readonly restarted: readonly string[];
      readonly started: readonly string[];
    }
  | { readonly kind: 'start' | 'stop' | 'restart'; readonly services: readonly string[] }
  | { readonly kind: 'signal'; readonly name: string; readonly services: readonly string[] }
  | { readonly kind: 'push' | 'make-dir' | 'remove'; readonly path: string }
  | { readonly kind: 'notify'; readonly key: string };

export interface FakePebbleOptions {
  readonly container: string;
  readonly state?: Partial<PebbleState>;
  readonly execs?: readonly ExecResponder[];
}

export interface FakePebble extends Pebble {
  /** The state now, in normal form. */
  state(): PebbleState;
  /** Changes the state from outside, as a program in the container would. */
  update(change: (state: PebbleState) => PebbleState): void;
  /** Calls that changed something, in order. */
  readonly calls: readonly PebbleCall[];
  /** The commands that ran, in order. */
  readonly execs: readonly ExecCall[];
  /** Commands without a responder. Each also threw; the kit checks that this is empty. */
  readonly unexpected: readonly string[];
}

/** A container's Pebble in the given state. */
export function createFakePebble(options: FakePebbleOptions): FakePebble {
  const world = createWorld(options);
  const fake: FakePebble = {
    container: options.container,
    state: () => world.shown(),
    update: (change) => {
      world.state = withConfigs(normalise(change(world.state)));
    },
    calls: world.calls,
    unexpected: world.unexpected,
    get execs() {
      return world.calls.flatMap((call) => (call.kind === 'exec' ? [call.call] : []));
    },
    canConnect: async () => await Promise.resolve(world.state.canConnect),
    plan: async () => planOf(await world.reach('get the plan')),
    checks: async () => listChecks(await world.reach('list checks')),
    health: async (level) => isHealthy(await world.reach('get the health'), level),
    logs: async (service, lines) => {
      const { logs } = await world.reach(`read the log of ${JSON.stringify(service)}`);
      return lines <= 0 ? [] : (logs[service] ?? []).slice(-lines);
    },
    ...createServiceCalls(world),
    ...createFileCalls(world),
    ...createNoticeCalls(world),
    exec: async (command, running) => {
      const what = `run ${JSON.stringify(command[0] ?? '')}`;
      checkExec(what, await world.reach(what), running);
      const call = toExecCall(command, running);
      const result = toResult(await world.respond(call, fake));
      world.calls.push({ kind: 'exec', call, exitCode: result.exitCode });
      if (result.stdout !== '') running.onStdout?.(result.stdout);
      if (result.stderr !== '') running.onStderr?.(result.stderr);
      return running.discardStdout === true ? { ...result, stdout: '' } : result;
    },
  };
  return fake;
}

/** What a responder throws when the image has no such program. */
export function programMissing(command: readonly string[]): PebbleError {
  const name = command[0] ?? '';
  const message = `cannot find executable "${name}"`;
  return fromApiFailure(`run ${JSON.stringify(name)}`, { message, status: 400 });
}

/** What a responder throws when the program was killed at its time limit. */
export function programTimedOut(command: readonly string[]): PebbleError {
  const name = JSON.stringify(command[0] ?? '');
  return new PebbleError(`cannot run ${name}: timed out`, {
    code: 'timeout',
    fields: { change: '1' },
  });
}

interface World {
  /** Every service that was ever started has its configuration here. */
  state: PebbleState;
  readonly calls: PebbleCall[];
  readonly unexpected: string[];
  /** The state in normal form; the same object as long as nothing has changed. */
  shown(): PebbleState;
  /** The state, when there is a connection. */
  reach(what: string): Promise<PebbleState>;
  respond(call: ExecCall, fake: FakePebble): Promise<ExecAnswer>;
}

function createWorld(options: FakePebbleOptions): World {
  let last: { readonly of: PebbleState; readonly shown: PebbleState } | undefined;
  const world: World = {
    state: withConfigs(pebbleState(options.state)),
    shown: () => {
      const { state } = world;
      if (last?.of !== state) last = { of: state, shown: withoutPlainConfigs(state) };
      return last.shown;
    },
    calls: [],
    unexpected: [],
    reach: async (what) => {
      await Promise.resolve();
      if (world.state.canConnect) return world.state;
      throw new PebbleError(`cannot ${what}: Pebble does not answer`, { code: 'unreachable' });
    },
    respond: async (call, fake) => {
      const responder = findResponder(options.execs ?? [], call.command);
      if (responder !== undefined) return await responder.respond(call, fake);
      const command = call.command.join(' ');
      world.unexpected.push(command);
      throw new Error(`cannot stand in for the command "${command}": no responder knows it`);
    },
  };
  return world;
}

function createServiceCalls(
  world: World,
): Pick<Pebble, 'addLayer' | 'services' | 'replan' | 'start' | 'stop' | 'restart' | 'signal'> {
  const settle = (call: PebbleCall, outcome: Outcome) => {
    world.calls.push(call);
    world.state = outcome.state;
    if (outcome.failure !== undefined) throw outcome.failure;
  };
  return {
    services: async (names) => listServices(await world.reach('list services'), names),
    addLayer: async (label, layer) => {
      const state = await world.reach(`add layer ${JSON.stringify(label)}`);
      settle({ kind: 'add-layer', label }, { state: addLayer(state, label, layer) });
    },
    replan: async () => {
      const { restarted, started, ...outcome } = replanServices(await world.reach('replan'));
      settle({ kind: 'replan', restarted, started }, outcome);
    },
    start: async (...services) => {
      if (services.length === 0) return;
      const what = describeChange('start', services);
      settle({ kind: 'start', services }, startServices(await world.reach(what), what, services));
    },
    stop: async (...services) => {
      if (services.length === 0) return;
      const what = describeChange('stop', services);
      const state = stopServices(await world.reach(what), what, services);
      settle({ kind: 'stop', services }, { state });
    },
    restart: async (...services) => {
      if (services.length === 0) return;
      const what = describeChange('restart', services);
      const outcome = restartServices(await world.reach(what), what, services);
      settle({ kind: 'restart', services }, outcome);
    },
    signal: async (name, ...services) => {
      const state = await world.reach(`send ${name}`);
      const idle = services.find((service) => state.services[service]?.current !== 'active');
      if (idle !== undefined) {
        const message = `cannot send signal to "${idle}": service is not running`;
        throw fromApiFailure(`send ${name}`, { message, status: 500 });
      }
      settle({ kind: 'signal', name, services }, { state });
    },
  };
}

function createFileCalls(
  world: World,
): Pick<Pebble, 'pull' | 'push' | 'list' | 'stat' | 'makeDir' | 'remove'> {
  const settle = (kind: 'push' | 'make-dir' | 'remove', path: string, files: Tree) => {
    world.calls.push({ kind, path });
    world.state = normalise({ ...world.state, files });
  };
  return {
    pull: async (path) => readFile((await world.reach(`read ${path}`)).files, path),
    list: async (path, pattern) =>
      listFiles((await world.reach(`list ${path}`)).files, path, pattern),
    stat: async (path) => describeFile((await world.reach(`look at ${path}`)).files, path),
    push: async (path, content, options = {}) => {
      const state = await world.reach(`write ${path}`);
      settle('push', path, writeFile(state, { path, content, options }));
    },
    makeDir: async (path, options = {}) => {
      const state = await world.reach(`make directory ${path}`);
      settle('make-dir', path, makeDirectory(state, path, options));
    },
    remove: async (path, { recursive = false } = {}) => {
      const { files } = await world.reach(`remove ${path}`);
      settle('remove', path, removeEntry(files, path, recursive));
    },
  };
}

// A domain and a path, in lower case.
const noticeKey = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+(\/[a-z0-9]+(-[a-z0-9]+)*)+$/;

function createNoticeCalls(world: World): Pick<Pebble, 'notices' | 'notify'> {
  return {
    notices: async ({ keys } = {}) => {
      const { notices } = await world.reach('list notices');
      return notices.filter((notice) => keys === undefined || keys.includes(notice.key));
    },
    notify: async (key, lastData = {}) => {
      const what = `notify ${JSON.stringify(key)}`;
      const state = await world.reach(what);
      if (!noticeKey.test(key)) {
        throw fromApiFailure(what, { message: `invalid key "${key}"`, status: 400 });
      }
      const old = state.notices.find((notice) => notice.key === key);
      const id = old?.id ?? String(state.notices.length + 1);
      const occurrences = (old?.occurrences ?? 0) + 1;
      const notice = { id, type: 'custom', key, lastData, occurrences };
      const others = state.notices.filter((one) => one !== old);
      world.calls.push({ kind: 'notify', key });
      world.state = { ...state, notices: [...others, notice] };
    },
  };
}

function describeChange(action: string, services: readonly string[]): string {
  return [action, ...services.map((name) => JSON.stringify(name))].join(' ');
}

function listChecks(state: PebbleState): readonly CheckInfo[] {
  return Object.entries(planOf(state).checks)
    .map(([name, { threshold = 3, startup }]): CheckInfo => {
      const usual = { status: startup === 'disabled' ? 'inactive' : 'up', failures: 0 } as const;
      return { name, ...(state.checks[name] ?? usual), threshold };
    })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** Checks without a level count for none; those of `alive` also for `ready`. */
function isHealthy(state: PebbleState, level: 'alive' | 'ready'): boolean {
  const { checks } = planOf(state);
  return listChecks(state).every(({ name, status }) => {
    const own = checks[name]?.level;
    return status !== 'down' || own === undefined || (level === 'alive' && own === 'ready');
  });
}

function findResponder(
  responders: readonly ExecResponder[],
  command: readonly string[],
): ExecResponder | undefined {
  return responders
    .filter((responder) => responder.command.every((word, index) => command[index] === word))
    .toSorted((one, other) => other.command.length - one.command.length)[0];
}

function checkExec(what: string, state: PebbleState, options: ExecOptions): void {
  const { user, workingDir } = options;
  if (user !== undefined && state.users[user] === undefined) {
    throw fromApiFailure(what, { message: `unknown user ${user}`, status: 400 });
  }
  if (workingDir !== undefined && state.files[workingDir]?.type !== 'directory') {
    const message = `working directory "${workingDir}" does not exist`;
    throw fromApiFailure(what, { message, status: 500 });
  }
}

function toExecCall(command: readonly string[], options: ExecOptions): ExecCall {
  const { onStdout: _stdout, onStderr: _stderr, ...call } = options;
  return { command, ...call };
}

function toResult({ exitCode = 0, stdout = '', stderr = '' }: ExecAnswer): ExecResult {
  return { exitCode, stdout, stderr };
}

/** Services whose configuration the state leaves out run with that of the plan. */
function withConfigs(state: PebbleState): PebbleState {
  const plan = planOf(state);
  return mapServices(state, (service, name) => {
    const config = service.config ?? plan.services[name];
    return config === undefined ? service : { ...service, config };
  });
}

function withoutPlainConfigs(state: PebbleState): PebbleState {
  const plan = planOf(state);
  return mapServices(normalise(state), ({ config, ...service }, name) =>
    config === undefined || isSame(config, plan.services[name]) ? service : { ...service, config },
  );
}

function mapServices(
  state: PebbleState,
  change: (service: ServiceState, name: string) => ServiceState,
): PebbleState {
  const pairs = Object.entries(state.services).map(([name, service]): [string, ServiceState] => [
    name,
    change(service, name),
  ]);
  return { ...state, services: Object.fromEntries(pairs) };
}
