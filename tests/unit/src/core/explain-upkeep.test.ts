import { describe, expect, test } from '@jest/globals';

import { explain } from '../../../../src/core/explain/explain.ts';
import type {
  JujuFacts,
  KubernetesFacts,
  Observed,
  OwnFacts,
  PebbleFacts,
  Source,
  UpkeepFacts,
} from '../../../../src/core/explain/facts.ts';

const known = <T>(value: T): Source<T> => ({ kind: 'seen', value });

const nowMs = Date.UTC(2026, 0, 31, 12, 0, 0);
const juju: JujuFacts = {
  leader: true,
  unitStatus: 'active',
  plannedUnits: ['pg/0'],
  admittedUnits: ['pg/0'],
  initialised: true,
};
const pebble: PebbleFacts = {
  services: [
    { name: 'postgresql', current: 'active' },
    { name: 'watcher', current: 'active' },
  ],
  checks: [{ name: 'watcher', status: 'up', failures: 0 }],
  passwordChange: false,
};
const kubernetes: KubernetesFacts = {
  lockHolder: 'pg/0',
  primaryTargets: ['pg/0'],
  primaryService: 'alias of pg',
  strayTargets: [],
};
const leader = {
  unit: 'pg/0',
  role: 'leader',
  state: 'running',
  started: true,
  pendingRestart: false,
};
const replica: Source<OwnFacts> = known({ state: 'running', role: 'replica', started: true });
const disk = { level: 'ok', freePercent: 50, totalBytes: 1e9, readOnly: false } as const;
const archive = { waiting: 9, failing: false, lags: false };

const seeing = (
  watch: Partial<UpkeepFacts['watch']>,
  more: Partial<UpkeepFacts> = {},
): Pick<Observed, 'upkeep'> => ({
  upkeep: known({ watch: { fences: [], disk, archive, ...watch }, nowMs, ...more }),
});

const atRest: Observed = {
  unit: 'pg/0',
  model: 'm',
  juju: known(juju),
  configuration: known([]),
  pebble: known(pebble),
  own: known({ state: 'running', role: 'primary', started: true }),
  patroni: known({ paused: false, members: [leader] }),
  kubernetes: known(kubernetes),
  backups: known({ settings: 'complete', stanza: 'm.pg' }),
  deferred: known([]),
  ...seeing({}),
  storage: known(undefined),
  watcher: known(undefined),
};

const nothing = 'Nothing: everything is as it should be.';
const room = 'Make room, or enlarge it.';
const broken = { brokenAtMs: nowMs - 120_000 };
const repair = { reason: 'it gets no WAL from its primary', atMs: nowMs + 60_000 } as const;

