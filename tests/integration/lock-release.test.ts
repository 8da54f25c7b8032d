// The leader lock of a primary whose container has died: when a synchronous replica gives it back, and
// above all when it does not.

import { expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { type Answers, onStage, type Stage, ttlS, until } from '../support/watcher/stage.ts';

const receiver = 'postgres: app: walreceiver streaming 0/3000148';
const listPath = '/api/v1/namespaces/model/endpoints?labelSelector=cluster-name%3Dpatroni-app';
const podPath = '/api/v1/namespaces/model/pods/app-1';
const lockPath = '/api/v1/namespaces/model/endpoints/patroni-app';
const release = `PATCH ${lockPath} {"metadata": {"resourceVersion": "41", "annotations": {"leader": null}}, "subsets": []}`;
const wake = 'PATCH /config {"charm_wake": null}';

interface Facts {
  readonly leader?: string | null;
  readonly renewTime?: string;
  readonly address?: object;
  readonly sync?: object;
  readonly config?: object;
  readonly status?: object;
  readonly uid?: string;
}

/** Of the leader's pod: nobody listens there unless a test says so. */
const leaderIp = '127.0.0.2';
const address = { ip: leaderIp, targetRef: { kind: 'Pod', uid: 'one' } };
/** Ended in a second that is later than the lock, and not started again. */
const dead = { state: { terminated: { finishedAt: '2026-01-02T03:04:06Z' } } };

/** What Kubernetes answers, by default of a primary whose container has died. */
function kubernetes(facts: Facts = {}): Answers {
  const { leader = 'app-1', renewTime = '2026-01-02T03:04:05.999999+00:00', config = {} } = facts;
  const { sync = { leader: 'app-1', sync_standby: 'app-2,app-0' } } = facts;
  const lock = { ...(leader === null ? {} : { leader }), renewTime, ttl: '20' };
  const status = { name: 'postgresql', ...(facts.status ?? dead) };
  const charm = { name: 'charm', ...dead };
  const items = [
    {
      metadata: { name: 'patroni-app', resourceVersion: '41', annotations: lock },
      subsets: [{ addresses: [facts.address ?? address] }],
    },
    { metadata: { name: 'patroni-app-sync', annotations: sync } },
    {
      metadata: { name: 'patroni-app-config', annotations: { config: JSON.stringify(config) } },
    },
  ];
  const pod = {
    metadata: { uid: facts.uid ?? 'one' },
    status: { podIP: leaderIp, containerStatuses: [charm, status] },
  };
  return {
    [listPath]: [200, { items }],
    [podPath]: [200, pod],
    [`PATCH ${lockPath}`]: [200, {}],
  };
}

/** A replica that streams and then loses its stream, with these answers of Kubernetes. */
async function onLoss(answers: Answers, play: (stage: Stage) => Promise<void>): Promise<void> {
  await onStage({ standby: true }, async (stage) => {
    await onLossOf(stage, answers);
    await play(stage);
  });
}

async function onLossOf(stage: Stage, answers: Answers): Promise<void> {
  stage.child('+', receiver);
  await streams(stage, ['walreceiver']);
  await stage.answerOfKubernetes(answers);
  stage.child('-', receiver);
  await streams(stage, []);
}

async function streams(stage: Stage, expected: readonly string[]): Promise<void> {
  await until(async () => {
    const { replication } = await stage.seen();
    return JSON.stringify(replication).includes(JSON.stringify(expected)) ? true : undefined;
  });
}

const looks = async (stage: Stage, path: string) =>
  (await stage.requestsToKubernetes()).filter((line) => line.startsWith(`GET ${path}`)).length;

const releases = async (stage: Stage) =>
  (await stage.requestsToKubernetes()).filter((line) => line.startsWith('PATCH'));

/** Waits until it has looked some times more. */
async function looked(stage: Stage, path = listPath, times = 3): Promise<void> {
  const before = await looks(stage, path);
  await until(async () => ((await looks(stage, path)) >= before + times ? true : undefined));
}

const wakes = async (stage: Stage) => (await stage.requests()).includes(wake) || undefined;

test.concurrent.each<[string, Facts]>([
  ['has ended', {}],
  [
    'has ended and waits for its next start',
    { status: { state: { waiting: {} }, lastState: dead.state } },
  ],
  [
    'was started anew since',
    {
      status: { state: { running: { startedAt: '2026-01-02T03:04:06Z' } }, lastState: dead.state },
    },
  ],
])('the lock of a container that %s is given back', async (_, facts) => {
  await onLoss(kubernetes(facts), async (stage) => {
    await until(async () => (await releases(stage)).length > 0 || undefined);
    await until(async () => await wakes(stage));
    await systemClock.sleep(1500);

    expect(await releases(stage)).toEqual([release]);
    expect(stage.said()).toContain(
      'gave back the leader lock of app-1, whose container has died\n',
    );
  });
});

/** By a clock that was set back, the container was started after what it writes itself. */
const startedLater = { status: { state: { running: { startedAt: '2026-01-02T03:04:30Z' } } } };
const ofLeader = (role: string, state: string): Answers => ({
  '/patroni': [200, { role, state }],
});

test.concurrent.each<[string, Answers]>([
  ['leads', ofLeader('primary', 'running')],
  ['leads, with a PostgreSQL that has crashed', ofLeader('primary', 'crashed')],
  ['leads, as an earlier Patroni says', ofLeader('master', 'running')],
  ['does not answer', { '/patroni': null }],
  ['answers nothing that makes sense', { '/patroni': [200, 'what?'] }],
])('the lock stays while a Patroni that %s runs where it was renewed', async (_, answers) => {
  await onStage({ standby: true }, async (stage) => {
    await stage.startPatroniAt(leaderIp, answers);
    await onLossOf(stage, kubernetes(startedLater));
    await looked(stage, podPath);

    expect(await releases(stage)).toEqual([]);
  });
});

test.concurrent('a Patroni that was started anew and does not lead is no reason to wait', async () => {
  await onStage({ standby: true }, async (stage) => {
    await stage.startPatroniAt(leaderIp, ofLeader('demoted', 'starting'));
    await onLossOf(stage, kubernetes(startedLater));
    await until(async () => (await releases(stage)).length > 0 || undefined);
  });
});

test.concurrent('whoever has ended is not asked', async () => {
  await onStage({ standby: true }, async (stage) => {
    await stage.startPatroniAt(leaderIp, { '/patroni': null });
    await onLossOf(stage, kubernetes());
    await until(async () => (await releases(stage)).length > 0 || undefined);
  });
});

const running = (startedAt: string) => ({ status: { state: { running: { startedAt } } } });
const ended = (finishedAt: string | null) => ({
  status: { state: { terminated: { finishedAt } } },
});

test.concurrent.each<[string, Facts]>([
  ['runs as it did', running('2026-01-02T03:00:00Z')],
  ['started in the second of the renewal', running('2026-01-02T03:04:05Z')],
  ['ended in the second of the renewal', ended('2026-01-02T03:04:05Z')],
  ['ended when nobody knows', ended(null)],
  [
    // After a step of the clock, the end of the one before may come after what this one has written.
    'runs, though the one before ended later',
    {
      status: {
        state: { running: { startedAt: '2026-01-02T03:04:04Z' } },
        lastState: { terminated: { finishedAt: '2026-01-02T03:04:30Z' } },
      },
    },
  ],
  ['is not told of', { status: { name: 'other' } }],
  ['is in a pod of another address', { address: { ...address, ip: '10.1.2.4' } }],
  ['holds a lock that names no pod', { address: { ip: '10.1.2.3' } }],
  ['holds a lock of no known time', { renewTime: 'now' }],
])('the lock of a container that %s stays', async (_, facts) => {
  await onLoss(kubernetes(facts), async (stage) => {
    await looked(stage, podPath);

    expect(await releases(stage)).toEqual([]);
  });
});

const missing: Answers = { ...kubernetes(), [podPath]: [404, ''] };

test.concurrent.each<[string, Answers]>([
  ['is not there', missing],
  ['has a successor of its name', kubernetes({ uid: 'two', address })],
  [
    'has a running successor of its name',
    kubernetes({ ...running('2026-01-02T03:04:30Z'), uid: 'two' }),
  ],
])(
  'the lock of a pod that %s is given back when nobody listens at its address',
  async (_, answers) => {
    await onLoss(answers, async (stage) => {
      await until(async () => (await releases(stage)).length > 0 || undefined);
      await until(async () => await wakes(stage));

      expect(await releases(stage)).toEqual([release]);
      expect(stage.said()).toContain('gave back the leader lock of app-1, whose pod is gone\n');
    });
  },
);

test.concurrent.each<[string, Answers]>([
  ['leads', ofLeader('primary', 'running')],
  ['stops', ofLeader('demoted', 'stopping')],
])('a pod that was deleted by force may still run: its Patroni %s', async (_, answers) => {
  await onStage({ standby: true }, async (stage) => {
    await stage.startPatroniAt(leaderIp, answers);
    await onLossOf(stage, missing);
    await looked(stage, podPath);

    expect(await releases(stage)).toEqual([]);
  });
});

test.concurrent('nor does silence prove that it is no more', async () => {
  await onStage({ standby: true }, async (stage) => {
    await stage.startPatroniAt(leaderIp, { '/patroni': null });
    await onLossOf(stage, missing);
    // Each look waits for an answer.
    await looked(stage, podPath, 1);

    expect(await releases(stage)).toEqual([]);
  });
});

test.concurrent.each<[string, Facts]>([
  ['failover is paused', { config: { pause: true } }],
  ['the member is not synchronous', { sync: { leader: 'app-1', sync_standby: 'app-2,app-01' } }],
  ['nobody is synchronous', { sync: { leader: 'app-1' } }],
  [
    'the member is synchronous to another leader',
    { sync: { leader: 'app-2', sync_standby: 'app-0' } },
  ],
])('nothing is done while %s', async (_, facts) => {
  await onLoss(kubernetes(facts), async (stage) => {
    await looked(stage);

    expect(await releases(stage)).toEqual([]);
    expect(await looks(stage, podPath)).toBe(0);
  });
});

test.concurrent.each([
  ['nobody has', null],
  ['this member has', 'app-0'],
])('a lock that %s is looked at once', async (_, leader) => {
  await onLoss(kubernetes({ leader }), async (stage) => {
    await until(async () => (await looks(stage, listPath)) > 0 || undefined);
    const first = await looks(stage, listPath);
    await systemClock.sleep(2000);

    expect(await looks(stage, listPath)).toBe(first);
    expect(await releases(stage)).toEqual([]);
  });
});

test.concurrent('when somebody else leads it is over', async () => {
  const facts = running('2026-01-02T03:00:00Z');
  await onLoss(kubernetes(facts), async (stage) => {
    await looked(stage);
    const sync = { leader: 'app-2', sync_standby: 'app-0' };
    const { [listPath]: next = null } = kubernetes({ leader: 'app-2', sync });
    await stage.answerOfKubernetes({ [listPath]: next });
    await systemClock.sleep(1000);
    const last = await looks(stage, listPath);
    await systemClock.sleep(1500);

    expect(await looks(stage, listPath)).toBe(last);
    expect(await releases(stage)).toEqual([]);
  });
});

test.concurrent('whoever finds the lock touched meanwhile looks again', async () => {
  const answers = { ...kubernetes(), [`PATCH ${lockPath}`]: [409, ''] } as const;
  await onLoss(answers, async (stage) => {
    await until(async () => (await releases(stage)).length > 1 || undefined);

    expect(await looks(stage, listPath)).toBeGreaterThan(1);
    expect(stage.said()).not.toContain('leader lock');
  });
});

test.concurrent('a refusal is said once and changes nothing', async () => {
  await onLoss({ ...kubernetes(), [listPath]: [403, ''] }, async (stage) => {
    await looked(stage);

    expect(stage.said().match(/cannot look after the leader lock: .*GET 403/g)).toHaveLength(1);
    expect(await releases(stage)).toEqual([]);
    // It goes on as soon as it may.
    await stage.answerOfKubernetes(kubernetes());
    await until(async () => (await releases(stage)).length > 0 || undefined);
  });
});

test.concurrent('it looks while the stream is lost, and not for ever', async () => {
  await onLoss(kubernetes(running('2026-01-02T03:00:00Z')), async (stage) => {
    await looked(stage);
    stage.child('+', receiver);
    await streams(stage, ['walreceiver']);
    await systemClock.sleep(1000);
    const first = await looks(stage, listPath);
    await systemClock.sleep(1500);
    expect(await looks(stage, listPath)).toBe(first);

    stage.child('-', receiver);
    await streams(stage, []);
    await looked(stage);
    await systemClock.sleep((ttlS + 6) * 1000);
    const last = await looks(stage, listPath);
    await systemClock.sleep(1500);
    expect(await looks(stage, listPath)).toBe(last);
  });
});

test.concurrent('a primary asks nothing', async () => {
  await onStage({}, async (stage) => {
    await stage.answerOfKubernetes(kubernetes());
    stage.child('+', 'postgres: app: walsender replication 10.1.2.3(40000) streaming 0/3000148');
    await streams(stage, ['walsender 10.1.2.3']);
    stage.child('-', 'postgres: app: walsender replication 10.1.2.3(40000) streaming 0/3000148');
    await streams(stage, []);
    await systemClock.sleep(1500);

    expect(await stage.requestsToKubernetes()).toEqual([]);
  });
});
