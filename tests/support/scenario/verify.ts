// The laws that every scenario is checked against after its own assertions:
// - idempotence: the same event again on the resulting state changes nothing more and disturbs no
//   service;
// - interruption: killed right after any call that changed something, and run again, the charm
//   arrives at the same state as if nothing had happened. Juju does not run an action again: there
//   the operator does, after an update-status.
// Each can be loosened, but only with a reason.

import { messageOf } from '../../../lib/base/error.ts';
import { canonical, stateDifferences } from './compare.ts';
import { type Trigger, updateStatus } from './events.ts';
import { type Interruption, type RunRequest, type RunResult, run } from './run.ts';
import type { State } from './state.ts';

export interface Loosening<W> {
  /** Why the second run may change or disturb something. */
  readonly secondRun?: string;
  /** Why a killed run need not end in the same state. */
  readonly killChecks?: string;
  /** What a killed run ends in instead of the same state, why, and a check that fails otherwise. */
  readonly killOutcome?: {
    readonly because: string;
    readonly check: (reached: State<W>) => void;
  };
  /** Parts of the state (beginnings of `path.to.part`) that may differ, and why. */
  readonly differences?: readonly { readonly path: string; readonly because: string }[];
}

export interface Verification<P, W> extends RunRequest<P, W> {
  /** The result of the undisturbed run. */
  readonly result: RunResult<W>;
  readonly loosen?: Loosening<W>;
}

/** A law that a scenario breaks; the message says after which call, and what differs. */
export class LawBroken extends Error {
  override readonly name = 'LawBroken';
}

/** Checks both laws; throws `LawBroken`. */
export async function verifyLaws<P, W>(given: Verification<P, W>): Promise<void> {
  requireReasons(given.loosen ?? {});
  await verifySecondRun(given);
  await verifyKills(given);
}

const betweenRunsMs = 5 * 60 * 1000;

async function verifySecondRun<P, W>(given: Verification<P, W>): Promise<void> {
  const { result, loosen } = given;
  if (loosen?.secondRun !== undefined) return;
  const again = await run({
    ...given,
    state: result.state,
    startMs: result.endMs + betweenRunsMs,
    runTag: 's2',
    interruptible: false,
  });
  const changed = remaining(stateDifferences(result.state, again.state), loosen);
  const problems = [
    ...changed,
    ...again.disturbances.map((one) => `disturbed: ${one}`),
    ...(again.exitCode === result.exitCode
      ? []
      : [`exit code: ${result.exitCode} → ${again.exitCode}`]),
  ];
  if (problems.length === 0) return;
  throw new LawBroken(
    `not idempotent: the same event once more changed\n  ${problems.join('\n  ')}`,
  );
}

async function verifyKills<P, W>(given: Verification<P, W>): Promise<void> {
  const { result, loosen } = given;
  if (loosen?.killChecks !== undefined) return;
  const isAction = given.event.event.kind === 'action';
  const wanted = isAction ? await settle(given, result.state, 'r') : result.state;
  const seen = new Set([canonical(given.state)]);
  for (const [index, killed] of result.interruptions.entries()) {
    const shown = canonical(killed.state);
    if (seen.has(shown)) continue;
    seen.add(shown);
    const tag = `k${index.toString(36)}`;
    const reached = await runAfterKill(given, killed, tag);
    const problems =
      loosen?.killOutcome === undefined
        ? remaining(stateDifferences(wanted, reached), loosen)
        : failuresOf(() => loosen.killOutcome?.check(reached));
    if (problems.length > 0) throw new LawBroken(describe(killed, problems));
  }
}

async function runAfterKill<P, W>(
  given: Verification<P, W>,
  killed: Interruption<W>,
  runTag: string,
): Promise<State<W>> {
  try {
    if (given.event.event.kind === 'action') return await repeatAction(given, killed.state, runTag);
    return await deliver(given, { state: killed.state, event: given.event, runTag });
  } catch (error) {
    throw new LawBroken(describe(killed, ['(the kit could not go on)']), { cause: error });
  }
}

async function repeatAction<P, W>(
  given: Verification<P, W>,
  killed: State<W>,
  tag: string,
): Promise<State<W>> {
  const noticed = await deliver(given, { state: killed, event: updateStatus, runTag: `${tag}a` });
  const again = await deliver(given, { state: noticed, event: given.event, runTag: `${tag}b` });
  return await settle(given, again, `${tag}c`);
}

async function settle<P, W>(
  given: Verification<P, W>,
  state: State<W>,
  runTag: string,
): Promise<State<W>> {
  return await deliver(given, { state, event: updateStatus, runTag });
}

async function deliver<P, W>(
  given: Verification<P, W>,
  step: { readonly state: State<W>; readonly event: Trigger; readonly runTag: string },
): Promise<State<W>> {
  return (await run({ ...given, ...step, interruptible: false })).state;
}

function describe<W>({ after }: Interruption<W>, problems: readonly string[]): string {
  return (
    `not safe to kill: killed after ${after.port} ${after.method} ${after.summary}\n` +
    `and run again, the state differs (undisturbed → killed)\n  ${problems.join('\n  ')}`
  );
}

function failuresOf(check: () => void): readonly string[] {
  try {
    check();
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

function remaining<W>(
  lines: readonly string[],
  loosen: Loosening<W> | undefined,
): readonly string[] {
  const allowed = loosen?.differences ?? [];
  return lines.filter((line) => !allowed.some(({ path }) => line.startsWith(path)));
}

function requireReasons<W>(loosen: Loosening<W>): void {
  const reasons = [
    loosen.secondRun,
    loosen.killChecks,
    loosen.killOutcome?.because,
    ...(loosen.differences ?? []).map(({ because }) => because),
  ];
  if (reasons.some((reason) => reason !== undefined && reason.trim().length < 10)) {
    throw new Error('a loosened check needs a reason that a reader understands');
  }
}
