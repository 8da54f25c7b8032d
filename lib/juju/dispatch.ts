// One hook or action from end to end: the facts of the environment, deferred events, the event that
// Juju sent, the statuses, the writes, the log; an exit code. The only place that catches whatever
// is thrown.
//
// Deferred events come first, oldest first, each for itself: one that throws stays in the queue,
// what it wanted written is forgotten, and everything else goes on. They wait while the unit stops.
// A failed hook writes nothing, and Juju runs it again; a failed action tells the operator why and
// counts as a hook that went well, so that deferred events that were handled on the way stay so.

import type { Clock } from '../base/clock.ts';
import { CodedError, messageChain, messageOf } from '../base/error.ts';
import { type HookEnvironment, parseContext } from './context.ts';
import { enqueue, isFinal, loadQueue, refuseUndeferrable, saveQueue } from './deferred.ts';
import { JujuError } from './error.ts';
import type { HookContext, JujuEvent } from './event.ts';
import type { CharmDefinition, Handler, Hook } from './hook.ts';
import type { Status } from './juju.ts';
import { type BufferedLog, createBufferedLog, describeError } from './log.ts';
import { createJuju, type TransactionalJuju } from './model.ts';
import { foldStatuses } from './status.ts';
import type { HookToolPort } from './tools/port.ts';
import { formatRelation } from './tools/relation.ts';
import { recordWalk, renderWalk, type WalkEnd, type WalkedPath } from './walk.ts';

export interface DispatchOptions<P> {
  /** The environment that Juju gave the hook. */
  readonly env: HookEnvironment;
  readonly port: HookToolPort;
  readonly ports: P;
  readonly charm: CharmDefinition<P>;
  /** With a clock, the log tells how long the hook took. */
  readonly clock?: Clock;
  /** Is told each path that a handler walked, and how the handler ended. */
  readonly onWalk?: (walked: WalkedPath, end: WalkEnd) => void;
}

/** Handles what Juju sent; gives the exit code. Never rejects. */
export async function dispatch<P>(options: DispatchOptions<P>): Promise<number> {
  const startMs = options.clock?.nowMs() ?? 0;
  const count = countCalls(options.port);
  const buffered = createBufferedLog(count.port);
  let exitCode = 1;
  try {
    const context = parseContext(options.env);
    await runAll({ ...options, port: count.port }, context, buffered);
    exitCode = 0;
  } catch (error) {
    buffered.log('ERROR', describeError(error));
  }
  if (options.clock !== undefined) {
    const tookMs = Math.round(options.clock.nowMs() - startMs);
    buffered.remark(`took ${tookMs} ms and ${count.calls()} hook tool calls before this line`);
  }
  await buffered.flush();
  return exitCode;
}

/** What all handlers of one dispatch share. */
interface Run<P> {
  readonly options: DispatchOptions<P>;
  readonly juju: TransactionalJuju;
  readonly buffered: BufferedLog;
  readonly statuses: Status[];
  queue: readonly JujuEvent[];
}

