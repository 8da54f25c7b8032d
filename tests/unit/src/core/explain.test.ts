import { describe, expect, test } from '@jest/globals';

import { explain } from '../../../../src/core/explain/explain.ts';
import type {
  JujuFacts,
  KubernetesFacts,
  MemberFacts,
  Observed,
  PatroniFacts,
  PebbleFacts,
  Source,
} from '../../../../src/core/explain/facts.ts';
import { renderExplanation } from '../../../../src/core/explain/text.ts';

const known = <T>(value: T): Source<T> => ({ kind: 'seen', value });
const lost = { kind: 'unreachable', reason: 'no answer' } as const;

const leader: MemberFacts = {
  unit: 'pg/0',
  role: 'leader',
  state: 'running',
  started: true,
  timeline: 1,
  pendingRestart: false,
};
const follower: MemberFacts = {
  unit: 'pg/1',
  role: 'sync_standby',
  state: 'streaming',
  started: true,
  timeline: 1,
  lagBytes: 0,
  pendingRestart: false,
};
const down = { state: 'stopped', started: false };
const starting: MemberFacts = { ...follower, state: 'starting', started: false };

const juju: JujuFacts = {
  leader: true,
  unitStatus: 'active Primary',
  plannedUnits: ['pg/0', 'pg/1'],
  admittedUnits: ['pg/0', 'pg/1'],
  initialised: true,
};
const patroni: PatroniFacts = { paused: false, members: [leader, follower] };
const pebble: PebbleFacts = {
  services: [
    { name: 'postgresql', current: 'active' },
    { name: 'watcher', current: 'active' },
    { name: 'pgbackrest server', current: 'inactive' },
  ],
  checks: [{ name: 'postgresql', status: 'down', failures: 4 }],
  passwordChange: false,
};
const kubernetes: KubernetesFacts = {
  lockHolder: 'pg/0',
  primaryTargets: ['pg/0'],
  primaryService: 'alias of pg',
};

const atRest: Observed = {
  unit: 'pg/0',
  model: 'm',
  juju: known(juju),
  configuration: known([]),
  pebble: known(pebble),
  own: known({ state: 'running', role: 'primary', started: true }),
  patroni: known(patroni),
  kubernetes: known(kubernetes),
  backups: known({ settings: 'complete', stanza: 'm.pg' }),
  deferred: known([]),
  upkeep: known({ watch: { fences: [] }, nowMs: 0 }),
  storage: known(undefined),
  watcher: known(undefined),
};

const nothing = 'Nothing: everything is as it should be.';

