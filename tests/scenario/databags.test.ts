// Whatever stands in the peer relation's databags (nothing, what another charm or version wrote, or
// garbage), a hook ends well, says something to the operator, and touches no data.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { repository } from '../../scripts/charms.ts';
import { dataDirectory, patroniConfigPath } from '../../src/core/names.ts';
import { findKeys } from '../support/databag-keys.ts';
import {
  configChanged,
  leaderElected,
  pebbleNotice,
  pebbleReady,
  relationChanged,
  relationDeparted,
  storageDetaching,
  type Trigger,
  updateStatus,
} from '../support/scenario/events.ts';
import type { LogLine } from '../support/scenario/jujuc/open-hook.ts';
import { running, underTest } from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';
import type { DataBag } from '../support/scenario/state.ts';

const cases = 200;

/** All that is read of the application's databag; a test below holds the list against the code. */
const appKeys = [
  'endpoints',
  'cluster_initialised',
  'config_hash',
  'extensions',
  'user_hash',
  'stanza',
  'repository',
  'repository-cipher',
  'cipher-problem',
  'cipher-judged',
  'restores-abandoned',
  'restore-request',
  'restore-failure',
  's3-initialization-start',
  's3-initialization-done',
  's3-initialization-block-message',
  'restoring-backup',
  'restoring-unit',
  'restore-id',
  'restore-stanza',
  'restore-timeline',
  'restore-to-time',
  'restart-round',
  'restart-failure',
  'retention-applied',
  'promoted-cluster-counter',
  'backup-schedule',
  'backup-order',
  'last-backup',
  'storage-adopted-from',
];

/** All that units write, and what others wrote: a test below holds it against the code, too. */
const unitKeys = [
  'tls',
  'connectivity',
  'data',
  'departing',
  'stopped',
  'member-started',
  'restarted',
  'config_hash',
  'cores',
  'user_hash',
  'stanza',
  'backup-server',
  'restore-result',
  'restore-stopped',
  'restore-refused',
  'led-timeline',
  's3-initialization-done',
  'start-tls-server',
  'patroni-on-failure-condition-override',
  'backup-answer',
  'last-backup',
];

/** What a unit remembers for itself. */
const stateKeys = [
  'option-verdicts',
  'applied-options',
  'options-in-force',
  'volume-in-force',
  'left-out',
  'interrupted',
  'deferred-events-0',
  'deferred-events-1',
  'peer-relation-database-peers',
  'grants-to-repeat',
];

const host = (number: number | string) => `postgresql-k8s-${number}.postgresql-k8s-endpoints`;

/** What no version of the charm writes, what others wrote, and what it does write. */
const value = fc.oneof(
  fc.constantFrom(
    'True',
    'true',
    '0',
    'on',
    'off',
    'enabled',
    'null',
    '[]',
    '{}',
    '[null, 1, {"a": []}]',
    JSON.stringify([host(0), host(0), host(99), 'elsewhere', host('x')]),
    JSON.stringify({ [host(0)]: true }),
    '["unterminated',
    '{"runs":{"full":{"cron":"0 2 * * *","next":1,"due":1}},"tooOld":1}',
    '{"runs":{"full":{"cron":"every night","next":1}}}',
    '{"seen":1e300,"backup":{"id":"","type":"full","start":1e300,"stop":1e300}}',
    '{"enabled":[],"problem":{"kind":"of-a-newer-charm","extensions":[]}}',
    '{"place":["elsewhere"]}',
    '{"accepted":{"request_time_zone":1},"rejected":{}}',
    '{"configuration":"x","attempts":{"postgresql-k8s-0":"many"}}',
    '{"model":1,"application":"x"}',
    '{"enabled":null,"made":["plugin_hstore_enable","plugin_of_a_newer_charm_enable"]}',
    '[{"kind":"lifecycle","name":"config-changed"}]',
    '[{"kind":"relation","name":"of-a-newer-charm"}, 7]',
    'database-peers:99',
    'configuration',
    '{"seen":1,"backup":{"id":"x","type":"full","start":1,"stop":2}}',
    '20260131-100000F',
    'model.patroni-other',
    '../../etc/passwd',
    "'; DROP TABLE x; --",
    '$(reboot)',
  ),
  fc.json({ maxDepth: 2 }),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
  fc.string({ minLength: 1 }).map((text) => text.repeat(2000).slice(0, 60_000)),
);

const bag = (keys: readonly string[]): fc.Arbitrary<DataBag> =>
  fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.constantFrom('foreign-key', 'data')), value, {
    maxKeys: 5,
  });

const pgdata = { name: 'pgdata', index: 0, location: '/var/lib/postgresql/data' };

const triggers: Readonly<Record<string, (given: PostgresqlState) => Trigger>> = {
  'update-status': () => updateStatus,
  'config-changed': () => configChanged,
  'pebble-ready': () => pebbleReady('postgresql'),
  notice: () => pebbleNotice('postgresql', 'postgresql.charm/cluster-changed'),
  'backup-due': () => pebbleNotice('postgresql', 'postgresql.charm/backup-due'),
  'peer-relation-changed': (given) => relationChanged(peerOf(given)),
  'peer-relation-departed': (given) => relationDeparted(peerOf(given), 'postgresql-k8s/2'),
  'storage-detaching': () => storageDetaching(pgdata),
  // A follower gets its own relation event instead: Juju elects no follower.
  'leader-elected': (given) => (given.leader ? leaderElected : relationChanged(peerOf(given))),
};

