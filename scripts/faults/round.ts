/** One round: a whole cluster, a writer, a fault, its end, the recovery, and the comparison. */

import { setTimeout as sleep } from 'node:timers/promises';

import type { Model } from '../demo/model.ts';
import { readStatus } from '../demo/settle.ts';
import { type Comparison, compareMembers } from './checker.ts';
import type { Fault, Scene } from './fault.ts';
import type { Ledger } from './ledger.ts';
import { podOf } from './names.ts';
import { leaderOf, listProblems, type Sample } from './observations.ts';
import { fetchCluster, type Pod } from './pods.ts';
import { judgeRecovery } from './recovery.ts';
import type { UndoList } from './undo.ts';
import { startWatch, type Watch } from './watch.ts';
import { startWriter, type Writer } from './writer-client.ts';
import type { WriterSettings } from './writer-settings.ts';
import type { Ack } from './writes.ts';

export interface RoundOptions {
  readonly model: Model;
  readonly app: string;
  readonly size: number;
  readonly round: number;
  readonly fault: Fault;
  readonly writer: WriterSettings;
  readonly writesFile: string;
  readonly ledger: Ledger;
  readonly undo: UndoList;
  readonly say: (text: string) => void;
}

/** Nothing was tried: the cluster was not whole to begin with. */
export class NotReadyError extends Error {
  readonly code = 'cluster-not-ready';
  override readonly name = 'NotReadyError';
}

/** Everything that a round has shown. */
export interface RoundRecord {
  readonly primary: string;
  /** The pod that was meant. */
  readonly victim: string;
  readonly startMs: number;
  /** When the fault was undone. */
  readonly endMs: number;
  /** When the last look was taken. */
  readonly doneMs: number;
  /** When the cluster had become whole for good; absent when it took too long. */
  readonly wholeMs: number | undefined;
  readonly acks: readonly Ack[];
  readonly samples: readonly Sample[];
  readonly comparison: Comparison | undefined;
  readonly problem: string | undefined;
  readonly nextId: number;
}

export type RoundOutcome =
  | { readonly kind: 'done'; readonly record: RoundRecord }
  | { readonly kind: 'skipped'; readonly why: string };

const warmUpMs = 3000;
const readyTimeoutMs = 300_000;
const intervalMs = 250;

export async function playRound(options: RoundOptions): Promise<RoundOutcome> {
  const { model, app } = options;
  const watch = startWatch(model, app);
  try {
    const primary = await waitUntilReady(options, watch);
    const scene = await setScene(options, primary);
    const why = await options.fault.obstacle?.(scene);
    if (why !== undefined) return { kind: 'skipped', why };
    return { kind: 'done', record: await disturb(options, scene, watch) };
  } finally {
    await watch.stop();
  }
}

/** A cluster is whole before a fault hits it; returns its primary. */
async function waitUntilReady(options: RoundOptions, watch: Watch): Promise<string> {
  const startMs = Date.now();
  for (;;) {
    const last = watch.samples.at(-1);
    const problems = last === undefined ? ['nothing seen'] : listProblems(last, options.size);
    const primary = last === undefined ? undefined : leaderOf(last);
    if (problems.length === 0 && primary !== undefined) return primary;
    if (Date.now() - startMs > readyTimeoutMs) {
      throw new NotReadyError(`cannot begin: the cluster is not whole: ${problems.join('; ')}`);
    }
    await sleep(intervalMs);
  }
}

async function setScene(options: RoundOptions, primary: string): Promise<Scene> {
  const { model, app, fault, undo, say } = options;
  const { pods } = await fetchCluster(model.name, app);
  const replicas = pods.filter(({ name }) => name !== primary);
  const victims: Readonly<Record<Fault['target'], () => Promise<Pod | undefined>>> = {
    primary: async () => await Promise.resolve(find(primary)),
    all: async () => await Promise.resolve(find(primary)),
    replica: async () => await Promise.resolve(replicas[options.round % replicas.length]),
    'leader-unit': async () => {
      const units = (await readStatus(model)).applications[app] ?? [];
      return find(podOf(units.find(({ leader }) => leader)?.name ?? ''));
    },
  };
  function find(name: string): Pod | undefined {
    return pods.find((pod) => pod.name === name);
  }
  const [first, victim] = [find(primary), await victims[fault.target]()];
  if (first === undefined || victim === undefined) {
    throw new Error(`cannot begin: there is no pod for ${fault.target}`);
  }
  return { model, app, pods, primary: first, victim, undo, say };
}

async function disturb(options: RoundOptions, scene: Scene, watch: Watch): Promise<RoundRecord> {
  const { fault, say } = options;
  const writer = startWriter(options.writer, options.writesFile);
  try {
    await warmUp(writer);
    const startMs = Date.now();
    say(`${fault.name} on ${scene.victim.name} (primary ${scene.primary.name})`);
    await scene.undo.guard(async () => {
      await fault.inject(scene);
    });
    await sleep(fault.lastsS * 1000);
    await scene.undo.undoAll();
    const endMs = Date.now();
    const wholeMs = await waitUntilWhole(options, watch, { writer, endMs });
    await writer.stop();
    const doneMs = Date.now();
    return {
      primary: scene.primary.name,
      victim: scene.victim.name,
      startMs,
      endMs,
      doneMs,
      wholeMs,
      ...(await compare(options, watch, writer)),
      acks: writer.acks,
      samples: watch.samples.filter(({ atMs }) => atMs >= startMs && atMs <= doneMs),
      nextId: writer.nextId(),
    };
  } finally {
    await writer.stop();
    await scene.undo.undoAll();
  }
}

async function warmUp(writer: Writer): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  while (writer.acks.length === 0) {
    if (Date.now() > deadlineMs) {
      throw new Error(`cannot begin: nothing can be written: ${writer.lastFailure()}`);
    }
    await sleep(intervalMs);
  }
  await sleep(warmUpMs);
}

/** Waits until the cluster is whole again; nothing when that takes longer than it may. */
async function waitUntilWhole(
  { fault, size, say }: RoundOptions,
  watch: Watch,
  { writer, endMs }: { readonly writer: Writer; readonly endMs: number },
): Promise<number | undefined> {
  let shown = '';
  for (;;) {
    const verdict = judgeRecovery({
      fault,
      size,
      samples: watch.samples,
      lastAckMs: writer.acks.at(-1)?.atMs ?? 0,
      endMs,
      nowMs: Date.now(),
    });
    if (verdict.kind === 'whole') return verdict.sinceMs;
    if (verdict.kind === 'late') return undefined;
    if (verdict.why !== shown && verdict.why !== '') say(verdict.why);
    shown = verdict.why;
    await sleep(intervalMs);
  }
}

async function compare(
  options: RoundOptions,
  watch: Watch,
  writer: Writer,
): Promise<Pick<RoundRecord, 'comparison' | 'problem'>> {
  const { model, ledger, size } = options;
  for (const { id } of writer.acks) ledger.add(id);
  const last = watch.samples.at(-1);
  const primary = last === undefined ? undefined : leaderOf(last);
  const problems = last === undefined ? ['nothing seen'] : listProblems(last, size);
  const problem = problems.length === 0 ? undefined : problems.join('; ');
  if (last === undefined || primary === undefined) return { comparison: undefined, problem };
  const names = last.views.map(({ name }) => name).filter((name) => name !== primary);
  const member = (pod: string) => ({ namespace: model.name, pod });
  try {
    const members = { primary: member(primary), replicas: names.map(member) };
    return { comparison: await compareMembers(members, ledger), problem };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { comparison: undefined, problem: [problem, why].filter(Boolean).join('; ') };
  }
}
