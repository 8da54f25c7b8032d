// Services that somebody has taken away or changed, or that another charm has made, are made right.

import { expect } from '@jest/globals';

import {
  action,
  configChanged,
  leaderElected,
  lifecycle,
  pebbleNotice,
  type Trigger,
  updateStatus,
} from '../support/scenario/events.ts';
import { inWorld, running, underTest } from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import type { RunResult } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';

type Result = RunResult<PostgresqlState['world']>;

const app = 'postgresql-k8s';
const names = [
  `patroni-${app}`,
  `patroni-${app}-config`,
  `patroni-${app}-sync`,
  `${app}-endpoints`,
  `${app}-primary`,
  `${app}-replicas`,
];

const serviceOf = ({ world }: PostgresqlState, name: string) =>
  world.kube.objects[`services/${name}`];

function without(given: PostgresqlState, gone: readonly string[]): PostgresqlState {
  const objects = Object.entries(given.world.kube.objects).filter(
    ([key]) => !gone.includes(key.replace('services/', '')),
  );
  return inWorld(given, { kube: { objects: Object.fromEntries(objects) } });
}

const servicesOf = (given: PostgresqlState) =>
  names.map((name) => serviceOf(given, name)?.['spec']);
const leader = async () => await running({ leader: true, others: [1] });
const madeBy = ({ calls }: Result) =>
  calls.filter(({ port, method }) => port === 'kube' && method === 'apply').length;

const notice = pebbleNotice('postgresql', 'postgresql.charm/on-role-change');
const at = (hour: number, minute: number) => Date.UTC(2026, 0, 31, hour, minute);

const events: readonly { readonly when: Trigger; readonly startMs?: number }[] = [
  { when: configChanged },
  { when: lifecycle('upgrade-charm') },
  { when: leaderElected },
  { when: notice },
  { when: updateStatus, startMs: at(14, 54) },
];

for (const { when, ...time } of events) {
  const by = when.event.kind === 'pebble-notice' ? when.event.noticeKey : when.event.kind;
  const name = 'name' in when.event ? when.event.name : by;
  scenario(`Services that are gone are made anew (${name})`, {
    charm: underTest,
    ...time,
    given: async () => without(await leader(), names),
    when,
    then: async (result) => {
      const [, , , members, ...others] = servicesOf(await leader());
      expect(members).toBeDefined();
      expect(servicesOf(result.state).toSpliced(3, 1)).toEqual(
        servicesOf(await leader()).toSpliced(3, 1),
      );
      expect(others).not.toContain(undefined);
      expect(serviceOf(result.state, `${app}-endpoints`)?.['spec']).toEqual({
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector: { 'app.kubernetes.io/name': app },
      });
      expect(serviceOf(result.state, `${app}-endpoints`)?.metadata.labels).toEqual({
        'app.kubernetes.io/name': app,
        'service.juju.is/type': 'endpoints',
      });
      expect(madeBy(result)).toBe(names.length);
    },
  });
}

for (const gone of names) {
  scenario(`only the Service that is gone is made anew: ${gone}`, {
    charm: underTest,
    given: async () => without(await leader(), [gone]),
    when: configChanged,
    then: (result) => {
      expect(serviceOf(result.state, gone)).toMatchObject({
        metadata: { ownerReferences: [expect.objectContaining({ kind: 'StatefulSet' })] },
      });
      expect(madeBy(result)).toBe(1);
    },
  });
}

scenario('what another charm has made is changed in place when the charm is refreshed', {
  charm: underTest,
  given: async () => {
    const given = without(await leader(), [`patroni-${app}`, `patroni-${app}-sync`]);
    const selecting = {
      metadata: { name: `${app}-primary`, labels: { 'app.juju.is/created-by': app } },
      spec: {
        ports: [{ name: 'database', port: 5432 }],
        selector: { 'cluster-name': `patroni-${app}`, role: 'primary' },
      },
    };
    const { objects } = given.world.kube;
    return inWorld(given, {
      kube: { objects: { ...objects, [`services/${app}-primary`]: selecting } },
    });
  },
  when: lifecycle('upgrade-charm'),
  then: ({ state: after }) => {
    expect(serviceOf(after, `${app}-primary`)).toMatchObject({
      spec: { type: 'ExternalName', externalName: `patroni-${app}.test-model.svc.cluster.local` },
    });
    expect(serviceOf(after, `patroni-${app}`)).toBeDefined();
  },
});

scenario('a Service of the members that Juju has made otherwise is left as it is', {
  charm: underTest,
  given: async () => {
    const given = await leader();
    const legacy = {
      metadata: { name: `${app}-endpoints`, labels: { 'juju-app': app } },
      spec: { clusterIP: 'None', selector: { 'juju-app': app } },
    };
    const { objects } = given.world.kube;
    return inWorld(given, {
      kube: { objects: { ...objects, [`services/${app}-endpoints`]: legacy } },
    });
  },
  when: configChanged,
  then: (result) => {
    expect(madeBy(result)).toBe(0);
  },
});

scenario('a unit that does not lead in Juju leaves Services to the leader', {
  charm: underTest,
  given: async () => without(await running({ number: 1, others: [0], primary: 0 }), names),
  when: configChanged,
  then: (result) => {
    expect(madeBy(result)).toBe(0);
  },
});

for (const [hour, minute] of [
  [14, 53],
  [15, 0],
] as const) {
  scenario(`update-status does not ask about Services at ${hour}:${minute}`, {
    charm: underTest,
    given: leader,
    when: updateStatus,
    startMs: at(hour, minute),
    then: ({ calls }) => {
      expect(calls.filter(({ port }) => port === 'kube')).toEqual([]);
    },
  });
}

scenario('explain names the Services that are missing or changed', {
  charm: underTest,
  given: async () => without(await leader(), [`${app}-replicas`, `${app}-endpoints`]),
  when: action('explain'),
  then: (result) => {
    const text = result.action.results['explanation'] ?? '';
    const what = `${app}-replicas, ${app}-endpoints`;
    expect(text).toContain(`Have the Services ${what} made anew`);
    expect(text).toContain(`Services that are missing or changed: ${what}`);
    expect(madeBy(result)).toBe(0);
  },
});
