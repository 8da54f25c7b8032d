// One dispatch of a charm, from one state to another: the real dispatch code between an in-memory
// Juju and the fakes of the charm's ports. Impossible states and events are refused first. The
// result also holds every state in which the world would be if the process had been killed: what
// Juju has not committed is lost, everything else has happened.

import { dispatch } from '../../../lib/juju/dispatch.ts';
import type { CharmDefinition } from '../../../lib/juju/hook.ts';
import type { HookToolCall } from '../../../lib/juju/tools/port.ts';
import type { WalkEnd, WalkedPath } from '../../../lib/juju/walk.ts';
import {
  createFakePebble,
  type ExecCall,
  type ExecResponder,
  type FakePebble,
} from '../fake-pebble.ts';
import { pebbleState } from '../pebble-state.ts';
import type { CharmFiles } from './charm-files.ts';
import { canonical } from './compare.ts';
import { refuseImpossible } from './consistency.ts';
import { environmentOf } from './environment.ts';
import type { Trigger } from './events.ts';
import {
  createCell,
  createClock,
  createRandom,
  type Host,
  type OutsideCall,
  watchCalls,
} from './host.ts';
import { ToolError } from './jujuc/arguments.ts';
import { commit } from './jujuc/commit.ts';
import { jujucFor } from './jujuc/jujuc.ts';
import { type LogLine, type OpenHook, openHook } from './jujuc/open-hook.ts';
import type { ShownStatus, State } from './state.ts';

export type ExecResponders = Readonly<Record<string, readonly ExecResponder[]>>;

/** A charm and everything that it runs between. `P`: its ports, `W`: the world of its fakes. */
export interface CharmUnderTest<P, W> {
  readonly charm: CharmDefinition<P>;
  readonly files: CharmFiles;
  readonly ports: (host: Host<W>) => P;
  /** What stands in for the programs of each container. */
  readonly execs?: (host: Host<W>) => ExecResponders;
  /**
   * The world as it is so much later, by a clock that begins anew. Before the next hook all that time
   * brings comes about; only when the process dies the next one follows at once.
   */
  readonly later?: (world: W, elapsedMs: number) => W;
}

export interface RunRequest<P, W> {
  readonly charm: CharmUnderTest<P, W>;
  readonly state: State<W>;
  readonly event: Trigger;
  /** Go before the charm's own. */
  readonly execs?: (host: Host<W>) => ExecResponders;
  readonly startMs?: number;
  /** At most four digits and small letters; part of every made password and secret id. */
  readonly runTag?: string;
  /** `false` for a run that nobody wants to see interrupted: it notes no interruptions. */
  readonly interruptible?: boolean;
}

/** A moment at which the process could have died. */
export interface Interruption<W> {
  readonly after: OutsideCall;
  readonly state: State<W>;
}

/** One run of one handler that has a flowchart. */
export interface Walked extends WalkedPath {
  readonly end: WalkEnd;
}

export interface RunResult<W> {
  readonly state: State<W>;
  readonly exitCode: number;
  /** Why Juju refused the commit, if it did; the exit code is then 1. */
  readonly commitError?: string;
  readonly log: readonly LogLine[];
  readonly walks: readonly Walked[];
  readonly action: {
    readonly results: Readonly<Record<string, string>>;
    readonly failed?: string;
    readonly log: readonly string[];
  };
  /** Statuses that were set, in order. */
  readonly statusHistory: readonly ShownStatus[];
  readonly execs: Readonly<Record<string, readonly ExecCall[]>>;
  readonly hookToolCalls: readonly HookToolCall[];
  readonly calls: readonly OutsideCall[];
  readonly interruptions: readonly Interruption<W>[];
  /** Services that were restarted, stopped or signalled: interruptions that no state shows. */
  readonly disturbances: readonly string[];
  readonly endMs: number;
}

const defaultStartMs = Date.UTC(2026, 0, 31, 12, 0, 0);

export async function run<P, W>(request: RunRequest<P, W>): Promise<RunResult<W>> {
  const { charm, event } = request;
  refuseImpossible(charm.files, request.state, event);
  const stage = setStage(request);
  const { hook, host } = stage;
  const walks: Walked[] = [];
  const charmExit = await dispatch({
    env: environmentOf(request.state, event),
    port: host.watch('juju', jujucFor(hook)),
    ports: charm.ports(host),
    charm: charm.charm,
    clock: host.clock,
    onWalk: (walked, end) => walks.push({ ...walked, end }),
  });
  const commitError = charmExit === 0 ? tryCommit(hook) : undefined;
  const failed = charmExit !== 0 ? `exit status ${charmExit}` : (commitError ?? hook.action.failed);
  stage.refuseUnexpected();
  return {
    state: atRest(charm, host.state()),
    exitCode: commitError === undefined ? charmExit : 1,
    ...(commitError === undefined ? {} : { commitError }),
    log: hook.log,
    walks,
    action: {
      results: hook.action.results,
      log: hook.actionLog,
      ...(event.event.kind === 'action' && failed !== undefined ? { failed } : {}),
    },
    statusHistory: hook.statusHistory,
    hookToolCalls: hook.calls,
    ...stage.observations(),
    endMs: host.clock.nowMs(),
  };
}

