// Whatever stands in the peer relation's databags (nothing, what another charm or version wrote, or
// garbage), a hook ends well, says something to the operator, and touches no data.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { repository } from '../../scripts/charms.ts';
import { dataDirectory, patroniConfigPath } from '../../src/core/names.ts';
import {
  configChanged,
  leaderElected,
  pebbleNotice,
  pebbleReady,
  relationChanged,
  type Trigger,
  updateStatus,
} from '../support/scenario/events.ts';
import { running, underTest } from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';
import type { DataBag } from '../support/scenario/state.ts';

const cases = 120;

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
  's3-initialization-done',
  'start-tls-server',
  'patroni-on-failure-condition-override',
  'backup-answer',
  'last-backup',
];

/** What a unit remembers for itself. */
const stateKeys = ['option-verdicts', 'applied-options'];

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

const triggers: Readonly<Record<string, (given: PostgresqlState) => Trigger>> = {
  'update-status': () => updateStatus,
  'config-changed': () => configChanged,
  'pebble-ready': () => pebbleReady('postgresql'),
  notice: () => pebbleNotice('postgresql', 'postgresql.charm/cluster-changed'),
  'backup-due': () => pebbleNotice('postgresql', 'postgresql.charm/backup-due'),
  'peer-relation-changed': (given) => relationChanged(peerOf(given)),
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

const destructive = ['kube delete', 'pebble stop'];

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

test('odd databags fail no hook and touch no data', async () => {
  const starts = {
    leader: await running({ leader: true, others: [1, 2] }),
    follower: await running({ number: 1, others: [0, 2], primary: 0 }),
  };
  const start = fc.constantFrom('leader' as const, 'follower' as const);
  const event = fc.constantFrom(...Object.keys(triggers));

  const check = async (
    [from, name]: readonly ['leader' | 'follower', string],
    [app, own, other, known]: readonly [DataBag, DataBag, DataBag, DataBag],
  ): Promise<void> => {
    const given = withBags(starts[from], { app, own, other, known });

    const result = await run({
      charm: underTest,
      state: given,
      event: triggers[name]?.(given) ?? updateStatus,
    });

    expect(result.log.filter(({ level }) => level === 'ERROR')).toEqual([]);
    expect(result.exitCode).toBe(0);
    expect(result.state.unitStatus.level).not.toBe('error');
    const done = result.calls.map(({ port, method }) => `${port} ${method}`);
    expect(done.filter((call) => destructive.includes(call))).toEqual([]);
    // These two say how the services have to run.
    const meant = 'restoring-backup' in app || own['tls'] === 'enabled';
    // And this one that a round of restarts goes on, before which members read their files anew.
    const felt = result.disturbances.filter(
      (one) => !('restart-round' in app && one.endsWith('reloaded its file')),
    );
    if (!meant) expect(felt).toEqual([]);
    const files = result.state.containers['postgresql']?.files ?? {};
    expect([patroniConfigPath, dataDirectory].filter((path) => !(path in files))).toEqual([]);
  };

  await fc.assert(
    fc.asyncProperty(
      fc.tuple(start, event),
      fc.tuple(bag(appKeys), bag(unitKeys), bag(unitKeys), bag(stateKeys)),
      check,
    ),
    { seed: 20260131, numRuns: cases },
  );
});