const rows: readonly {
  readonly summary: string;
  readonly change: Partial<Observed>;
  readonly next: string;
}[] = [
  { summary: 'all is well', change: {}, next: nothing },
  {
    summary: 'the disk is full',
    change: seeing({ disk: { ...disk, level: 'full', freePercent: 2 } }),
    next: `Let clients write again when 12 % of the data volume are free: 2 % are. ${room}`,
  },
  {
    summary: 'the disk was full, and is low',
    change: seeing({ disk: { ...disk, level: 'low', freePercent: 8, readOnly: true } }),
    next: `Let clients write again when 12 % of the data volume are free: 8 % are. ${room}`,
  },
  {
    summary: 'the disk is low',
    change: seeing({ disk: { ...disk, level: 'low', freePercent: 8 } }),
    next: `Let clients only read when 3 % of the data volume are free: 8 % are. ${room}`,
  },
  {
    summary: 'archiving fails',
    change: seeing({ archive: { ...archive, failing: true, lags: true } }),
    next:
      'Archive 9 files of WAL when the storage of the backups takes them: nothing has gone for over a ' +
      'minute. Until then they stay on the data volume.',
  },
  {
    summary: 'archiving lags',
    change: seeing({ archive: { ...archive, lags: true } }),
    next:
      'Archive 9 files of WAL, of which some have waited for minutes: more is written than the ' +
      'storage takes.',
  },
  {
    summary: 'a replica has WAL that nobody archives',
    change: { ...seeing({ archive: { ...archive, failing: true } }), own: replica },
    next: nothing,
  },
  {
    summary: 'PostgreSQL refuses a setting',
    change: seeing({ down: { atMs: nowMs, starts: 1, control: true, refusal: 'no "x"' } }),
    next: 'Start PostgreSQL of this unit when this has been seen to: no "x".',
  },
  {
    summary: 'a replica gets nothing, and is not to be repaired yet',
    change: seeing(broken),
    next: 'Get WAL from the primary again, from which none has come since 2026-01-31T11:58:00Z.',
  },
  {
    summary: 'a restart comes later',
    change: seeing(broken, { repair: { ...repair, kind: 'restart' } }),
    next:
      'Restart PostgreSQL of this unit at 2026-01-31T12:01:00Z, unless it follows by then: it gets ' +
      'no WAL from its primary.',
  },
  {
    summary: 'a restart is due',
    change: seeing(broken, { repair: { ...repair, kind: 'restart', atMs: nowMs } }),
    next:
      'Restart PostgreSQL of this unit with the next event of this unit: it gets no WAL from its ' +
      'primary.',
  },
  {
    summary: 'a copy that was refused comes later',
    change: seeing(broken, { repair: { ...repair, kind: 'clone' }, refusal: 'no; never' }),
    next:
      'Clone this replica anew at 2026-01-31T12:01:00Z, unless it follows by then: it gets no WAL ' +
      'from its primary.',
  },
  {
    summary: 'a copy is refused',
    change: seeing(broken, { repair: { ...repair, kind: 'clone', atMs: 0 }, refusal: 'no; never' }),
    next: 'Clone this replica anew when that is safe, which is looked at every minute: no; never.',
  },
  {
    summary: 'copies have been in vain',
    change: seeing(broken, { repair: { ...repair, kind: 'give-up', atMs: nowMs } }),
    next:
      'Leave this replica as it is, which new copies have not mended: it gets no WAL from its ' +
      'primary. Look at its log.',
  },
  {
    summary: 'the watcher hangs',
    change: {
      pebble: known({ ...pebble, checks: [{ name: 'watcher', status: 'down', failures: 3 }] }),
    },
    next: 'See the watcher started anew by Pebble: it hangs, so nothing wakes this unit.',
  },
  {
    summary: 'clients are led to where the primary was',
    change: {
      kubernetes: known({
        ...kubernetes,
        strayTargets: [{ unit: 'pg/0', address: '10.1.0.9', actual: '10.1.0.1' }],
      }),
    },
    next:
      'Wait for Patroni to lead clients to pg/0 at 10.1.0.1: they are led to 10.1.0.9, where it is ' +
      'no more.',
  },
  {
    summary: 'an outage has cut a hook short',
    change: { juju: known({ ...juju, unfinished: 'everything' }) },
    next: 'Make up for what an outage has cut short, with the next update-status.',
  },
  {
    summary: 'Patroni was not told of all',
    change: { juju: known({ ...juju, unfinished: 'configuration' }) },
    next: 'Tell Patroni the rest of the configuration, with the next update-status.',
  },
  {
    summary: 'extensions are not as they are switched',
    change: { juju: known({ ...juju, extensions: 'Extensions not in the image: postgis' }) },
    next: 'Bring extensions to what is switched on: Extensions not in the image: postgis.',
  },
];

describe('explain, of the upkeep of its unit', () => {
  test.each(rows)('$summary', ({ change, next }) => {
    expect(explain({ ...atRest, ...change }).next).toEqual([next]);
  });

  test.each([
    {
      storage: { kind: 'foreign', reason: 'of application other' } as const,
      next:
        'Start nothing: the storage belongs to another cluster (of application other). Attach the ' +
        'right one, or remove the unit.',
    },
    {
      storage: { kind: 'lost' } as const,
      next:
        'Start nothing: the volume is empty, and the data of the cluster are nowhere. Attach its ' +
        'storage, or restore a backup.',
    },
  ])('a start waits for the right storage: $storage.kind', ({ storage, next }) => {
    const explained = explain({
      ...atRest,
      own: { kind: 'unreachable', reason: 'no answer' },
      storage: known(storage),
      deferred: known(['postgresql-pebble-ready', 'config-changed']),
    });

    expect(explained.next).toEqual([next]);
    expect(explained.waits).toEqual([
      {
        event: 'postgresql-pebble-ready',
        for: 'the storage with the data of the cluster',
      },
      { event: 'config-changed', for: 'Patroni of this unit to answer' },
    ]);
  });
});
