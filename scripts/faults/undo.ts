/**
 * What has to be undone, last thing first. A thing is put on the list before it is done, so that an
 * interruption at any moment finds it; undoing what was never done must be harmless.
 */

export interface UndoList {
  add(what: string, undo: () => Promise<void>): void;
  /** Undoes everything; one that fails does not keep the others from being undone. */
  undoAll(): Promise<void>;
}

export function createUndoList(say: (text: string) => void): UndoList {
  const entries: { readonly what: string; readonly undo: () => Promise<void> }[] = [];
  return {
    add: (what, undo) => {
      entries.push({ what, undo });
    },
    undoAll: async () => {
      const failures: unknown[] = [];
      for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
        say(entry.what);
        try {
          await entry.undo();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw new AggregateError(failures, 'cannot undo a fault');
    },
  };
}
