// Changes: what Pebble does in the background. Waiting is one long request, so nothing is polled.

import * as v from 'valibot';

import { deadlines } from './deadlines.ts';
import { type Answer, type Connection, notUnderstood } from './envelope.ts';
import { isPebbleError, PebbleError } from './errors.ts';
import { renderDurationMs } from './time.ts';

const taskSchema = v.object({
  id: v.string(),
  summary: v.string(),
  status: v.string(),
  log: v.optional(v.array(v.string())),
  data: v.optional(v.record(v.string(), v.unknown())),
});

const changeSchema = v.object({
  id: v.string(),
  err: v.optional(v.string()),
  tasks: v.optional(v.array(taskSchema), []),
});

export type Change = v.InferOutput<typeof changeSchema>;

export interface Waiting {
  /** Completes `cannot …` in messages. */
  readonly what: string;
  readonly timeoutMs: number;
}

/** The id of the change that a call started. */
export function changeOf(what: string, answer: Answer<unknown>): string {
  if (answer.change === undefined) throw notUnderstood(what, 202);
  return answer.change;
}

/** Waits until the change is over, well or not; rejects with `timeout`. */
export async function waitForChange(
  connection: Connection,
  id: string,
  waiting: Waiting,
): Promise<Change> {
  const { what, timeoutMs } = waiting;
  try {
    const request = {
      what,
      path: `/v1/changes/${id}/wait`,
      query: { timeout: renderDurationMs(timeoutMs) },
      timeoutMs: timeoutMs + deadlines.slackMs,
    };
    return (await connection.call(request, changeSchema)).result;
  } catch (error) {
    if (!isPebbleError(error, 'timeout')) throw error;
    throw new PebbleError(`cannot ${what}: not done within ${timeoutMs} ms`, {
      code: 'timeout',
      fields: { change: id },
      cause: error,
    });
  }
}

/** Waits until the change is over; rejects with `change-failed` when it failed. */
export async function waitForSuccess(
  connection: Connection,
  id: string,
  waiting: Waiting,
): Promise<void> {
  const change = await waitForChange(connection, id, waiting);
  if (change.err !== undefined) throw changeFailed(waiting.what, change);
}

/** The failing tasks' errors as the message; their whole logs as the field `log`. */
export function changeFailed(what: string, change: Change): PebbleError {
  const failing = change.tasks.filter((task) => task.status === 'Error');
  const reasons = failing.map((task) => `${task.summary}: ${readErrors(task.log).join('; ')}`);
  const reason = reasons.length > 0 ? reasons.join('; ') : (change.err ?? 'the change failed');
  return new PebbleError(`cannot ${what}: ${reason}`, {
    code: 'change-failed',
    fields: { change: change.id, log: failing.flatMap((task) => task.log ?? []).join('\n') },
  });
}

// A line of a task's log: time, level, text.
const errorLine = /^\S+ ERROR (?<text>.*)$/s;

function readErrors(log: readonly string[] = []): readonly string[] {
  return log.flatMap((line) => errorLine.exec(line)?.groups?.['text'] ?? []);
}
