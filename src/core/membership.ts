// Which units are members of the cluster. The list of admitted members is a set, kept sorted by
// unit number, of the hosts under which members know each other. Pure.

import { memberHost, memberOfUnit, unitNumber } from './names.ts';

/** Parses the `endpoints` value of the peer relation; anything unreadable counts as empty. */
export function parseEndpoints(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(value)) return [];
  return [...new Set(value.filter((entry) => typeof entry === 'string'))];
}

export function renderEndpoints(endpoints: readonly string[]): string {
  return JSON.stringify(sortHosts([...new Set(endpoints)]));
}

/** Units that exist but are not admitted yet, lowest number first. */
export function missingUnits(
  app: string,
  units: readonly string[],
  endpoints: readonly string[],
): readonly string[] {
  return units
    .filter((unit) => !endpoints.includes(memberHost(unit, app)))
    .toSorted((left, right) => unitNumber(left) - unitNumber(right));
}

/** The admitted members without those whose unit is gone. */
export function presentEndpoints(
  app: string,
  units: readonly string[],
  endpoints: readonly string[],
): readonly string[] {
  const hosts = new Set(units.map((unit) => memberHost(unit, app)));
  return endpoints.filter((endpoint) => hosts.has(endpoint));
}

/**
 * A member that a switchover may go to, and whose unit stays. What it may lack of a quorum commit it gets
 * from the primary before that ends.
 */
export function heirOf(
  staying: readonly string[],
  members: readonly { readonly name: string; readonly role: string }[],
): string | undefined {
  const names = staying.map(memberOfUnit);
  const synchronous = ['sync_standby', 'quorum_standby'];
  return members.find(({ name, role }) => synchronous.includes(role) && names.includes(name))?.name;
}

function sortHosts(hosts: readonly string[]): readonly string[] {
  const number = (host: string): number => Number(/-(\d+)\./.exec(host)?.[1] ?? 0);
  return hosts.toSorted((left, right) => number(left) - number(right));
}