async function runAll<P>(
  options: DispatchOptions<P>,
  context: HookContext,
  buffered: BufferedLog,
): Promise<void> {
  const model = createJuju(context, options.port, {
    log: buffered.log,
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const juju = withLogFirst(model, buffered);
  const waiting = await loadQueue(model, buffered.log);
  const run: Run<P> = { options, juju, buffered, statuses: [], queue: waiting };
  const { event } = context;
  const handled = await runDeferred(run, event);
  const handler = options.charm.handlers[keyOf(event)];
  if (handler === undefined && event.kind === 'action') {
    juju.action().fail(`this charm has no action "${event.name}"`);
  }
  const failed = handler === undefined ? false : await runEvent(run, handler);
  if (handler !== undefined || handled) await collectStatus(run, failed);
  if (run.queue !== waiting) await saveQueue(model, run.queue);
  await model.flush();
  const status = foldStatuses(run.statuses);
  if (status !== undefined) await model.showProgress(status);
}

/** Handles the queue; whether there was anything to handle. */
async function runDeferred<P>(run: Run<P>, current: JujuEvent): Promise<boolean> {
  if (isFinal(current)) return false;
  const waiting = run.queue;
  for (const event of waiting) {
    const savepoint = run.juju.savepoint();
    const contributed = run.statuses.length;
    const others = run.queue.filter((each) => each !== event);
    try {
      run.queue = (await runOneDeferred(run, event)) ? run.queue : others;
    } catch (error) {
      run.juju.rollBack(savepoint);
      run.statuses.length = contributed;
      run.buffered.log(
        'ERROR',
        `cannot handle deferred "${event.name}", which stays deferred: ${describeError(error)}`,
      );
    }
  }
  return waiting.length > 0;
}

/** Whether the event is to stay in the queue. */
async function runOneDeferred<P>(run: Run<P>, event: JujuEvent): Promise<boolean> {
  const handler = run.options.charm.handlers[keyOf(event)];
  const reason =
    handler === undefined
      ? 'nobody handles it any more'
      : (await isRelationGone(run.juju, event))
        ? 'its relation is gone'
        : undefined;
  if (handler === undefined || reason !== undefined) {
    run.buffered.log('INFO', `dropping deferred "${event.name}": ${reason ?? ''}`);
    return false;
  }
  run.buffered.log('DEBUG', `handling deferred "${event.name}"`);
  return await runHandler(run, handler, event);
}

/** A broken relation is always gone: that is what its event says. */
async function isRelationGone(juju: TransactionalJuju, event: JujuEvent): Promise<boolean> {
  if (event.kind !== 'relation' || event.change === 'broken') return false;
  const relations = await juju.relations(event.relation.endpoint);
  return !relations.some((each) => formatRelation(each) === formatRelation(event.relation));
}

/** Handles what Juju sent. Whether it was an action that failed; a hook that fails throws. */
async function runEvent<P>(run: Run<P>, handler: Handler<P>): Promise<boolean> {
  const { juju, buffered } = run;
  const { event } = juju.context;
  const savepoint = juju.savepoint();
  const contributed = run.statuses.length;
  try {
    const deferred = await runHandler(run, handler, event);
    if (deferred) run.queue = enqueue(run.queue, event);
    return false;
  } catch (error) {
    if (event.kind !== 'action') throw error;
    juju.rollBack(savepoint);
    run.statuses.length = contributed;
    juju.action().fail(describeForOperator(error));
    if (error instanceof CodedError)
      buffered.log('WARNING', `${event.name}: ${messageChain(error)}`);
    else buffered.log('ERROR', describeError(error));
    return true;
  }
}

/** Runs one handler; whether it asked for deferral. */
async function runHandler<P>(run: Run<P>, handler: Handler<P>, event: JujuEvent): Promise<boolean> {
  const { walk, path, hasStopped } = recordWalk();
  let deferred = false;
  let end: WalkEnd = 'failed';
  try {
    await handler({
      ...hookOf(run, event),
      walk,
      defer: () => {
        refuseUndeferrable(event);
        deferred = true;
      },
    });
    end = hasStopped() ? 'stopped' : deferred ? 'defer' : 'return';
  } finally {
    reportWalk(run, { handler: keyOf(event), path: path() }, end);
  }
  return deferred;
}

function reportWalk<P>(run: Run<P>, walked: WalkedPath, end: WalkEnd): void {
  if (walked.path.length === 0) return;
  run.options.onWalk?.(walked, end);
  run.buffered.log('DEBUG', renderWalk(walked, end));
}

/** A failed action must not hide behind a failure to tell the statuses. */
async function collectStatus<P>(run: Run<P>, actionFailed: boolean): Promise<void> {
  const { collectStatus: collect } = run.options.charm;
  if (collect === undefined) return;
  const contributed = run.statuses.length;
  const { event } = run.juju.context;
  try {
    const { walk } = recordWalk();
    await collect({ ...hookOf(run, event), walk, defer: refuseDeferral });
  } catch (error) {
    if (!actionFailed) throw error;
    run.statuses.length = contributed;
    run.buffered.log('ERROR', describeError(error));
  }
}

function refuseDeferral(): never {
  throw new JujuError('cannot defer the collection of statuses: every dispatch does it', {
    code: 'not-deferrable',
  });
}

function hookOf<P>(run: Run<P>, event: JujuEvent): Omit<Hook<P>, 'walk' | 'defer'> {
  return {
    event,
    juju: run.juju,
    ports: run.options.ports,
    log: run.buffered.log,
    status: (status) => {
      run.statuses.push(status);
    },
  };
}

/** Progress of long work takes the log that led there with it. */
function withLogFirst(juju: TransactionalJuju, buffered: BufferedLog): TransactionalJuju {
  return {
    ...juju,
    showProgress: async (status) => {
      await buffered.flush();
      await juju.showProgress(status);
    },
  };
}

function keyOf(event: JujuEvent): string {
  return event.kind === 'action' ? `action:${event.name}` : event.name;
}

function describeForOperator(error: unknown): string {
  if (!(error instanceof CodedError)) return messageOf(error);
  return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
}

function countCalls(port: HookToolPort): { readonly port: HookToolPort; calls(): number } {
  let calls = 0;
  return {
    port: async (call) => {
      calls += 1;
      return await port(call);
    },
    calls: () => calls,
  };
}
