// The kit catches what it is there to catch: handlers that change more each time, that cannot be
// killed, or that call what no fake answers; and it lets those pass that keep the laws.

import { expect, test } from '@jest/globals';

import { Secret } from '../../../lib/base/secret.ts';
import type { Handler } from '../../../lib/juju/hook.ts';
import { action, configChanged, type Trigger } from '../../support/scenario/events.ts';
import { run } from '../../support/scenario/run.ts';
import type { State } from '../../support/scenario/state.ts';
import { type Loosening, verifyLaws } from '../../support/scenario/verify.ts';
import { type CounterWorld, sample, sampleState, type TestPorts } from './test-charm.ts';

type Handlers = Readonly<Record<string, Handler<TestPorts>>>;

interface Verified {
  readonly handlers: Handlers;
  readonly event?: Trigger;
  readonly state?: State<CounterWorld>;
  readonly loosen?: Loosening<CounterWorld>;
}

async function verify({
  handlers,
  event = configChanged,
  state,
  loosen = {},
}: Verified): Promise<void> {
  const request = { charm: sample(handlers), state: state ?? sampleState({ leader: true }), event };
  await verifyLaws({ ...request, result: await run(request), loosen });
}

const countUp: Handler<TestPorts> = async ({ ports }) => {
  await ports.outside.setCount((await ports.outside.count()) + 1);
};

/** Notes in Juju that the step outside is done, and relies on that note alone. */
const relyOnNote: Handler<TestPorts> = async ({ juju, ports }) => {
  if ((await juju.state('counted')) !== undefined) return;
  await ports.outside.setCount((await ports.outside.count()) + 1);
  juju.setState({ counted: 'yes' });
};

/** The password outside is that of a run which Juju has forgotten. */
const forgetPassword: Handler<TestPorts> = async ({ juju, ports }) => {
  if ((await juju.secretByLabel('admin')) !== undefined) return;
  const password = ports.password();
  const known = await ports.outside.count();
  if (known === 0) await ports.outside.setPassword(password);
  await ports.outside.setCount(1);
  const content = { password: new Secret(password) };
  await juju.setSecret({ label: 'admin', owner: 'application', content });
};

/** The same in an order that holds: outside is made to agree with what Juju has, every time. */
const agreeOnPassword: Handler<TestPorts> = async ({ juju, ports }) => {
  const stored = (await juju.secretByLabel('admin'))?.['password'];
  const password = stored ?? new Secret(ports.password());
  if (stored === undefined) {
    await juju.setSecret({ label: 'admin', owner: 'application', content: { password } });
  }
  await ports.outside.setPassword(password.reveal());
};

const restartEachTime: Handler<TestPorts> = async ({ ports }) => {
  const layer = { services: { web: { override: 'replace', command: 'serve' } } } as const;
  await ports.pebble.addLayer('web', layer);
  await ports.pebble.restart('web');
};

test('a handler that changes more each time is not idempotent', async () => {
  await expect(verify({ handlers: { 'config-changed': countUp } })).rejects.toThrow(
    /not idempotent: .*\n {2}world.count: 1 → 2/,
  );
});

test('a handler that restarts a service each time is not idempotent', async () => {
  await expect(verify({ handlers: { 'config-changed': restartEachTime } })).rejects.toThrow(
    'disturbed: web: restart web',
  );
});

test('a handler that relies on what Juju has not committed yet is not safe to kill', async () => {
  await expect(verify({ handlers: { 'config-changed': relyOnNote } })).rejects.toThrow(
    /not safe to kill: killed after outside setCount 1\n.*\n {2}world.count: 1 → 2/,
  );
});

test('a password that is outside already but lost in Juju is found', async () => {
  await expect(verify({ handlers: { 'config-changed': forgetPassword } })).rejects.toThrow(
    /not safe to kill: killed after outside setCount 1\n/,
  );
});

test('made passwords and secret ids may differ as long as they agree', async () => {
  await verify({ handlers: { 'config-changed': agreeOnPassword } });
});

test('a call that no fake expects fails the run even when the charm catches it', async () => {
  const swallow: Handler<TestPorts> = async ({ ports }) => {
    await ports.outside.explode().catch(() => undefined);
  };

  await expect(verify({ handlers: { 'config-changed': swallow } })).rejects.toThrow(
    'calls that no fake expected:\n  outside explode',
  );
});

test('a command that no responder knows fails the run', async () => {
  const runProgram: Handler<TestPorts> = async ({ ports }) => {
    await ports.pebble.exec(['unheard-of'], { timeoutMs: 1_000 });
  };

  await expect(verify({ handlers: { 'config-changed': runProgram } })).rejects.toThrow(
    'unheard-of',
  );
});

test('an action that was killed is called again by the operator and ends the same', async () => {
  const handlers = { 'action:list': agreeOnPassword };

  await verify({ handlers, event: action('list') });
});

test('an action that was killed and cannot be called again is found', async () => {
  const handlers = { 'action:list': relyOnNote };

  await expect(verify({ handlers, event: action('list') })).rejects.toThrow(
    /killed after outside setCount 1\n/,
  );
});

test('a law can be loosened with a reason', async () => {
  const loosen = {
    secondRun: 'every call counts, that is its purpose',
    killChecks: 'every call counts, that is its purpose',
  };

  await verify({ handlers: { 'config-changed': countUp }, loosen });
});

test('part of the state can be left out with a reason', async () => {
  const loosen = { differences: [{ path: 'world.count', because: 'every call counts' }] };

  await verify({ handlers: { 'config-changed': countUp }, loosen });
});

test('a killed run may be held to an outcome of its own', async () => {
  const outcome = (wanted: number) => ({
    secondRun: 'every call counts, that is its purpose',
    killOutcome: {
      because: 'the call that was killed counts too',
      check: ({ world }: State<CounterWorld>) => {
        expect(world.count).toBe(wanted);
      },
    },
  });

  await verify({ handlers: { 'config-changed': countUp }, loosen: outcome(2) });
  await expect(
    verify({ handlers: { 'config-changed': countUp }, loosen: outcome(3) }),
  ).rejects.toThrow('not safe to kill');
});

test('no law is loosened without a reason', async () => {
  const loosen = { secondRun: 'flaky' };

  await expect(verify({ handlers: {}, loosen })).rejects.toThrow('needs a reason');
});