const rows: readonly {
  readonly summary: string;
  readonly change: Partial<Observed>;
  readonly next: readonly string[];
}[] = [
  { summary: 'all is well', change: {}, next: [nothing] },
  {
    summary: 'only the primary is up, and commits wait',
    change: {
      juju: known({ ...juju, strict: true }),
      patroni: known({ paused: false, members: [leader, { ...follower, ...down }] }),
    },
    next: [
      'Let writes go on when pg/1 is up again: commits wait for a replica. If none of them ever ' +
        'comes back, remove their units, or set synchronous_mode_strict=false, after which the ' +
        'primary goes on alone.',
    ],
  },
  {
    summary: 'only the primary is up, and commits do not wait',
    change: {
      juju: known({ ...juju, strict: false }),
      patroni: known({ paused: false, members: [leader, { ...follower, ...down }] }),
    },
    next: [nothing],
  },
  {
    summary: 'a replica that is not synchronous yet is up',
    change: {
      juju: known({ ...juju, strict: true }),
      patroni: known({ paused: false, members: [leader, { ...follower, role: 'replica' }] }),
    },
    next: [nothing],
  },
  {
    summary: 'all who have every commit are gone',
    change: {
      kubernetes: known({
        ...kubernetes,
        commits: { leader: 'pg/0', standbys: ['pg/1'], quorum: 0 },
      }),
      patroni: known({
        paused: false,
        members: [
          { ...follower, ...down },
          { ...follower, unit: 'pg/2', role: 'replica', timeline: 2, lagBytes: 900 },
          { ...follower, unit: 'pg/3', role: 'replica', timeline: 2, lagBytes: 16 },
          { ...follower, unit: 'pg/4', role: 'replica', timeline: 1, lagBytes: 0 },
        ],
      }),
    },
    next: [
      'Follow a new primary after the return of pg/0 or pg/1: without that, all that was ' +
        'committed is not there for certain, so nobody becomes the primary.',
      'If that will never be: of the units that are up pg/3 has the newest data (16 ' +
        'bytes behind, timeline 2). What it does not have is given up by "juju run pg/3 ' +
        'promote-to-primary scope=unit force=true".',
      'Wait for Patroni to forget pg/2, pg/3, pg/4, which Juju does not know.',
    ],
  },
  {
    summary: 'all who have every commit are gone, and nobody else is up',
    change: {
      kubernetes: known({ ...kubernetes, commits: { leader: 'pg/0', standbys: [], quorum: 0 } }),
      patroni: known({ paused: false, members: [{ ...follower, ...down }] }),
    },
    next: [
      'Follow a new primary after the return of pg/0: without that, all that was committed is not ' +
        'there for certain, so nobody becomes the primary.',
    ],
  },
  {
    summary: 'too few are left of those that a quorum of has every commit',
    change: {
      kubernetes: known({
        ...kubernetes,
        commits: { leader: 'pg/0', standbys: ['pg/1', 'pg/2', 'pg/3'], quorum: 2 },
      }),
      patroni: known({
        paused: false,
        members: [
          { ...follower, role: 'quorum_standby', ...down },
          { ...follower, unit: 'pg/2', role: 'quorum_standby', timeline: 2, lagBytes: 16 },
        ],
      }),
    },
    next: [
      'Follow a new primary after the return of pg/0, or 2 of pg/1, pg/3: without that, all that ' +
        'was committed is not there for certain, so nobody becomes the primary.',
      'If that will never be: of the units that are up pg/2 has the newest data (16 bytes behind, ' +
        'timeline 2). What it does not have is given up by "juju run pg/2 promote-to-primary ' +
        'scope=unit force=true".',
      'Wait for Patroni to forget pg/2, which Juju does not know.',
    ],
  },
  {
    summary: 'the leader has not initialised',
    change: { juju: known({ ...juju, initialised: false }) },
    next: [
      'Initialise the cluster when PostgreSQL of this unit is up and its Service leads to it.',
    ],
  },
  {
    summary: 'another has not initialised',
    change: { juju: known({ ...juju, initialised: false, leader: false }) },
    next: ['Start when the leader has initialised the cluster.'],
  },
  {
    summary: 'a restore runs',
    change: { juju: known({ ...juju, restoring: '20260131-120000F' }) },
    next: [
      'End the restore of 20260131-120000F when the restored database answers; nothing else meanwhile.',
    ],
  },
  {
    summary: 'options are wrong',
    change: { configuration: known(['a is wrong', 'b too']) },
    next: ['Apply the configuration when it has been corrected: a is wrong; b too.'],
  },
  {
    summary: 'a service is down',
    change: {
      pebble: known({ ...pebble, services: [{ name: 'postgresql', current: 'backoff' }] }),
    },
    next: ['Get service postgresql up again, which is backoff.'],
  },
  {
    summary: 'the own member starts',
    change: { own: known({ state: 'starting', role: 'replica', started: false }) },
    next: ['Take part when PostgreSQL of this unit is up: it is starting.'],
  },
  {
    summary: 'nobody leads',
    change: { patroni: known({ ...patroni, members: [follower] }) },
    next: [
      'Follow a new primary when there is one; a synchronous replica does, as soon as the lock is free.',
    ],
  },
  {
    summary: 'nobody leads, and nobody may',
    change: { patroni: known({ paused: true, members: [follower] }) },
    next: [
      'Follow a new primary when there is one; while failover is paused nobody does: run resume-failover.',
      'Start and promote nothing: failover is paused. resume-failover ends that, also for a primary that is down.',
    ],
  },
  {
    summary: 'a pause keeps this unit down',
    change: {
      own: known({ state: 'stopped', role: 'replica', started: true }),
      patroni: known({ paused: true, members: [leader, follower] }),
    },
    next: [
      'Start and promote nothing: failover is paused. resume-failover ends that, also for a primary that is down.',
      'Leave PostgreSQL of this unit down until then; why it went down stands under Watcher.',
    ],
  },
  {
    summary: 'another holds the lock',
    change: { kubernetes: known({ ...kubernetes, lockHolder: 'pg/1' }) },
    next: ['Wait for Patroni: pg/1 holds the lock, but pg/0 was seen leading.'],
  },
  {
    summary: 'clients are led astray',
    change: { kubernetes: known({ ...kubernetes, primaryTargets: ['pg/1', 'pg/0'] }) },
    next: ['Wait for clients to be led to pg/0; now it is pg/1, pg/0.'],
  },
  {
    summary: 'clients are led nowhere',
    change: { kubernetes: known({ ...kubernetes, primaryTargets: [] }) },
    next: ['Wait for clients to be led to pg/0; now it is nobody.'],
  },
  {
    summary: 'Services are gone',
    change: { kubernetes: known({ ...kubernetes, wrongServices: ['pg-primary', 'patroni-pg'] }) },
    next: [
      'Have the Services pg-primary, patroni-pg made anew, which are missing or changed: when any ' +
        'option or a member changes, or within an hour or two.',
    ],
  },
  {
    summary: 'a unit waits for a member that starts',
    change: {
      juju: known({ ...juju, plannedUnits: ['pg/0', 'pg/1', 'pg/2'] }),
      patroni: known({ ...patroni, members: [leader, starting] }),
    },
    next: ['Admit pg/2 to the cluster when all members are ready: pg/1 is starting.'],
  },
  {
    summary: 'a unit goes, and a stranger is there',
    change: {
      juju: known({ ...juju, plannedUnits: ['pg/0'] }),
      patroni: known({ ...patroni, members: [leader, { ...follower, unit: 'pg/7' }] }),
    },
    next: [
      'Take out pg/1, which Juju removes.',
      'Wait for Patroni to forget pg/7, which Juju does not know.',
    ],
  },
  {
    summary: 'a unit goes, seen from another',
    change: {
      juju: known({ ...juju, leader: false, plannedUnits: ['pg/0'] }),
      patroni: known({ ...patroni, members: [leader] }),
    },
    next: ['Wait for the leader to take out pg/1, which Juju removes.'],
  },
  {
    summary: 'a restart is pending',
    change: {
      patroni: known({ ...patroni, members: [leader, { ...follower, pendingRestart: true }] }),
    },
    next: [
      'See PostgreSQL of pg/1 restarted by the leader for changed options, one after another.',
    ],
  },
  {
    summary: 'a restart failed, and is pending while failover is paused',
    change: {
      juju: known({ ...juju, restartFailure: 'pg/1' }),
      patroni: known({ paused: true, members: [leader, { ...follower, pendingRestart: true }] }),
    },
    next: [
      'Try again to restart PostgreSQL of pg/1, which failed.',
      'See PostgreSQL of pg/1 restarted by the leader for changed options, when failover has been resumed.',
      'Start and promote nothing: failover is paused. resume-failover ends that, also for a primary that is down.',
    ],
  },
  {
    summary: 'a change of a password has not ended',
    change: { pebble: known({ ...pebble, passwordChange: true }) },
    next: [
      'Make the database agree with the passwords in Juju, after a change that has not ended.',
    ],
  },
  {
    summary: 'backups are blocked',
    change: { backups: known({ settings: 'complete', blocked: 'no bucket' }) },
    next: ['Try the backup settings again at each update-status: no bucket.'],
  },
  {
    summary: 'backups are blocked, seen from another',
    change: {
      juju: known({ ...juju, leader: false }),
      backups: known({ settings: 'complete', blocked: 'no bucket' }),
    },
    next: [
      'Wait for the leader to try the backup settings again at each update-status: no bucket.',
    ],
  },
  {
    summary: 'sources are out of reach',
    change: { kubernetes: lost, patroni: lost },
    next: ['Nothing that shows; out of reach: patroni, kubernetes.'],
  },
  {
    summary: 'everything is out of reach',
    change: {
      juju: lost,
      configuration: lost,
      pebble: lost,
      own: lost,
      patroni: lost,
      kubernetes: lost,
      backups: lost,
      deferred: lost,
      watcher: lost,
    },
    next: [
      'Nothing that shows; out of reach: juju, configuration, pebble, own, patroni, kubernetes, ' +
        'backups, deferred, watcher.',
    ],
  },
];

