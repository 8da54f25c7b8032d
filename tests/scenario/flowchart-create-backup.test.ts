// create-backup, along every edge of its flowchart.

import { expect } from '@jest/globals';

import { expectCompleteChart } from '../support/flowchart-record.ts';
import { action, pebbleNotice, relationChanged, updateStatus } from '../support/scenario/events.ts';
import { request, withBags } from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  inWorld,
  primary,
  replica,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import { type RunResult, run } from '../support/scenario/run.ts';
import { type Scenario, scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

type Of = Scenario<unknown, PostgresqlState['world']>;

// The line of pg_hba.conf that lets clients in.
const clientsGetIn = 'host all +identity_access,+relation_access 0.0.0.0/0 scram-sha-256';
const folder = `postgresql/backup/${stanza}`;
const created = '20260131-120000F';

const createBackup = action('create-backup');
const typed = (type: string) => action('create-backup', { type });

// Two orders are two backups, at whatever moment the first was interrupted.
const eachTimeAnother: NonNullable<Of['loosen']> = {
  secondRun: 'ordering a backup again makes another backup',
  killOutcome: {
    because: 'an interrupted backup may have been made, and is ordered again',
    check: (reached) => {
      const { world, unitStatus } = reached;
      expect(world.pgbackrest.backups.length).toBeGreaterThan(0);
      expect(unitStatus.level).toBe('active');
      expect(patroniFile(reached)).toContain(clientsGetIn);
    },
  },
};
// The time of the attempt is part of what is uploaded.
const eachTimeAnotherLog: NonNullable<Of['loosen']> = {
  differences: [
    { path: 'world.objectStore.buckets', because: 'logs carry the time of the attempt' },
    {
      path: 'containers.postgresql.files./var/lib/postgresql/metrics/backup.prom',
      because: 'each attempt that fails is counted',
    },
  ],
};

const patroniFile = (given: PostgresqlState) =>
  fileOf(given, '/var/lib/postgresql/data/patroni.yml') ?? '';

/** A replica with certificates, in a cluster whose repository has been set up. */
async function replicaWithTls(): Promise<PostgresqlState> {
  const s3 = s3Relation();
  const given = await running({
    number: 1,
    others: [0],
    primary: 0,
    app: { stanza },
    own: { tls: 'enabled' },
    relations: [s3],
    world: { pgbackrest: { stanzas: [stanza] }, objectStore: { buckets: { backups: {} } } },
  });
  return await afterEvents(given, relationChanged(s3));
}

/** The words of the commands that make backups. */
const backupCommands = (execs: RunResult<PostgresqlState['world']>['execs']) =>
  (execs['postgresql'] ?? [])
    .map(({ command }) => command)
    .filter((command) => command.includes('backup'))
    .flat();

function objectsOf({ world }: PostgresqlState): Readonly<Record<string, string>> {
  return world.objectStore.buckets['backups'] ?? {};
}

scenario('the only unit is backed up, and the log of it kept beside the backup', {
  charm: underTest,
  given: backedUp,
  when: createBackup,
  then: ({ state: after, action: { results, failed }, execs, statusHistory }) => {
    expect(failed).toBeUndefined();
    expect(results).toEqual({
      'backup-status': 'backup created',
      'backup-id': '2026-01-31T12:00:00Z',
    });
    expect(backupCommands(execs)).toEqual([
      'pgbackrest',
      `--stanza=${stanza}`,
      '--log-level-console=detail',
      '--type=full',
      '--no-backup-standby',
      'backup',
    ]);
    expect(objectsOf(after)[`${folder}/latest`]).toBe(
      [
        'Date Backup Requested: 2026-01-31T12:00:00Z',
        'Model Name: test-model',
        'Application Name: postgresql-k8s',
        'Unit Name: postgresql-k8s/0',
        'Juju Version: 4.0.1',
        '',
      ].join('\n'),
    );
    expect(objectsOf(after)[`${folder}/2026-01-31T12:00:00Z/backup.log`]).toContain(
      `new backup label = ${created}`,
    );
    expect(statusHistory).toEqual([
      { level: 'maintenance', message: 'creating backup' },
      { level: 'active', message: 'Primary' },
    ]);
  },
  loosen: eachTimeAnother,
});

scenario('whoever ordered the backup is told how far it is', {
  charm: underTest,
  given: backedUp,
  when: createBackup,
  then: ({ action: { log } }) => {
    expect(log).toEqual([
      '66 % done, 19.1 MB copied',
      '100 % done, 28.6 MB copied',
      'P00   INFO: new backup label = 20260131-120000F',
    ]);
  },
  loosen: eachTimeAnother,
});

scenario('a backup is made although nobody can be told how far it is', {
  charm: underTest,
  given: async () => ({ ...(await backedUp()), unansweredTools: ['action-log'] }),
  when: createBackup,
  then: ({ action: { results, log: told }, log }) => {
    expect(results['backup-id']).toBe('2026-01-31T12:00:00Z');
    expect(told).toEqual([]);
    expect(log).toContainEqual({
      level: 'WARNING',
      message: expect.stringMatching(/^not told: "66 % done, .*connection is shut down/),
    });
  },
  loosen: eachTimeAnother,
});

scenario('an incremental backup builds on the one before', {
  charm: underTest,
  given: async () =>
    inWorld(await backedUp(), {
      pgbackrest: { backups: [{ label: '20260130-120000F', stanza }] },
    }),
  when: typed('incremental'),
  then: ({ action: { results } }) => {
    expect(results['backup-status']).toBe('backup created');
  },
  loosen: eachTimeAnother,
});

scenario('without a full backup there is nothing that another type could refer to', {
  charm: underTest,
  given: backedUp,
  when: typed('differential'),
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Invalid backup type: differential. No previous full backup to reference.');
  },
});

scenario('a type of backup that does not exist is refused', {
  charm: underTest,
  given: backedUp,
  when: typed('halved'),
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'Invalid backup type: halved. Possible values: full, differential, incremental.',
    );
  },
});

