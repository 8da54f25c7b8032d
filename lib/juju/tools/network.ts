// network-get and unit-get.

import type { RelationReference } from '../event.ts';
import { readJson } from './call.ts';
import { isRecord, textAt, toOptionalText, toRecord, toTextList } from './json.ts';
import type { HookToolPort } from './port.ts';
import { formatRelation } from './relation.ts';

export interface BoundInterface {
  readonly name: string;
  readonly addresses: readonly { readonly value: string; readonly hostname?: string }[];
}

export interface NetworkInfo {
  readonly interfaces: readonly BoundInterface[];
  readonly ingressAddresses: readonly string[];
  readonly egressSubnets: readonly string[];
}

/** Addresses of an endpoint's binding, or those meant for one of its relations. */
export async function networkGet(
  port: HookToolPort,
  binding: string,
  relation?: RelationReference,
): Promise<NetworkInfo> {
  const tool = 'network-get';
  const flags = relation === undefined ? [] : ['-r', formatRelation(relation)];
  const record = toRecord(tool, await readJson(port, { tool, args: [...flags, binding] }));
  return {
    interfaces: toRecords(record['bind-addresses']).map(toInterface),
    ingressAddresses: toTextList(tool, record['ingress-addresses'] ?? null),
    egressSubnets: toTextList(tool, record['egress-subnets'] ?? null),
  };
}

/** The unit's address as others in the model, or outside, would see it. */
export async function unitGet(
  port: HookToolPort,
  which: 'private-address' | 'public-address',
): Promise<string | undefined> {
  const tool = 'unit-get';
  return toOptionalText(tool, await readJson(port, { tool, args: [which] }));
}

function toInterface(record: Readonly<Record<string, unknown>>): BoundInterface {
  const addresses = toRecords(record['addresses']).flatMap((each) => {
    const value = textAt(each, 'value');
    const hostname = textAt(each, 'hostname');
    return value === undefined ? [] : [{ value, ...(hostname === undefined ? {} : { hostname }) }];
  });
  return { name: textAt(record, 'interface-name') ?? '', addresses };
}

function toRecords(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}