function atRest<P, W>({ later }: CharmUnderTest<P, W>, state: State<W>): State<W> {
  return later === undefined ? state : { ...state, world: later(state.world, Infinity) };
}

interface Stage<W> {
  readonly hook: OpenHook;
  readonly host: Host<W>;
  refuseUnexpected(): void;
  observations(): Pick<RunResult<W>, 'execs' | 'calls' | 'interruptions' | 'disturbances'>;
}

function setStage<P, W>(request: RunRequest<P, W>): Stage<W> {
  const { charm, state, event, runTag = '1', startMs = defaultStartMs } = request;
  const { interruptible = true } = request;
  const hook = openHook({ files: charm.files, trigger: event, runTag, state });
  const world = createCell(state.world);
  const pebbles = new Map<string, FakePebble>();
  const calls: OutsideCall[] = [];
  const interruptions: Interruption<W>[] = [];
  const unexpected: string[] = [];
  const disturbances: string[] = [];
  const host: Host<W> = {
    state: () => ({
      ...hook.state,
      containers: Object.fromEntries([...pebbles].map(([name, fake]) => [name, fake.state()])),
      world: world.get(),
    }),
    world,
    clock: createClock(startMs),
    random: createRandom(runTag),
    pebble: (name) => pebbles.get(name) ?? fail(`metadata.yaml declares no container "${name}"`),
    watch: (port, target) =>
      watchCalls(port, target, (call) => {
        calls.push(call);
        if (!interruptible) return;
        const parts = [hook.state, world.get(), ...[...pebbles.values()].map(changesOf)];
        if (parts.every((part, index) => part === lastParts[index])) return;
        lastParts = parts;
        const now = host.state();
        const shown = canonical(now);
        if (shown === lastShown) return;
        lastShown = shown;
        const elapsedMs = host.clock.nowMs() - startMs;
        const left = charm.later?.(now.world, elapsedMs) ?? now.world;
        interruptions.push({ after: call, state: { ...now, world: left } });
      }),
    disturb: (what) => disturbances.push(what),
    unexpected: (what) => {
      unexpected.push(what);
      return new Error(`unexpected call: ${what}`);
    },
  };
  addPebbles(request, host, pebbles);
  let lastShown = interruptible ? canonical(host.state()) : '';
  // Cheaper to compare than the whole state: whatever has changed shows in one of them.
  let lastParts: readonly unknown[] = [];
  return {
    hook,
    host,
    refuseUnexpected: () => {
      const all = [...unexpected, ...[...pebbles.values()].flatMap((fake) => fake.unexpected)];
      if (all.length > 0) throw new Error(`calls that no fake expected:\n  ${all.join('\n  ')}`);
    },
    observations: () => ({
      calls,
      interruptions,
      execs: Object.fromEntries([...pebbles].map(([name, fake]) => [name, fake.execs])),
      disturbances: [
        ...disturbances,
        ...[...pebbles].flatMap(([name, fake]) => disturbancesOf(name, fake)),
      ],
    }),
  };
}

function addPebbles<P, W>(
  request: RunRequest<P, W>,
  host: Host<W>,
  pebbles: Map<string, FakePebble>,
): void {
  const { charm, state } = request;
  const own = charm.execs?.(host) ?? {};
  const given = request.execs?.(host) ?? {};
  for (const container of charm.files.containers) {
    const execs = [...(given[container] ?? []), ...(own[container] ?? [])];
    const before = state.containers[container] ?? pebbleState({ canConnect: false });
    pebbles.set(container, createFakePebble({ container, state: before, execs }));
  }
}

/** Grows with every call that may have changed the container. */
function changesOf(fake: FakePebble): number {
  return fake.calls.length + fake.execs.length;
}

function disturbancesOf(container: string, fake: FakePebble): readonly string[] {
  return fake.calls.flatMap((call) => {
    if (call.kind === 'replan')
      return call.restarted.map((name) => `${container}: replan restarted ${name}`);
    if (call.kind === 'signal') return [`${container}: ${call.name} to ${call.services.join(' ')}`];
    if (call.kind !== 'restart' && call.kind !== 'stop') return [];
    return [`${container}: ${call.kind} ${call.services.join(' ')}`];
  });
}

function tryCommit(hook: OpenHook): string | undefined {
  try {
    hook.state = commit(hook);
    return undefined;
  } catch (error) {
    if (error instanceof ToolError) return error.message;
    throw error;
  }
}

function fail(message: string): never {
  throw new Error(message);
}