function peerOf(given: PostgresqlState) {
  const [found] = given.relations;
  if (found === undefined) throw new Error('the state has no peer relation');
  return found;
}

/** The state with these keys over those of the databags. Keys that are not generated stay as the charm has written them. */
function withBags(
  given: PostgresqlState,
  { app, own, other, known }: Readonly<Record<'app' | 'own' | 'other' | 'known', DataBag>>,
): PostgresqlState {
  const peer = peerOf(given);
  const remoteUnits = Object.fromEntries(
    Object.keys(peer.remoteUnits).map((unit) => [unit, other]),
  );
  const changed = {
    ...peer,
    localApp: { ...peer.localApp, ...app },
    localUnit: { ...peer.localUnit, ...own },
    remoteUnits,
  };
  const controllerState = { ...given.controllerState, ...known };
  return { ...given, controllerState, relations: [changed, ...given.relations.slice(1)] };
}

/** As Juju shows it when the event comes. */
function during(name: string, given: PostgresqlState): PostgresqlState {
  if (name !== 'storage-detaching') return given;
  return { ...given, dyingUnits: [given.unit], plannedUnits: 2 };
}

const destructive = ['kube delete', 'pebble stop'];

/** What cannot be read of the queue is gone, which the operator has to hear. */
function errorsOf(log: readonly LogLine[]): readonly string[] {
  const errors = log.filter(({ level }) => level === 'ERROR');
  return errors
    .flatMap(({ message }) => message.split('\n'))
    .filter((line) => !/^dropping \d+ deferred events: cannot read them$/.test(line));
}

test('all keys of the application that are read are made up', async () => {
  const sources = ['src/adapters/cluster.ts', 'src/storage.ts'];
  const texts = await Promise.all(
    sources.map(async (file) => await readFile(path.join(repository, file), 'utf8')),
  );
  const read = texts.flatMap((text) =>
    [...text.matchAll(/bag\['(.+?)'\]|adoptedFromKey = '(.+)'/g)].map(
      ([, one, other]) => one ?? other,
    ),
  );

  expect(read.length).toBeGreaterThan(15);
  expect(read.filter((key) => key === undefined || !appKeys.includes(key))).toEqual([]);
});

test('all keys that units write and read, and all that they remember, are made up', async () => {
  const { ofUnits, remembered, named } = await findKeys();

  expect(new Set(ofUnits).size).toBeGreaterThanOrEqual(15);
  expect(ofUnits.filter((key) => !unitKeys.includes(key))).toEqual([]);
  expect(new Set(remembered).size).toBeGreaterThan(3);
  expect(remembered.filter((key) => !stateKeys.includes(key))).toEqual([]);
  const all = [...appKeys, ...unitKeys, ...stateKeys];
  expect(named.length).toBeGreaterThan(15);
  expect(named.filter((key) => !all.some((each) => each.startsWith(key)))).toEqual([]);
});

test('odd databags fail no hook and touch no data', async () => {
  const starts = {
    leader: await running({ leader: true, others: [1, 2] }),
    follower: await running({ number: 1, others: [0, 2], primary: 0 }),
  };
  const start = fc.constantFrom('leader' as const, 'follower' as const);
  const event = fc.constantFrom(...Object.keys(triggers));
  // The second one has grants remembered.
  const version = fc.constantFrom('4.0.1', '4.1-beta2');

  const check = async (
    [from, name, jujuVersion]: readonly ['leader' | 'follower', string, string],
    [app, own, other, known]: readonly [DataBag, DataBag, DataBag, DataBag],
  ): Promise<void> => {
    const start = { ...during(name, starts[from]), jujuVersion };
    const given = withBags(start, { app, own, other, known });

    const result = await run({
      charm: underTest,
      state: given,
      event: triggers[name]?.(given) ?? updateStatus,
    });

    expect(errorsOf(result.log)).toEqual([]);
    expect(result.exitCode).toBe(0);
    expect(result.state.unitStatus.level).not.toBe('error');
    const done = result.calls.map(({ port, method }) => `${port} ${method}`);
    expect(done.filter((call) => destructive.includes(call))).toEqual([]);
    // These say how the services have to run.
    const meant =
      'restoring-backup' in app || own['tls'] === 'enabled' || own['connectivity'] === 'off';
    // And this one that a round of restarts goes on, before which members read their files anew.
    const felt = result.disturbances.filter(
      (one) =>
        !('restart-round' in app && one.endsWith('reloaded its file')) &&
        !(name === 'storage-detaching' && one.startsWith('Patroni switched over from')),
    );
    if (!meant) expect(felt).toEqual([]);
    const files = result.state.containers['postgresql']?.files ?? {};
    expect([patroniConfigPath, dataDirectory].filter((path) => !(path in files))).toEqual([]);
  };

  await fc.assert(
    fc.asyncProperty(
      fc.tuple(start, event, version),
      fc.tuple(bag(appKeys), bag(unitKeys), bag(unitKeys), bag(stateKeys)),
      check,
    ),
    { seed: 20260131, numRuns: cases },
  );
});