test.each(rows)('$summary', ({ change, next }) => {
  expect(explain({ ...atRest, ...change }).next).toEqual(next);
});

const ready = 'postgresql-pebble-ready';
const changed = 'database-peers-relation-changed';

const waiting: readonly {
  readonly event: string;
  readonly change: Partial<Observed>;
  readonly reason: string;
}[] = [
  { event: ready, change: { pebble: lost }, reason: 'the workload container to answer' },
  {
    event: changed,
    change: { juju: known({ ...juju, initialised: false }) },
    reason: 'the leader to initialise the cluster',
  },
  {
    event: ready,
    change: { configuration: known(['a is wrong']) },
    reason: 'a valid configuration to start with',
  },
  { event: ready, change: { own: lost }, reason: 'Patroni of this unit to answer' },
  {
    event: ready,
    change: { own: known({ state: 'creating replica', role: 'replica', started: false }) },
    reason: 'PostgreSQL of this unit, which is creating replica',
  },
  {
    event: changed,
    change: { patroni: known({ ...patroni, members: [leader, starting] }) },
    reason: 'all members to be ready: pg/1 is starting',
  },
  {
    event: changed,
    change: { patroni: known({ ...patroni, members: [follower] }) },
    reason: 'a primary',
  },
  {
    event: ready,
    change: {},
    reason: 'something that has come by now, or does not show; the next hook tries it again',
  },
];

