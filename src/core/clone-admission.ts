// Whether the data of a replica may be deleted for a new copy of the primary's. Patroni empties the data
// directory before it connects, so that a clone that cannot succeed leaves the primary as the only copy;
// and what keeps one replica from its WAL often keeps all of them from it, and from a copy, too. Pure.

import type { RepairMember } from './trouble.ts';

export interface CloneFacts {
  readonly own: string;
  readonly members: readonly RepairMember[];
  /** Why nobody can replicate from the leader here, in PostgreSQL's words; `undefined`: it is possible. */
  readonly loginFailure: string | undefined;
  /** Names of members that the leader sends its WAL to. */
  readonly streaming: readonly string[];
  /** It is certain that only a clone helps. */
  readonly beyondRepair: boolean;
}

export type CloneAdmission =
  | { readonly kind: 'admitted' }
  /** Another one comes first. */
  | { readonly kind: 'later' }
  | { readonly kind: 'refused'; readonly reason: string };

export function admitClone(facts: CloneFacts): CloneAdmission {
  const others = facts.members.filter(({ name, leads }) => !leads && name !== facts.own);
  if (others.some(({ state }) => state === 'creating replica')) return { kind: 'later' };
  if (facts.loginFailure !== undefined) {
    return { kind: 'refused', reason: `no copy can be made: ${facts.loginFailure}` };
  }
  const second = others.some(({ name }) => facts.streaming.includes(name));
  if (others.length === 0 || second || facts.beyondRepair) return { kind: 'admitted' };
  return { kind: 'refused', reason: 'no other replica has a copy that is up to date' };
}

/** By one of these a primary tells that it has not, or never had, what a standby asks it for. */
const lastingRefusals: readonly RegExp[] = [
  /requested WAL segment [0-9A-F]+ has already been removed/,
  /requested starting point \S+ on timeline \d+ is not in this server's history/,
  /highest timeline \d+ of the primary is behind recovery timeline \d+/,
  /new timeline \d+ forked off current database system timeline \d+ before current recovery point/,
];

/** Whether the log of a standby says, since then, that its primary will never have what it asks for. */
export function saysBeyondRepair(log: string, sinceMs: number): boolean {
  return log.split('\n').some((line) => {
    const [, day, time] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) /.exec(line) ?? [];
    // Times of log lines are whole seconds.
    const late = day !== undefined && Date.parse(`${day}T${time}Z`) + 999 >= sinceMs;
    return late && lastingRefusals.some((form) => form.test(line));
  });
}

const shown = 120;

/** What psql says, without whom it has asked. */
export function loginFailure(stderr: string): string {
  const [first = ''] = stderr.trim().split('\n');
  const said = first
    .replace(/^psql: error: /, '')
    .replace(/^connection to server .*? failed: /, '')
    .replace(/^(?:FATAL|ERROR): +/, '');
  return (said === '' ? 'psql fails' : said).slice(0, shown);
}
