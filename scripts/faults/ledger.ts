/**
 * All numbers that were ever acknowledged, held against what a member has. A number that is lost, or
 * there twice, is counted in the round that shows it and not again.
 */

export interface Difference {
  /** Acknowledged and not there. */
  readonly lost: readonly number[];
  /** There more than once. */
  readonly duplicated: readonly number[];
}

export interface Ledger {
  add(id: number): void;
  /** Compares with the numbers that a member has, in any order. */
  compare(present: readonly number[]): Difference;
  /** Counts these no more. */
  forget(difference: Difference): void;
}

export function createLedger(): Ledger {
  const acknowledged = new Set<number>();
  const knownTwice = new Set<number>();
  return {
    add: (id) => {
      acknowledged.add(id);
    },
    compare: (present) => {
      const seen = new Set<number>();
      const twice = new Set<number>();
      for (const id of present) (seen.has(id) ? twice : seen).add(id);
      return {
        lost: [...acknowledged].filter((id) => !seen.has(id)),
        duplicated: [...twice].filter((id) => !knownTwice.has(id)),
      };
    },
    forget: ({ lost, duplicated }) => {
      for (const id of lost) acknowledged.delete(id);
      for (const id of duplicated) knownTwice.add(id);
    },
  };
}

/** What any of several members lacks or has twice. */
export function uniteDifferences(differences: readonly Difference[]): Difference {
  const unite = (lists: readonly (readonly number[])[]) => [...new Set(lists.flat())];
  return {
    lost: unite(differences.map(({ lost }) => lost)),
    duplicated: unite(differences.map(({ duplicated }) => duplicated)),
  };
}
