/**
 * What has to be undone, last thing first. A thing is put on the list before it is done, so that an
 * interruption at any moment finds it; undoing what was never done must be harmless.
 */

import { setTimeout as sleep } from 'node:timers/promises';

export interface UndoList {
  /** Refused when the list has been closed: nothing more may be broken. */
  add(what: string, undo: () => Promise<void>): void;
  /** Does work that adds to the list; the list is not closed in the middle of it. */
  guard(work: () => Promise<void>): Promise<void>;
  /** Undoes everything; one that fails does not keep the others from being undone. */
  undoAll(): Promise<void>;
  /** For good: lets work that is under way end, if it does soon, and undoes everything. */
  close(): Promise<void>;
}

interface Entry {
  readonly what: string;
  readonly undo: () => Promise<void>;
}

/** The signal that ends a run ends the programs that it has started, too, sooner or later. */
const graceMs = 10_000;

export function createUndoList(say: (text: string) => void): UndoList {
  const entries: Entry[] = [];
  let isClosed = false;
  let busy: Promise<unknown> = Promise.resolve();

  const undoAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
      say(entry.what);
      const failure = await undoOne(entry);
      if (failure !== undefined) failures.push(failure);
    }
    if (failures.length > 0) throw new AggregateError(failures, 'cannot undo a fault');
  };
  return {
    add: (what, undo) => {
      if (isClosed) throw new Error('cannot break anything more: the run has been interrupted');
      entries.push({ what, undo });
    },
    guard: async (work) => {
      const done = work();
      busy = done.catch(() => undefined);
      await done;
    },
    undoAll,
    close: async () => {
      isClosed = true;
      await Promise.race([busy, sleep(graceMs, undefined, { ref: false })]);
      await undoAll();
    },
  };
}

/** Twice if need be: Ctrl-C reaches every program of the terminal, so the first try may be hit. */
async function undoOne({ undo }: Entry): Promise<unknown> {
  try {
    await undo();
    return undefined;
  } catch {
    return await undo().then(
      () => undefined,
      (error: unknown) => error,
    );
  }
}
