// States and events that Juju cannot produce are refused, each with the reason.

import { expect, test } from '@jest/globals';

import { pebbleState } from '../../support/pebble-state.ts';
import { peerRelation, relation, secret, storage } from '../../support/scenario/builders.ts';
import { ImpossibleStateError, refuseImpossible } from '../../support/scenario/consistency.ts';
import {
  action,
  configChanged,
  leaderElected,
  lifecycle,
  pebbleNotice,
  pebbleReady,
  relationBroken,
  relationChanged,
  relationDeparted,
  relationJoined,
  secretEvent,
  storageAttached,
  type Trigger,
} from '../../support/scenario/events.ts';
import type { State } from '../../support/scenario/state.ts';
import { type CounterWorld, client, files, peers, sampleState } from './test-charm.ts';

interface Row {
  readonly summary: string;
  readonly state?: Partial<State<CounterWorld>>;
  readonly event?: Trigger;
  readonly problem: string;
}

const own = secret({ owner: 'application', label: 'own', content: { key: 'value' } });
const foreign = secret({ owner: 'foreign', label: 'theirs', content: { key: 'value' } });
const empty = { ...client, remoteUnits: {}, remoteAppData: {} };

const impossibleStates: readonly Row[] = [
  {
    summary: 'a relation that metadata.yaml does not declare',
    state: { relations: [relation({ endpoint: 'cache', id: 9, remoteApp: 'redis' })] },
    problem: 'relation endpoint "cache" is not declared',
  },
  {
    summary: 'two relations of one id',
    state: { relations: [peers, { ...client, id: 0 }] },
    problem: 'two relations have the same id',
  },
  {
    summary: 'more relations than the endpoint allows',
    state: {
      relations: [1, 2].map((id) => relation({ endpoint: 'store', id, remoteApp: `s${id}` })),
    },
    problem: 'endpoint "store" has 2 relations, at most 1 can be',
  },
  {
    summary: 'the own unit among its peers',
    state: {
      relations: [
        peerRelation({ endpoint: 'sample-peers', app: 'sample', units: { 'sample/0': {} } }),
      ],
    },
    problem: 'own unit "sample/0" is among its peers in "sample-peers"',
  },
  {
    summary: 'a unit of another application in a relation',
    state: { relations: [{ ...client, remoteUnits: { 'other/0': {} } }] },
    problem: '"other/0" is no unit of "shop" (relation 4)',
  },
  {
    summary: 'an empty value in a databag',
    state: { relations: [{ ...client, localUnit: { key: '' } }] },
    problem: 'databag value "key" in "database" is empty or no text',
  },
  {
    summary: 'fewer planned units than there are',
    state: { plannedUnits: 1 },
    problem: '2 units are there and not dying, but only 1 planned',
  },
  {
    summary: 'an option that config.yaml does not declare',
    state: { config: { colour: 'red' } },
    problem: 'config option "colour" is not declared',
  },
  {
    summary: 'an option of another type',
    state: { config: { size: 'big' } },
    problem: 'config option "size" is of type int, not "big"',
  },
  {
    summary: 'a secret option that is no URI',
    state: { config: { keys: 'hush' } },
    problem: 'config option "keys" is of type secret, not "hush"',
  },
  {
    summary: 'a container that metadata.yaml does not declare',
    state: { containers: { db: pebbleState() } },
    problem: 'container "db" is not declared',
  },
  {
    summary: 'a storage that metadata.yaml does not declare',
    state: { storages: [storage('logs', '/logs')] },
    problem: 'storage "logs" is not declared',
  },
  {
    summary: 'a single storage twice',
    state: { storages: [storage('data', '/data'), storage('data', '/data1', 1)] },
    problem: 'storage "data" is there twice',
  },
  {
    summary: 'two secrets of one label',
    state: { secrets: [own, { ...own, id: 'x'.repeat(20) }] },
    problem: 'two secrets of one owner have the same label',
  },
  {
    summary: 'a secret key that Juju refuses',
    state: { secrets: [secret({ owner: 'unit', label: 'bad', content: { Key: 'value' } })] },
    problem: 'secret "bad" has a key "Key" that Juju does not allow',
  },
  {
    summary: 'a grant over a relation that is not there',
    state: { secrets: [{ ...own, grants: [{ relation: 77, target: 'shop' }] }] },
    problem: 'secret "own" is granted over relation 77, which does not exist',
  },
];