scenario('while one is made there is no other, and nothing of the attempt is in the bucket', {
  charm: underTest,
  given: async () => inWorld(await backedUp(), { pgbackrest: { backupRuns: true } }),
  when: createBackup,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe('A backup is being made; run the action again when it has ended.');
    expect(Object.keys(objectsOf(after)).filter((key) => key.startsWith(folder))).toEqual([
      `${folder}/backup.info`,
    ]);
  },
});

scenario('a Blocked unit makes no backup', {
  charm: underTest,
  given: async () =>
    await afterEvents({ ...(await backedUp()), config: { profile: 'huge' } }, updateStatus),
  when: createBackup,
  then: ({ action: { failed } }) => {
    expect(failed).toMatch(/^Unit is in a blocking state: Configuration Error: /);
  },
});

scenario(
  'as long as others have not copied restored data, which keeps WAL back, there is no backup',
  {
    charm: underTest,
    given: async () =>
      withBags(await backedUp({ others: [1] }), {
        app: { 'restore-request': request('clone') },
        others: { 'restore-stopped': 'r1' },
      }),
    when: createBackup,
    then: ({ action: { failed }, execs }) => {
      expect(failed).toBe('A backup is being restored; nothing has been backed up.');
      expect(backupCommands(execs)).toEqual([]);
    },
  },
);

scenario('with certificates the primary of several units leaves it to a replica', {
  charm: underTest,
  given: async () => await running({ leader: true, others: [1], own: { tls: 'enabled' } }),
  when: createBackup,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Unit cannot perform backups as it is the cluster primary');
  },
});

scenario('without certificates a replica sends the operator to the primary', {
  charm: underTest,
  given: async () => await running({ number: 1, others: [0], primary: 0 }),
  when: createBackup,
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'Unit cannot perform backups as TLS is not enabled; run it on the primary, postgresql-k8s/0',
    );
  },
});

