// explain: what this unit does about its disk, its WAL, its replication, its storage, and what was left over.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import { action, pebbleReady } from '../support/scenario/events.ts';
import {
  admitted,
  after as afterEvents,
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
  withData,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const explained = action('explain');
const endpoints = 'endpoints/patroni-postgresql-k8s';
/** When scenarios begin. */
const startMs = Date.UTC(2026, 0, 31, 12, 0, 0);

const withFiles = (given: PostgresqlState, files: Readonly<Record<string, unknown>>) =>
  inContainer(given, (now) => ({
    files: {
      ...now.files,
      ...Object.fromEntries(
        Object.entries(files).map(([name, value]) => [name, fileEntry(JSON.stringify(value))]),
      ),
    },
  }));

/** What stands under this heading, line by line. */
function sectionOf(explanation: string | undefined, title: string): readonly string[] {
  const [, text = ''] = (explanation ?? '').split(`\n${title}`);
  const [section = ''] = text.split('\n\n');
  return section
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
}

const next = 'What it does next';

scenario('a primary on a full disk, whose WAL nobody takes', {
  charm: underTest,
  given: async () =>
    withFiles(await running({ leader: true }), {
      '/run/charm-watch.json': {
        disk: { level: 'full', free_percent: 2, total: 1024 ** 3, read_only: true },
        archive: { waiting: 31, failing: true, lags: true },
        replication: { standby: false, streams: [] },
        fences: [],
      },
    }),
  when: explained,
  then: ({ action: { results }, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(sectionOf(results['explanation'], next)).toEqual(
      expect.arrayContaining([
        'Let clients write again when 12 % of the data volume are free: 2 % are. Make room, or enlarge it.',
        'Archive 31 files of WAL when the storage of the backups takes them: nothing has gone for ' +
          'over a minute. Until then they stay on the data volume.',
      ]),
    );
  },
});

/** A replica that has been without WAL for so long, and stands still. */
async function brokenReplica(minutes: number, memory: object): Promise<PostgresqlState> {
  const given = inWorld(await running({ number: 1, others: [0], primary: 0 }), {
    patroni: { members: [primary(0), replica(1, 'running')] },
  });
  const since = new Date(startMs - minutes * 60_000).toISOString();
  return withFiles(given, {
    '/run/charm-watch.json': {
      replication: { standby: true, streams: [], broken_at: since },
      fences: [],
    },
    '/var/lib/postgresql/data/repair.json': {
      attempts: [],
      replay: { location: 83_886_080, sinceMs: startMs - 120_000 },
      ...memory,
    },
  });
}

const noWal = 'it gets no WAL from its primary';

for (const { summary, minutes, memory, sentence } of [
  {
    summary: 'is restarted',
    minutes: 2,
    memory: {},
    sentence: `Restart PostgreSQL of this unit with the next event of this unit: ${noWal}.`,
  },
  {
    summary: 'gets a copy later',
    minutes: 2,
    memory: { attempts: [{ kind: 'restart', atMs: startMs - 60_000 }] },
    sentence: `Clone this replica anew at 2026-01-31T12:02:00Z, unless it follows by then: ${noWal}.`,
  },
  {
    summary: 'is refused a copy',
    minutes: 10,
    memory: {
      attempts: [{ kind: 'restart', atMs: startMs - 600_000 }],
      refusal: `${noWal}; no copy can be made: no route`,
    },
    sentence: `Clone this replica anew when that is safe, which is looked at every minute: ${noWal}; no copy can be made: no route.`,
  },
]) {
  scenario(`a replica that gets no WAL says so, and that it ${summary}`, {
    charm: underTest,
    given: async () => await brokenReplica(minutes, memory),
    when: explained,
    then: ({ action: { results }, disturbances }) => {
      expect(disturbances).toEqual([]);
      expect(sectionOf(results['explanation'], next)).toContain(sentence);
    },
  });
}

const joining = admitted({ number: 1, others: [0], primary: 0 });

scenario('a member on the storage of another cluster waits for its own', {
  charm: underTest,
  given: async () =>
    await afterEvents(withData(joining, '7599999999999999999'), pebbleReady('postgresql')),
  when: explained,
  then: ({
    action: {
      results: { explanation },
    },
  }) => {
    expect(sectionOf(explanation, next)).toContain(
      'Start nothing: the storage belongs to another cluster (system identifier ' +
        '7599999999999999999, expected 7588888888888888888). Attach the right one, or remove the unit.',
    );
    expect(sectionOf(explanation, 'What waits')).toEqual([
      'postgresql-pebble-ready waits for the storage with the data of the cluster',
    ]);
  },
});

scenario('so does one that has come back without the data, as nobody has them', {
  charm: underTest,
  given: async () => {
    const emptied = inWorld(admitted({ leader: true }), {
      patroni: { members: [replica(0, 'creating replica')] },
    });
    return await afterEvents(emptied, pebbleReady('postgresql'));
  },
  when: explained,
  then: ({ action: { results } }) => {
    expect(sectionOf(results['explanation'], next)).toContain(
      'Start nothing: the volume is empty, and the data of the cluster are nowhere. Attach its ' +
        'storage, or restore a backup.',
    );
  },
});

scenario('clients that are led to where a pod was are waited for', {
  charm: underTest,
  given: async () => {
    const given = await running({ leader: true });
    const target = { ip: '10.1.0.77', targetRef: { name: 'postgresql-k8s-0' } };
    const metadata = {
      name: 'patroni-postgresql-k8s',
      annotations: { leader: 'postgresql-k8s-0' },
    };
    const objects = {
      ...given.world.kube.objects,
      [endpoints]: { metadata, subsets: [{ addresses: [target] }] },
    };
    return inWorld(given, { kube: { objects } });
  },
  when: explained,
  then: ({ action: { results } }) => {
    expect(sectionOf(results['explanation'], next)).toEqual([
      'Wait for Patroni to lead clients to postgresql-k8s/0 at 10.1.0.1: they are led to 10.1.0.77, ' +
        'where it is no more.',
    ]);
  },
});

scenario('what an outage has cut short, and extensions that are missing, are told', {
  charm: underTest,
  given: async () => {
    const given = await running({ leader: true });
    return {
      ...given,
      controllerState: { ...given.controllerState, interrupted: 'True' },
      config: { ...given.config, plugin_hstore_enable: true },
    };
  },
  when: explained,
  then: ({ action: { results } }) => {
    expect(sectionOf(results['explanation'], next)).toEqual(
      expect.arrayContaining([
        'Make up for what an outage has cut short, with the next update-status.',
        'Bring extensions to what is switched on: Updating extensions.',
      ]),
    );
  },
});