test.each(waiting)('$event waits for $reason', ({ event, change, reason }) => {
  const { waits } = explain({ ...atRest, ...change, deferred: known([event, event]) });

  expect(waits).toEqual([{ event, for: reason }]);
});

describe('the text', () => {
  test('shows what is unusual', () => {
    const text = renderExplanation(
      explain({
        ...atRest,
        juju: known({ ...juju, plannedUnits: [], admittedUnits: [], restoring: 'F' }),
        configuration: known(['a is wrong']),
        patroni: known({
          paused: true,
          members: [
            { ...leader, role: 'standby_leader' },
            { ...starting, unit: 'pg/10' },
          ],
        }),
        kubernetes: known({ primaryTargets: [], primaryService: 'missing' }),
        backups: known({ settings: 'missing bucket', blocked: 'no bucket' }),
        deferred: known([changed]),
        watcher: known('text'),
      }),
    );

    expect(text).toContain(`  ${changed} waits for all members to be ready: pg/10 is starting\n`);
    expect(text).toContain('  units: none\n  members: none\n');
    expect(text).toContain('Configuration\n  a is wrong\n');
    expect(text).toContain('  check postgresql: down, failed 4 times\n');
    expect(text).toContain(
      '  failover is paused\n' +
        '  pg/0   standby_leader  running   timeline 1\n' +
        '  pg/10  sync_standby    starting  timeline 1  0 bytes behind\n',
    );
    expect(text).toContain("  lock: nobody\n  primary's Service: missing\n  leads to: nobody\n");
    expect(text).toContain('  settings: missing bucket\n  stanza: none, WAL is not archived\n');
    expect(text).toContain('  blocked: no bucket');
    expect(text).toMatch(/Watcher\n {2}: "text"$/);
  });

  test('shows a member of which little is known', () => {
    const { lagBytes: _lag, timeline: _timeline, ...little } = follower;
    const members = [{ ...little, pendingRestart: true }];

    const text = renderExplanation(
      explain({ ...atRest, patroni: known({ paused: false, members }) }),
    );

    expect(text).toContain('  pg/1  sync_standby  streaming  lag unknown  restart pending\n');
  });

  test('shows no members', () => {
    const none = known({ paused: false, members: [] });

    expect(renderExplanation(explain({ ...atRest, patroni: none }))).toContain('  no members\n');
  });
});