scenario('while no member leads there is no backup', {
  charm: underTest,
  given: async () =>
    inWorld(await backedUp(), {
      patroni: {
        members: [{ name: 'postgresql-k8s-0', role: 'replica', state: 'running', timeline: 1 }],
      },
    }),
  when: createBackup,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Unit cannot perform backups as the database seems to be offline');
  },
});

scenario('without a repository the operator is told to relate an integrator', {
  charm: underTest,
  given: async () => await running({ leader: true }),
  when: createBackup,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Relation with s3-integrator charm missing, cannot create/restore backup.');
  },
});

scenario('a repository that nobody has looked at takes no backup: it may be that of others', {
  charm: underTest,
  given: async () => {
    const given = await backedUp();
    const moved = s3Relation({ fields: { path: '/of-others' } });
    return {
      ...given,
      relations: given.relations.map((one) => (one.id === moved.id ? moved : one)),
    };
  },
  when: createBackup,
  then: ({ state: after, action: { failed }, execs }) => {
    expect(failed).toBe(
      'The repository that the S3 settings name has not been set up yet; nothing has been backed up.',
    );
    expect(backupCommands(execs)).toEqual([]);
    expect(Object.keys(objectsOf(after)).filter((key) => key.startsWith('of-others'))).toEqual([]);
  },
});

scenario('a repository that has not been initialised yet takes no backup', {
  charm: underTest,
  given: async () => await running({ leader: true, relations: [s3Relation()] }),
  when: createBackup,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Stanza was not initialised');
  },
});

scenario('a primary that does not run makes no backup', {
  charm: underTest,
  given: async () =>
    inWorld(await backedUp(), {
      patroni: {
        members: [{ name: 'postgresql-k8s-0', role: 'leader', state: 'stopped', timeline: 1 }],
      },
    }),
  when: createBackup,
  then: ({ action: { failed } }) => {
    expect(failed).toBe("Unit cannot perform backups as it's not in running state");
  },
});

scenario('a relation that has just gone takes no backup, though the stanza is still known', {
  charm: underTest,
  given: async () => {
    const given = await backedUp();
    return {
      ...given,
      relations: given.relations.filter((one) => one.endpoint !== 's3-parameters'),
    };
  },
  when: createBackup,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Relation with s3-integrator charm missing, cannot create/restore backup.');
  },
});

scenario('settings that the integrator has taken back are named', {
  charm: underTest,
  given: async () => {
    const given = await backedUp();
    const s3 = relationOf(given, 's3-parameters');
    const bare = { ...s3, remoteAppData: { bucket: 'backups' } };
    return { ...given, relations: given.relations.map((one) => (one === s3 ? bare : one)) };
  },
  when: createBackup,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Missing S3 parameters: access-key, secret-key');
  },
});

scenario('storage that does not take a small file is not asked to take a backup', {
  charm: underTest,
  given: async () => inWorld(await backedUp(), { objectStore: { fault: 'forbidden' } }),
  when: createBackup,
  then: ({ action: { failed }, execs }) => {
    expect(failed).toMatch(/^Failed to upload metadata to provided S3: cannot /);
    expect(execs['postgresql']).toEqual([]);
  },
});

scenario('what pgBackRest says against a backup is shown, and its output kept', {
  charm: underTest,
  given: async () =>
    inWorld(await backedUp(), {
      pgbackrest: { faults: { backup: 'ERROR: [082]: WAL segment was not archived' } },
    }),
  when: createBackup,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe(
      'Failed to backup PostgreSQL with error: cannot run pgbackrest backup: [082]: WAL segment was not archived',
    );
    expect(objectsOf(after)[`${folder}/failed-2026-01-31T12:00:00Z/backup.log`]).toContain(
      'Stderr:\nERROR: [082]: WAL segment was not archived',
    );
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
  loosen: { ...eachTimeAnotherLog, secondRun: 'each attempt keeps a log of its own' },
});

