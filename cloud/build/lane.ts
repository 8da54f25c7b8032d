/**
 * Order among parallel work: a lane runs one piece of work at a time, in the order of asking. One
 * lane per scarce thing (the network, the processors) keeps both busy and neither overloaded.
 */

export interface Lane {
  run<T>(work: () => Promise<T>): Promise<T>;
}

export function createLane(): Lane {
  let last: Promise<unknown> = Promise.resolve();
  return {
    async run(work) {
      const turn = last.then(work, work);
      last = turn.catch(() => undefined);
      return await turn;
    },
  };
}

/**
 * Runs independent work at once. The first failure is what the caller gets, after `stop` was called
 * and the others have ended, so that nothing goes on behind a reported error.
 */
export async function runTogether<T>(
  works: readonly (() => Promise<T>)[],
  stop: () => void,
): Promise<readonly T[]> {
  const failures: unknown[] = [];
  const results = await Promise.allSettled(
    works.map(async (work) => {
      try {
        return await work();
      } catch (failure) {
        failures.push(failure);
        stop();
        throw failure;
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}
