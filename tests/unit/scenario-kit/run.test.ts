// What a run shows: states before and after, statuses, walked paths, action results, interruptions.

import { expect, test } from '@jest/globals';

import type { Handler } from '../../../lib/juju/hook.ts';
import { differences } from '../../support/scenario/compare.ts';
import {
  action,
  configChanged,
  relationBroken,
  relationChanged,
  relationDeparted,
} from '../../support/scenario/events.ts';
import { run } from '../../support/scenario/run.ts';
import { client, peers, sample, sampleState, type TestPorts } from './test-charm.ts';

const writeBags: Handler<TestPorts> = async ({ juju }) => {
  const relation = await juju.relation('sample-peers');
  relation?.setUnit({ address: '10.1.0.1' });
  if (await juju.isLeader()) relation?.setApp({ leader: juju.context.unit });
};

test('what a hook writes is in the state when it went well', async () => {
  const state = sampleState({ leader: true });

  const result = await run({
    charm: sample({ 'config-changed': writeBags }),
    state,
    event: configChanged,
  });

  expect(differences(state, result.state)).toEqual([
    'relations.0.localApp.leader: nothing → "sample/0"',
    'relations.0.localUnit.address: nothing → "10.1.0.1"',
  ]);
});

test('what a failed hook wrote is lost, except for what Juju does at once', async () => {
  const fail: Handler<TestPorts> = async (hook) => {
    await writeBags(hook);
    await hook.juju.showProgress({ level: 'maintenance', message: 'working' });
    await hook.juju.setWorkloadVersion('17.4');
    await hook.ports.outside.setCount(5);
    throw new Error('broken');
  };
  const state = sampleState({ leader: true });

  const result = await run({
    charm: sample({ 'config-changed': fail }),
    state,
    event: configChanged,
  });

  expect(result.exitCode).toBe(1);
  expect(differences(state, result.state)).toEqual([
    'unitStatus.level: "unknown" → "maintenance"',
    'unitStatus.message: "" → "working"',
    'world.count: 0 → 5',
    'workloadVersion: nothing → "17.4"',
  ]);
});

const twoChanges: Handler<TestPorts> = async ({ juju, ports }) => {
  juju.setState({ step: 'one' });
  await ports.outside.count();
  await ports.outside.setCount(1);
  await ports.outside.setCount(1);
  await ports.pebble.push('/etc/web.conf', 'size=1', { makeDirs: true });
};

test('a run can be interrupted wherever something has changed', async () => {
  const { interruptions } = await run({
    charm: sample({ 'config-changed': twoChanges }),
    state: sampleState(),
    event: configChanged,
  });

  expect(interruptions.map(({ after }) => `${after.port} ${after.method}`)).toEqual([
    'outside setCount',
    'pebble push',
  ]);
  expect(interruptions.map(({ state }) => [state.world.count, state.controllerState])).toEqual([
    [1, {}],
    [1, {}],
  ]);
});

test('a run that nobody wants to see interrupted is the same without its interruptions', async () => {
  const request = {
    charm: sample({ 'config-changed': twoChanges }),
    state: sampleState(),
    event: configChanged,
  };

  const { interruptions: _, ...wanted } = await run(request);

  expect(await run({ ...request, interruptible: false })).toEqual({ ...wanted, interruptions: [] });
});

test('an action shows results, failure and progress', async () => {
  const list: Handler<TestPorts> = async ({ juju }) => {
    await juju.action().log('looking');
    juju.action().setResults({ 'found.items': '3' });
    juju.action().fail('too few');
  };

  const { action: outcome, exitCode } = await run({
    charm: sample({ 'action:list': list }),
    state: sampleState(),
    event: action('list'),
  });

  expect(exitCode).toBe(0);
  expect(outcome).toEqual({ results: { 'found.items': '3' }, failed: 'too few', log: ['looking'] });
});

test('an action gets its parameters with the declared defaults', async () => {
  const seen: unknown[] = [];
  const backUp: Handler<TestPorts> = async ({ juju }) => {
    seen.push(await juju.action().params());
  };

  await run({
    charm: sample({ 'action:back-up': backUp }),
    state: sampleState(),
    event: action('back-up', { times: 2 }),
  });

  expect(seen).toEqual([{ kind: 'full', times: 2 }]);
});

test('walked paths come with how the handler ended', async () => {
  const walkOn: Handler<TestPorts> = async (hook) => {
    if (!hook.walk.decide('is_ready', false)) hook.defer();
    await Promise.resolve();
  };

  const { walks, state } = await run({
    charm: sample({ 'config-changed': walkOn }),
    state: sampleState(),
    event: configChanged,
  });

  expect(walks).toEqual([
    { handler: 'config-changed', path: [{ node: 'is_ready', answer: false }], end: 'defer' },
  ]);
  expect(Object.keys(state.controllerState)).toHaveLength(1);
});

test('the unit that departs is no longer listed, its databag can still be read', async () => {
  const seen: unknown[] = [];
  const look: Handler<TestPorts> = async ({ juju }) => {
    const relation = await juju.relation('sample-peers');
    seen.push(await relation?.units(), await relation?.data('sample/1'));
  };
  const state = sampleState({ dyingUnits: ['sample/1'] });

  await run({
    charm: sample({ 'sample-peers-relation-departed': look }),
    state,
    event: relationDeparted(peers, 'sample/1'),
  });

  expect(seen).toEqual([[], { color: 'blue' }]);
});

test('a relation that is being broken is no longer listed', async () => {
  const seen: unknown[] = [];
  const look: Handler<TestPorts> = async ({ juju }) => {
    seen.push((await juju.relations('database')).length);
  };
  const left = { ...client, remoteUnits: {} };

  await run({
    charm: sample({ 'database-relation-broken': look }),
    state: sampleState({ relations: [peers, left] }),
    event: relationBroken(left),
  });

  expect(seen).toEqual([0]);
});

test('a follower sees the own application only in the peer relation', async () => {
  const seen: unknown[] = [];
  const look: Handler<TestPorts> = async ({ juju }) => {
    seen.push(await juju.relationById('sample-peers', 0).data('sample'));
    await juju.relationById('database', 4).data('sample');
  };

  const { exitCode, log } = await run({
    charm: sample({ 'database-relation-changed': look }),
    state: sampleState(),
    event: relationChanged(client),
  });

  expect(seen).toEqual([{}]);
  expect(exitCode).toBe(1);
  expect(log.some(({ message }) => message.includes('permission denied'))).toBe(true);
});

test('planned units leave out those that go away', async () => {
  const seen: unknown[] = [];
  const look: Handler<TestPorts> = async ({ juju }) => {
    seen.push(await juju.plannedUnits());
  };
  const charm = sample({ 'config-changed': look });

  await run({ charm, state: sampleState({ plannedUnits: 3 }), event: configChanged });
  await run({ charm, state: sampleState({ dyingUnits: ['sample/1'] }), event: configChanged });

  expect(seen).toEqual([3, 1]);
});

test('configuration has the defaults of the options that nobody set', async () => {
  const seen: unknown[] = [];
  const look: Handler<TestPorts> = async ({ juju }) => {
    seen.push(await juju.config());
  };

  await run({
    charm: sample({ 'config-changed': look }),
    state: sampleState({ config: { label: 'x' } }),
    event: configChanged,
  });

  expect(seen).toEqual([{ size: 3, label: 'x' }]);
});
