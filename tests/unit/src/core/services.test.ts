import { expect, test } from '@jest/globals';

import {
  isAsWanted,
  renderMembersService,
  renderServices,
  type Service,
} from '../../../../src/core/render/services.ts';

const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'pg', uid: 'uid-1' };
const facts = { app: 'pg', namespace: 'stage', owners: [owner] };
const all = [...renderServices(facts), renderMembersService(facts)];

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** As Kubernetes lists it: without its kind, with what it and others have added. */
function listed({ metadata, spec }: Service, change: object = {}) {
  const ports = [{ name: 'of-the-operator', port: 1 }];
  const own: object = typeof spec === 'object' && spec !== null ? spec : {};
  const given: unknown = Reflect.get(own, 'ports');
  const added = isList(given) ? { ports: [...given, ...ports] } : {};
  return {
    metadata: { ...metadata, resourceVersion: '7', labels: { ...metadata.labels, more: 'x' } },
    spec: { ...own, ...added, sessionAffinity: 'None', ...change },
  };
}

test('there is a Service for each Endpoints object, for two kinds of clients, and for the members', () => {
  expect(all.map(({ metadata }) => metadata.name).toSorted()).toEqual([
    'patroni-pg',
    'patroni-pg-config',
    'patroni-pg-sync',
    'pg-endpoints',
    'pg-primary',
    'pg-replicas',
  ]);
});

for (const service of all) {
  const { name } = service.metadata;

  test(`${name} is right with what others have added to it`, () => {
    expect(isAsWanted(listed(service), service)).toBe(true);
  });

  test(`${name} is wrong when it is missing, or belongs to nobody`, () => {
    const { ownerReferences: _none, ...metadata } = service.metadata;
    expect(isAsWanted(undefined, service)).toBe(false);
    expect(isAsWanted({ ...listed(service), metadata }, service)).toBe(false);
    const other = { ...metadata, ownerReferences: [{ ...owner, uid: 'uid-of-a-former-one' }] };
    expect(isAsWanted({ ...listed(service), metadata: other }, service)).toBe(false);
  });
}

test.each([
  { name: 'patroni-pg', change: { ports: [] } },
  { name: 'patroni-pg', change: { ports: undefined } },
  { name: 'patroni-pg-sync', change: { clusterIP: '10.0.0.1' } },
  { name: 'pg-primary', change: { type: 'ClusterIP', selector: { role: 'primary' } } },
  { name: 'pg-replicas', change: { selector: { role: 'primary' } } },
  { name: 'pg-replicas', change: { selector: null } },
])('$name is wrong with $change', ({ name, change }) => {
  const wanted = all.find(({ metadata }) => metadata.name === name);
  if (wanted === undefined) throw new Error(`there is no Service ${name}`);

  expect(isAsWanted(listed(wanted, change), wanted)).toBe(false);
});
