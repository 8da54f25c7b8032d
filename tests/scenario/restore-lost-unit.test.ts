// A restore of a cluster whose unit is removed or lost before, or after, its data are there, and what
// becomes of a unit that comes back.

import { expect, test } from '@jest/globals';

import { abandonedData } from '../../src/core/status.ts';
import { action, pebbleReady, type Trigger, updateStatus } from '../support/scenario/events.ts';
import {
  alone,
  annotationsOf,
  appData,
  asideFile,
  configName,
  expectOldState,
  failed,
  gone,
  keptOn,
  leaving,
  led,
  lockName,
  markFile,
  objectsOf,
  othersStarted,
  phaseOf,
  root,
  serviceOf,
  stoppedFile,
  told,
  version,
  waiting,
  withBags,
  withFiles,
  withObjects,
  without,
  withTraces,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  dataFile,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  primary,
  remembering,
  replica,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';

const ready = pebbleReady('postgresql');
const cancel = action('cancel-restore');

test('Patroni forgets nothing before it is kept where no unit can take it along', async () => {
  const given = await alone();
  const { state, interruptions } = await run({
    charm: underTest,
    state: given,
    event: updateStatus,
  });
  const forgetting = [...interruptions.map((one) => one.state), state].filter(
    (one) => annotationsOf(one, configName) === undefined,
  );

  expect(forgetting.length).toBeGreaterThan(3);
  for (const one of forgetting) {
    const kept: unknown = JSON.parse(
      annotationsOf(one, keptOn)?.['postgresql.charm/before-restore'] ?? '',
    );
    expect(kept).toMatchObject({
      request: 'r1',
      saved: [
        { annotations: { leader: 'postgresql-k8s-0' } },
        { name: 'patroni-postgresql-k8s-config' },
      ],
    });
  }
});

/** The leader, a unit that waits, once the unit that restores has made Patroni forget. */
async function orphaned(phase: 'stop' | 'clone' = 'stop'): Promise<PostgresqlState> {
  const begun = await afterEvents(await alone(), updateStatus);
  const own = phase === 'stop' ? await waiting() : await told(phase);
  const kept = objectsOf(begun)[keptOn];
  if (kept === undefined) throw new Error('nothing has been kept');
  const { [lockName]: _, [configName]: __, ...others } = objectsOf(own);
  const kube = { objects: { ...others, [keptOn]: kept } };
  // Of a member that is down Patroni keeps that it was there.
  const members = [replica(1, 'stopped'), replica(2, 'stopped')];
  const world = inWorld({ ...own, leader: true }, { kube, patroni: { members } });
  return withBags(withTraces(world), { others: { 'restore-stopped': 'r1' } });
}

const result = (state: 'restored' | 'failed') => ({
  'restore-result': JSON.stringify({ id: 'r1', state }),
});

for (const told of [{}, result('restored')]) {
  test(`a unit that is removed while it restores is waited for, ${JSON.stringify(told)}`, async () => {
    const given = withBags(leaving(await orphaned()), { others: told });

    const { state: after, disturbances } = await run({
      charm: underTest,
      state: given,
      event: updateStatus,
    });

    expect(phaseOf(after)).toBe('stop');
    expect(disturbances).toEqual([]);
    expect(after.unitStatus).toEqual({
      level: 'maintenance',
      message: 'the restore ends when postgresql-k8s/0 is gone',
    });
  });
}

test('when it is gone, Patroni remembers again before the others start with their data', async () => {
  const ended = await afterEvents(gone(await orphaned()), updateStatus);

  expectOldState(ended);
  expect(phaseOf(ended)).toBe('keep');
  expect(appData(ended)['restore-failure']).toMatch(/postgresql-k8s\/0 is gone$/);

  const started = await afterEvents(ended, updateStatus);
  expect(serviceOf(started)).toBe('active');
  expect(fileOf(started, dataFile)).toBe('17\n');
});

test('whenever the leader is killed meanwhile, nobody starts before Patroni remembers', async () => {
  const given = gone(await orphaned());
  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  for (const { state: killed } of interruptions) {
    expect(phaseOf(killed)).toBe('stop');
    const ended = await afterEvents(killed, updateStatus);
    expectOldState(ended);
    expect(phaseOf(ended)).toBe('keep');
  }

  expect(interruptions.length).toBeGreaterThan(2);
});

test('what has been kept goes when all have started', async () => {
  const ended = await afterEvents(gone(await orphaned()), updateStatus, updateStatus);
  const alive = withBags(ended, { others: { 'restore-stopped': '' } });

  const reached = await afterEvents(alive, updateStatus);

  expect(appData(reached)).not.toHaveProperty('restore-request');
  expect(annotationsOf(reached, keptOn) ?? {}).toEqual({});
});

const returnings: readonly (readonly [string, 'preparing' | 'stopped' | 'started' | 'undoing'])[] =
  [
    ['has not stopped', 'preparing'],
    ['has stopped', 'stopped'],
    ['restores', 'started'],
    ['goes back', 'undoing'],
  ];

/** It has come back with its volume; the cluster goes on without its restore. */
async function returned(phase: string): Promise<PostgresqlState> {
  const begun = await afterEvents(await alone(), updateStatus);
  const mark = fileOf(begun, markFile)?.replace('"phase":"started"', `"phase":"${phase}"`) ?? '';
  return remembering(
    led(
      withBags(withFiles(begun, { [markFile]: mark }), {
        app: { 'restore-request': '', 'restoring-backup': '' },
      }),
    ),
  );
}

for (const [what, phase] of returnings) {
  for (const [how, event] of [
    ['a new container', ready],
    ['update-status', updateStatus],
  ] as const satisfies readonly (readonly [string, Trigger])[]) {
    test(`a unit that ${what} and comes back with its volume lets the cluster be, with ${how}`, async () => {
      const back = await returned(phase);
      const given = event === ready ? inNewContainer(back) : back;
      const reached = await afterEvents(given, event);

      expect(annotationsOf(reached, configName)).toEqual(annotationsOf(back, configName));
      expect(annotationsOf(reached, lockName)).toEqual(annotationsOf(back, lockName));
      expect(fileOf(reached, markFile)).toBeUndefined();
      expect(fileOf(reached, dataFile)).toBe('17\n');
      expect(fileOf(reached, asideFile)).toBeUndefined();
      expect(serviceOf(reached)).toBe('active');
    });
  }
}

for (const [what, phase] of returnings) {
  test(`to cancel on a unit that ${what} and comes back touches nothing of the cluster's`, async () => {
    const given = await returned(phase);

    const { state: after, action: ended } = await run({
      charm: underTest,
      state: given,
      event: cancel,
    });

    expect(ended.results).toEqual({ status: 'restore cancelled' });
    expect(objectsOf(after)).toEqual(objectsOf(given));
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(fileOf(after, markFile)).toBeUndefined();
  });

  test(`whenever a unit that ${what} and comes back is killed meanwhile, its data are there`, async () => {
    const given = await returned(phase);
    const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
    for (const { state: killed } of interruptions) {
      const reached = await afterEvents(killed, updateStatus);

      expect(fileOf(reached, dataFile)).toBe('17\n');
      expect(fileOf(reached, markFile)).toBeUndefined();
      expect(annotationsOf(reached, configName)).toEqual(annotationsOf(given, configName));
    }

    expect(interruptions.length).toBeGreaterThan(3);
  });
}

test('a unit that begins once more, without its volume, goes back to what the first has found', async () => {
  const begun = withTraces(await afterEvents(await alone(), updateStatus));
  const anew = inContainer(inNewContainer(begun), ({ files }) => ({
    files: Object.fromEntries(
      Object.entries(files).filter(([path]) => !path.startsWith(`${root}/`)),
    ),
  }));

  const again = await afterEvents(anew, updateStatus);

  expect(fileOf(again, markFile)).toContain('"leader":"postgresql-k8s-0"');
  expectOldState(await afterEvents(failed(again), updateStatus));
});

const nobodyLeads = {
  level: 'waiting',
  message:
    'no primary has the restored data: repair postgresql-k8s/0, or go back with cancel-restore',
};

for (const leader of [true, false]) {
  scenario(
    `a unit that finds no restored data to copy says so, ${leader ? '' : 'not '}the leader`,
    {
      charm: underTest,
      given: async () => ({ ...(await orphaned('clone')), leader }),
      when: updateStatus,
      then: ({ state: after, disturbances }) => {
        expect(after.unitStatus).toEqual(nobodyLeads);
        expect(fileOf(after, dataFile)).toBe('17\n');
        expect(disturbances).toEqual([]);
      },
    },
  );
}

scenario('a restore whose primary is lost is cancelled by the leader', {
  charm: underTest,
  given: async () => await orphaned('clone'),
  when: cancel,
  then: ({ state: after, action: { results } }) => {
    expect(results).toEqual({ status: 'restore cancelled' });
    expectOldState(after);
    expect(phaseOf(after)).toBe('keep');
    expect(fileOf(after, dataFile)).toBe('17\n');
  },
  loosen: {
    secondRun: 'there is nothing to cancel any more',
    killOutcome: {
      because: 'the next hook starts this unit again',
      check: (reached) => {
        expectOldState(reached);
        // That, or the request is gone already.
        expect(phaseOf(reached) ?? 'keep').toBe('keep');
        expect(appData(reached)['restores-abandoned']).toBe('r1');
      },
    },
  },
});

/** Patroni's lock, as the restored primary has written it. */
function locked(given: PostgresqlState, renewTime: string): PostgresqlState {
  const annotations = { leader: 'postgresql-k8s-0', renewTime, ttl: '20' };
  const metadata = { name: 'patroni-postgresql-k8s', resourceVersion: '41', annotations };
  return withObjects(given, { ...objectsOf(given), [lockName]: { metadata } });
}

const recent = '2026-01-31T10:00:00.123456+00:00';
const longAgo = '2026-01-31T09:59:30.123456+00:00';
const startMs = Date.UTC(2026, 0, 31, 10, 0, 10);

test('a restore is not cancelled while a primary that does not answer renews the lock', async () => {
  const given = locked(await orphaned('clone'), recent);

  const { state: after, action: ended } = await run({
    charm: underTest,
    state: given,
    event: cancel,
    startMs,
  });

  expect(ended.failed).toBe('The restored data are in force: postgresql-k8s/0 leads');
  expect(objectsOf(after)).toEqual(objectsOf(given));
  expect(after.unitStatus).not.toEqual(nobodyLeads);
});

test('a lock that is renewed while a restore is cancelled is left alone', async () => {
  const given = locked(await orphaned('clone'), longAgo);
  const cancelled = await run({ charm: underTest, state: given, event: cancel, startMs });
  const conflict = inWorld(given, { kube: { faults: { 'patch endpoints': 'conflict' } } });
  const late = await run({ charm: underTest, state: conflict, event: cancel, startMs });

  expect(cancelled.action.results).toEqual({ status: 'restore cancelled' });
  const patches = cancelled.calls.filter(({ method }) => method === 'patch');
  expect(patches.map(({ summary }) => summary)[0]).toContain('"resourceVersion":"41"');
  expect(late.action.failed).toBe('The restored data are in force: a unit has just taken the lock');
  expect(phaseOf(late.state)).toBe('clone');
});

const refusals: readonly (readonly [string, () => Promise<PostgresqlState>, string])[] = [
  [
    'by another unit than the leader',
    async () => ({ ...(await orphaned('clone')), leader: false }),
    'Run it on the leader',
  ],
  [
    'while a unit works with the restored data',
    async () =>
      inWorld(othersStarted(await orphaned('clone')), { patroni: { members: [replica(2)] } }),
    'The restored data are in force: postgresql-k8s/2 may be promoted, or removed',
  ],
  [
    'while the unit that restores is being removed',
    async () => leaving(await orphaned()),
    'It ends by itself when postgresql-k8s/0 is gone',
  ],
];

for (const [when, given, message] of refusals) {
  scenario(`a restore is not cancelled ${when}`, {
    charm: underTest,
    given,
    when: cancel,
    then: ({ state: after, action: { failed: refusal }, disturbances }) => {
      expect(refusal).toBe(message);
      expect(disturbances).toEqual([]);
      expect(phaseOf(after)).not.toBe('keep');
    },
  });
}

/** A unit has begun to copy, and has nothing. */
const beginning = async () =>
  inWorld(withBags(await orphaned('clone'), { others: { data: 'none', 'restore-stopped': '' } }), {
    patroni: { members: [replica(2, 'creating replica')] },
  });

test('who has nothing yet does not keep anybody from cancelling', async () => {
  const { state: after, action: ended } = await run({
    charm: underTest,
    state: await beginning(),
    event: cancel,
  });

  expect(ended.results).toEqual({ status: 'restore cancelled' });
  expectOldState(after);
});

test('unless Patroni would forget the cluster meanwhile', async () => {
  const given = await beginning();
  const { [keptOn]: _, ...objects } = objectsOf(given);

  const { state: after, action: ended } = await run({
    charm: underTest,
    state: withObjects(given, objects),
    event: cancel,
  });

  expect(ended.failed).toBe('Nothing is known of the cluster of before');
  expect(phaseOf(after)).toBe('clone');
});

test('a restore is not cancelled when nobody has the data of before any more', async () => {
  const bags = withBags(othersStarted(await orphaned('clone')), { own: { 'restore-stopped': '' } });
  const given = inWorld(bags, { patroni: { members: [] } });

  const { state: after, action: ended } = await run({
    charm: underTest,
    state: given,
    event: cancel,
  });

  expect(ended.failed).toBe('No unit has the data of before any more');
  expect(phaseOf(after)).toBe('clone');
});

scenario('when the restored data are gone before anybody copied them, all start with theirs', {
  charm: underTest,
  given: async () => gone(await orphaned('clone')),
  when: updateStatus,
  then: ({ state: after }) => {
    expectOldState(after);
    expect(phaseOf(after)).toBe('keep');
    expect(appData(after)['restore-failure']).toMatch(/postgresql-k8s\/0 is gone$/);
  },
  loosen: { secondRun: 'the next hook starts this unit again' },
});

test('as long as anybody is at work, all others stay where they are', async () => {
  const given = inWorld(gone(await orphaned('clone')), {
    patroni: { members: [replica(1, 'stopped'), replica(2, 'stopped'), replica(3)] },
  });

  const after = await afterEvents(given, updateStatus);

  expect(phaseOf(after)).toBe('clone');
  expect(fileOf(after, stoppedFile)).toBe('r1\n');
});

test('when one has begun to copy them, nobody goes back without being told to', async () => {
  const given = gone(await orphaned('clone'));

  const after = await afterEvents(othersStarted(given), updateStatus);

  expect(phaseOf(after)).toBe('clone');
  expect(after.unitStatus).toEqual(nobodyLeads);
  expect(fileOf(after, stoppedFile)).toBe('r1\n');
  expect(fileOf(after, dataFile)).toBe(String(version.content));
});

/** The data that a unit has come back with are those that the others have gone on without. */
const abandoned: Readonly<Record<string, () => Promise<PostgresqlState>>> = {
  'has restored': async () => {
    const begun = await afterEvents(await alone(), updateStatus);
    const mark = fileOf(begun, markFile)?.replace('"phase":"started"', '"phase":"restored"') ?? '';
    return withFiles(begun, { [markFile]: mark });
  },
  'has copied': async () =>
    withFiles(await afterEvents(await told('clone'), updateStatus), {
      [`${root}/restore-copied`]: 'r1\n',
    }),
};

for (const [what, make] of Object.entries(abandoned)) {
  const back = async () =>
    remembering(
      withBags(withFiles(await make(), { [dataFile]: 'restored\n' }), {
        app: { 'restore-request': '', 'restoring-backup': '', 'restores-abandoned': 'r0 r1' },
        own: { 'restore-stopped': '' },
        others: { 'restore-stopped': '' },
      }),
    );
  const leader = (given: PostgresqlState) =>
    inWorld(given, {
      patroni: { members: given.unit.endsWith('/0') ? [primary(1), replica(2)] : [primary(0)] },
    });

  for (const [how, event] of [
    ['a new container', ready],
    ['update-status', updateStatus],
  ] as const satisfies readonly (readonly [string, Trigger])[]) {
    test(`what a unit ${what} that was given up does not run, with ${how}`, async () => {
      const given = inWorld(await back(), { patroni: { members: [] } });

      const after = await afterEvents(event === ready ? inNewContainer(given) : given, event);

      expect(serviceOf(after)).not.toBe('active');
      expect(fileOf(after, dataFile)).toBe('restored\n');
      expect(after.unitStatus).toEqual(abandonedData);
    });

    test(`what a unit ${what} that was given up goes, with ${how}, when another leads`, async () => {
      const given = leader(event === ready ? inNewContainer(await back()) : await back());
      const { state: after, interruptions } = await run({
        charm: underTest,
        state: given,
        event,
      });
      const reached = [after];
      for (const { state: killed } of interruptions) {
        reached.push(await afterEvents(killed, event, updateStatus));
      }

      for (const one of reached) {
        expect(fileOf(one, dataFile)).toBeUndefined();
        expect(fileOf(one, markFile)).toBeUndefined();
        expect(serviceOf(one)).toBe('active');
      }
    });
  }
}

test('a mark of restored data that are gone keeps nobody down', async () => {
  const bags = withBags(await afterEvents(await told('clone'), updateStatus), {
    app: { 'restore-request': '', 'restores-abandoned': 'r1' },
  });
  const given = inWorld(withFiles(bags, { [`${root}/restore-copied`]: 'r1\n' }), {
    patroni: { members: [] },
  });

  const after = await afterEvents(given, updateStatus);

  expect(fileOf(given, dataFile)).toBeUndefined();
  expect(fileOf(after, `${root}/restore-copied`)).toBeUndefined();
  expect(fileOf(after, dataFile)).toBeUndefined();
});

test('a unit whose data are gone already is not started without a look at what there is', async () => {
  const given = without(without(await told('keep'), dataFile), `${root}/pgdata/global/pg_control`);
  const { 'endpoints/patroni-postgresql-k8s-config': _, ...objects } = objectsOf(given);
  const forgotten = inWorld(given, { kube: { objects }, patroni: { members: [] } });

  expect(serviceOf(await afterEvents(forgotten, updateStatus))).toBe('inactive');
});

test('those that copy restored data note whose they are before their own go', async () => {
  const given = await told('clone');
  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  const emptied = interruptions
    .map(({ state }) => state)
    .filter((one) => fileOf(one, dataFile) === undefined);

  expect(emptied.length).toBeGreaterThan(1);
  for (const one of emptied) expect(fileOf(one, `${root}/restore-copied`)).toBe('r1\n');
});

test('what the cluster goes on without is remembered', async () => {
  const given = withBags(gone(await orphaned()), { app: { 'restores-abandoned': 'r0' } });

  expect(appData(await afterEvents(given, updateStatus))['restores-abandoned']).toBe('r0 r1');
});
