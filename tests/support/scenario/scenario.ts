// The wrapper that tests use: one scenario is one Jest test, which runs the charm once, makes the
// test's own assertions, checks the laws of verify.ts, and hands the walked flowchart paths on.

import { test } from '@jest/globals';

import { recordWalks } from '../flowchart-record.ts';
import type { Trigger } from './events.ts';
import type { Host } from './host.ts';
import { type CharmUnderTest, type ExecResponders, type RunResult, run } from './run.ts';
import type { State } from './state.ts';
import { type Loosening, verifyLaws } from './verify.ts';

export interface Scenario<P, W> {
  readonly charm: CharmUnderTest<P, W>;
  /** The state before; or made when the test runs, for instance by other runs. */
  readonly given: State<W> | (() => Promise<State<W>>);
  /** The event; or made from the state, when it needs something of it. */
  readonly when: Trigger | ((given: State<W>) => Trigger);
  /** Assertions on the undisturbed run. */
  readonly then: (result: RunResult<W>) => void | Promise<void>;
  /** Stand in for programs of this scenario; go before the charm's own. */
  readonly execs?: (host: Host<W>) => ExecResponders;
  readonly loosen?: Loosening<W>;
  /** When the hook begins; at noon unless told. */
  readonly startMs?: number;
  /** The hook is meant to fail; without this a failing hook fails the scenario. */
  readonly fails?: true;
}

/** Declares a scenario. The name is a sentence that states behaviour. */
export function scenario<P, W>(name: string, of: Scenario<P, W>): void {
  test(name, async () => {
    const state = typeof of.given === 'function' ? await of.given() : of.given;
    const event = typeof of.when === 'function' ? of.when(state) : of.when;
    const request = {
      charm: of.charm,
      state,
      event,
      ...(of.execs === undefined ? {} : { execs: of.execs }),
      ...(of.startMs === undefined ? {} : { startMs: of.startMs }),
    };
    const result = await run(request);
    recordWalks(name, result.walks);
    refuseFailure(result, of.fails === true);
    await of.then(result);
    await verifyLaws({
      ...request,
      result,
      ...(of.loosen === undefined ? {} : { loosen: of.loosen }),
    });
  });
}

function refuseFailure<W>({ exitCode, commitError, log }: RunResult<W>, expected: boolean): void {
  if ((exitCode !== 0) === expected) return;
  if (expected) throw new Error('the hook went well, but was meant to fail');
  const errors = log.filter(({ level }) => level === 'ERROR').map(({ message }) => message);
  throw new Error(
    ['the hook failed', ...(commitError === undefined ? [] : [commitError]), ...errors].join('\n'),
  );
}