scenario('a backup whose log cannot be kept is no success', {
  charm: underTest,
  given: backedUp,
  when: createBackup,
  execs: (host) => ({
    postgresql: [
      {
        command: ['pgbackrest', `--stanza=${stanza}`],
        respond: () => {
          host.world.update((now) => ({
            ...now,
            objectStore: { ...now.objectStore, fault: 'unreachable' },
          }));
          return { stdout: `P00   INFO: new backup label = ${created}\n` };
        },
      },
    ],
  }),
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Error uploading logs to S3');
  },
  loosen: { killChecks: 'the storage is gone for good once pgBackRest has run' },
});

scenario('with certificates a replica is backed up, while its clients are kept out', {
  charm: underTest,
  given: replicaWithTls,
  when: createBackup,
  execs: (host) => ({
    postgresql: [
      {
        command: ['pgbackrest', `--stanza=${stanza}`],
        respond: () => {
          expect(patroniFile(host.state())).not.toContain(clientsGetIn);
          host.world.update((now) => ({
            ...now,
            pgbackrest: { ...now.pgbackrest, backups: [{ label: created, stanza }] },
          }));
          return { stdout: `P00   INFO: new backup label = ${created}\n` };
        },
      },
    ],
  }),
  then: ({ state: after, action: { results }, execs, disturbances }) => {
    expect(results['backup-status']).toBe('backup created');
    expect(backupCommands(execs)).toContain('--backup-standby');
    expect(disturbances).toEqual([
      'Patroni of postgresql-k8s-1 reloaded its file',
      'Patroni of postgresql-k8s-1 reloaded its file',
    ]);
    expect(patroniFile(after)).toContain(clientsGetIn);
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
  loosen: eachTimeAnother,
});

scenario('a replica whose backup fails lets its clients in again', {
  charm: underTest,
  given: async () =>
    inWorld(await replicaWithTls(), {
      pgbackrest: { faults: { backup: 'ERROR: [056]: unable to find primary cluster' } },
    }),
  when: createBackup,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toContain('unable to find primary cluster');
    expect(patroniFile(after)).toContain(clientsGetIn);
  },
  loosen: { ...eachTimeAnotherLog, secondRun: 'each attempt lets the clients out and in again' },
});

const workLeft = pebbleNotice('postgresql', 'postgresql.charm/work-left');
const longWork = '/run/charm-long-work';

/** A backup of a replica was killed while clients were kept out. */
async function withoutClients(): Promise<PostgresqlState> {
  const result = await run({
    charm: underTest,
    state: await replicaWithTls(),
    event: createBackup,
  });
  const killed = result.interruptions.find(
    ({ state }) => !patroniFile(state).includes(clientsGetIn),
  );
  if (killed === undefined) throw new Error('no moment at which clients were kept out');
  return killed.state;
}

for (const [who, event] of [
  ['update-status', updateStatus],
  ['the watcher', workLeft],
] as const) {
  scenario(`clients whom a killed backup kept out are let in again by ${who}`, {
    charm: underTest,
    given: withoutClients,
    when: event,
    then: ({ state: after }) => {
      expect(patroniFile(after)).toContain(clientsGetIn);
      expect(after.unitStatus).toEqual({ level: 'active', message: '' });
    },
  });
}

scenario('so they are when the replica has become the primary since', {
  charm: underTest,
  given: async () =>
    inWorld(await withoutClients(), { patroni: { members: [replica(0), primary(1)] } }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(patroniFile(after)).toContain(clientsGetIn);
  },
});

scenario('a hook that is killed while it makes a backup leaves what the watcher finds', {
  charm: underTest,
  given: async () => {
    const result = await run({ charm: underTest, state: await backedUp(), event: createBackup });
    const killed = result.interruptions.filter(
      ({ state }) => state.unitStatus.message === 'creating backup',
    );
    expect(killed.length).toBeGreaterThan(1);
    for (const { state } of killed.slice(0, -1)) expect(fileOf(state, longWork)).toBe(stanza);
    const [first] = killed;
    if (first === undefined) throw new Error('no moment at which a backup was being made');
    return first.state;
  },
  when: workLeft,
  then: ({ state: after }) => {
    expect(fileOf(after, longWork)).toBeUndefined();
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

expectCompleteChart('create-backup');