const impossibleEvents: readonly Row[] = [
  {
    summary: 'leader-elected on a follower',
    event: leaderElected,
    problem: 'leader-elected comes to the leader only',
  },
  {
    summary: 'an event of a relation that is not there',
    event: relationChanged({ ...client, id: 5 }),
    problem: 'relation database:5 of the event is not in the state',
  },
  {
    summary: 'relation-joined of a unit that is not there',
    event: relationJoined(client, 'shop/7'),
    problem: 'the unit of the event is not in the relation',
  },
  {
    summary: 'relation-changed of an application that never wrote',
    state: { relations: [empty] },
    event: relationChanged(empty),
    problem: 'relation-changed of an application whose databag was never written',
  },
  {
    summary: 'relation-changed of a peer relation without peers',
    state: { relations: [{ ...peers, remoteUnits: {} }] },
    event: relationChanged({ ...peers, remoteUnits: {} }),
    problem: 'relation-changed of a peer relation without other units',
  },
  {
    summary: 'a peer relation that breaks',
    event: relationBroken(peers),
    problem: 'a peer relation never breaks',
  },
  {
    summary: 'a relation that breaks before its units depart',
    event: relationBroken(client),
    problem: 'a relation breaks after its units have departed',
  },
  {
    summary: 'a third unit that departs',
    event: relationDeparted(client, 'shop/0', 'shop/3'),
    problem: 'only the remote or the own unit departs',
  },
  {
    summary: 'pebble-ready of a container that does not answer',
    state: { containers: { web: pebbleState({ canConnect: false }) } },
    event: pebbleReady('web'),
    problem: 'Pebble of "web" sends an event, but does not answer in the state',
  },
  {
    summary: 'a notice of a container that is not there',
    event: pebbleNotice('db', 'example.com/started'),
    problem: 'container "db" is not declared',
  },
  {
    summary: 'secret-changed to the owner',
    state: { secrets: [own] },
    event: secretEvent(own, 'changed'),
    problem: 'secret-changed goes to readers, not to the owner',
  },
  {
    summary: 'secret-rotate to a reader',
    state: { secrets: [foreign] },
    event: secretEvent(foreign, 'rotate'),
    problem: 'secret-rotate goes to the owner of a secret',
  },
  {
    summary: 'secret-remove without a revision',
    state: { secrets: [own], leader: true },
    event: secretEvent(own, 'remove'),
    problem: 'secret-remove names a revision',
  },
  {
    summary: 'a storage event of a storage that is not there',
    event: storageAttached(storage('data', '/data')),
    problem: 'storage "data/0" of the event is not in the state',
  },
  {
    summary: 'an action that actions.yaml does not declare',
    event: action('explode'),
    problem: 'action "explode" is not declared',
  },
  {
    summary: 'an action without a required parameter',
    event: action('back-up'),
    problem: 'action "back-up" needs parameter "times"',
  },
  {
    summary: 'a parameter that actions.yaml does not declare',
    event: action('list', { all: true }),
    problem: 'action "list" has no parameter "all"',
  },
  {
    summary: 'a parameter of another type',
    event: action('back-up', { times: 1.5 }),
    problem: 'parameter "times" of "back-up" is of type integer, not 1.5',
  },
];

test.each([...impossibleStates, ...impossibleEvents])(
  'refuses $summary',
  ({ state, event = configChanged, problem }) => {
    expect(problemsOf(sampleState(state), event)).toContain(problem);
  },
);

test('what Juju can produce is let through', () => {
  const state = sampleState({
    leader: true,
    secrets: [own, foreign],
    config: { size: 1, fast: true, ratio: 0.5, keys: `secret:${own.id}` },
    storages: [storage('data', '/data')],
  });
  const events = [
    lifecycle('install'),
    leaderElected,
    relationJoined(client, 'shop/0'),
    relationChanged(client, 'shop/0'),
    relationChanged(client),
    relationDeparted(client, 'shop/0'),
    pebbleReady('web'),
    secretEvent(own, 'rotate'),
    secretEvent(foreign, 'changed'),
    storageAttached(storage('data', '/data')),
    action('back-up', { times: 1 }),
  ];

  expect(events.flatMap((event) => problemsOf(state, event))).toEqual([]);
});

function problemsOf(state: State<CounterWorld>, event: Trigger): readonly string[] {
  try {
    refuseImpossible(files, state, event);
    return [];
  } catch (error) {
    if (error instanceof ImpossibleStateError) return error.problems;
    throw error;
  }
}
