// What our code may expect of Pebble, tested on the client with a real daemon and on the Pebble in
// memory that the scenarios use: so that the scenarios' Pebble tells the truth.

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { poll } from '../../lib/base/retry.ts';
import type { Layer, LayerService } from '../../lib/pebble/pebble.ts';
import type { PebbleState } from '../support/pebble-state.ts';
import { kinds, outcomeOf, type Subject, scripts } from './pebble-subjects.ts';

const sleeper: LayerService = { override: 'replace', command: 'sleep 1000' };
const failing: LayerService = {
  override: 'replace',
  command: 'sh -c "echo broken; sleep 0.2; exit 1"',
  'on-failure': 'ignore',
};
const failingTold: Partial<PebbleState> = {
  services: { bad: { current: 'inactive', startFailure: 'broken' } },
  logs: { bad: ['broken'] },
};

describe.each(kinds)('Pebble $name', (kind) => {
  let subject: Subject;
  beforeEach(async () => {
    subject = await kind.open();
  });
  afterEach(async () => {
    await subject.close();
  });

  const reopen = async (told: Partial<PebbleState>) => {
    await subject.close();
    subject = await kind.open(told);
  };
  const addServices = async (services: Layer['services'] = {}) => {
    await subject.pebble.addLayer('test', { services });
  };
  const currents = async () => {
    const services = await subject.pebble.services();
    return Object.fromEntries(services.map(({ name, current }) => [name, current]));
  };

  test('answers until it is gone, and then says so without failing', async () => {
    const before = await subject.pebble.canConnect();
    await subject.cut();

    expect(before).toBe(true);
    expect(await subject.pebble.canConnect()).toBe(false);
  });

  test('rejects every call as unreachable when it is gone', async () => {
    const { pebble } = subject;
    await subject.cut();

    const outcomes = await Promise.all(
      [
        pebble.plan(),
        pebble.services(),
        pebble.addLayer('test', {}),
        pebble.replan(),
        pebble.start('some'),
        pebble.pull('/etc/hostname'),
        pebble.push('/tmp/file', ''),
        pebble.list('/'),
        pebble.stat('/'),
        pebble.exec(['true'], { timeoutMs: 1000 }),
        pebble.notices(),
        pebble.notify('example.com/gone'),
        pebble.checks(),
        pebble.health('alive'),
        pebble.logs('some', 5),
      ].map(async (call) => await outcomeOf<unknown>(call)),
    );

    expect(new Set(outcomes)).toEqual(new Set(['unreachable']));
  });

  describe('plan', () => {
    test('is empty at first', async () => {
      expect(await subject.pebble.plan()).toEqual({ services: {}, checks: {}, 'log-targets': {} });
    });

    test('has what a layer brings', async () => {
      const layer: Layer = {
        services: {
          one: {
            ...sleeper,
            summary: 'First: "quoted", with ünïcödé \u007f',
            startup: 'enabled',
            environment: { EMPTY: '', YES: 'yes', NUMBER: '1e3', LINES: 'a\n b\n', TAB: '\t' },
            after: ['two'],
            'kill-delay': '1m30s',
            'on-check-failure': { up: 'restart' },
          },
          two: { ...sleeper, user: 'daemon', 'backoff-factor': 1.5 },
        },
        checks: { up: { override: 'replace', tcp: { port: 1 }, period: '1h0m0s', threshold: 7 } },
        'log-targets': {
          loki: {
            override: 'replace',
            type: 'loki',
            location: 'http://loki.example:3100/loki/api/v1/push',
            services: ['all', '-two'],
            labels: { product: 'test' },
          },
        },
      };

      await subject.pebble.addLayer('test', layer);

      expect(await subject.pebble.plan()).toEqual(layer);
    });

    test.each([
      { summary: 'an empty label', label: '', layer: {} },
      { summary: 'a reserved label', label: 'pebble-x', layer: {} },
      {
        summary: 'a service without a command',
        layer: { services: { a: { override: 'replace' } } },
      },
      { summary: 'a reserved service name', layer: { services: { pebble: sleeper } } },
      { summary: 'a name like an option', layer: { services: { '-a': sleeper } } },
      { summary: 'a bad duration', layer: { services: { a: { ...sleeper, 'kill-delay': '5' } } } },
      {
        summary: 'a low factor',
        layer: { services: { a: { ...sleeper, 'backoff-factor': 0.5 } } },
      },
      { summary: 'a check of no kind', layer: { checks: { c: { override: 'replace' } } } },
      {
        summary: 'a check of two kinds',
        layer: {
          checks: { c: { override: 'replace', tcp: { port: 1 }, http: { url: 'http://x/' } } },
        },
      },
      {
        summary: 'logs of an unknown service',
        layer: {
          'log-targets': {
            l: { override: 'replace', type: 'loki', location: 'http://x', services: ['nobody'] },
          },
        },
      },
      {
        summary: 'a loop in the order',
        layer: {
          services: {
            a: { ...sleeper, after: ['b'] },
            b: { ...sleeper, before: ['c'] },
            c: { ...sleeper, before: ['a', 'b'] },
          },
        },
      },
      {
        summary: 'a requirement that does not exist',
        layer: { services: { a: { ...sleeper, requires: ['none'] } } },
        code: 'not-found',
      },
    ] satisfies { summary: string; label?: string; layer: Layer; code?: string }[])(
      'refuses $summary and stays as it was',
      async ({ label = 'test', layer, code = 'api' }) => {
        const outcome = await outcomeOf(subject.pebble.addLayer(label, layer));

        expect(outcome).toBe(code);
        expect((await subject.pebble.plan()).services).toEqual({});
      },
    );
  });

  describe('services', () => {
    test('are listed by name, disabled and inactive unless told otherwise', async () => {
      await addServices({ two: sleeper, one: { ...sleeper, startup: 'enabled' } });

      expect(await subject.pebble.services()).toEqual([
        { name: 'one', startup: 'enabled', current: 'inactive' },
        { name: 'two', startup: 'disabled', current: 'inactive' },
      ]);
      expect(await subject.pebble.services(['two', 'unknown'])).toEqual([
        { name: 'two', startup: 'disabled', current: 'inactive' },
      ]);
      expect(await subject.pebble.services([])).toEqual([]);
    });

    test('start with what they require, and stop with what requires them', async () => {
      await addServices({
        lower: sleeper,
        upper: { ...sleeper, requires: ['lower'], after: ['lower'] },
      });

      await subject.pebble.start('upper');
      const started = await currents();
      await subject.pebble.stop('lower');

      expect(started).toEqual({ lower: 'active', upper: 'active' });
      expect(await currents()).toEqual({ lower: 'inactive', upper: 'inactive' });
    });

    test('may be started twice, and stopped without having been started', async () => {
      await addServices({ one: sleeper, two: sleeper });

      await subject.pebble.start('one');
      await subject.pebble.start('one');
      await subject.pebble.stop('two');

      expect(await currents()).toEqual({ one: 'active', two: 'inactive' });
    });

    test('restart whether they run or not', async () => {
      await addServices({ one: sleeper, two: sleeper });
      await subject.pebble.start('one');

      await subject.pebble.restart('one', 'two');

      expect(await currents()).toEqual({ one: 'active', two: 'active' });
    });

    test('that do not exist cannot be changed', async () => {
      const { pebble } = subject;
      const calls = [pebble.start('none'), pebble.stop('none'), pebble.restart('none')];

      expect(await Promise.all(calls.map(async (call) => await outcomeOf(call)))).toEqual(
        Array(3).fill('not-found'),
      );
    });

    test('that fail to start fail the change, with their output', async () => {
      await reopen(failingTold);
      await addServices({ bad: failing, good: sleeper });

      await expect(subject.pebble.start('bad', 'good')).rejects.toMatchObject({
        code: 'change-failed',
        fields: { log: expect.stringContaining('broken') },
      });
      expect(await currents()).toEqual({ bad: 'error', good: 'active' });
      expect(await subject.pebble.logs('bad', 1)).toEqual(['broken']);
    });

    test('that fail to start are tried again by default', async () => {
      await reopen(failingTold);
      await addServices({ bad: { ...failing, 'on-failure': 'restart', 'backoff-delay': '1h' } });

      const outcome = await outcomeOf(subject.pebble.start('bad'));

      expect(outcome).toBe('change-failed');
      expect(await currents()).toEqual({ bad: 'backoff' });
    });

    test('take signals while they run', async () => {
      await addServices({ one: sleeper, two: sleeper });
      await subject.pebble.start('one');

      expect(await outcomeOf(subject.pebble.signal('SIGCONT', 'one'))).toBeUndefined();
      expect(await outcomeOf(subject.pebble.signal('SIGCONT', 'two'))).toBe('api');
    });

    test('without names are a change of nothing', async () => {
      await subject.pebble.start();
      await subject.pebble.stop();
      await subject.pebble.restart();
      await subject.pebble.signal('SIGHUP');

      expect(await currents()).toEqual({});
    });
  });

  describe('a replan', () => {
    test('of an empty plan does nothing', async () => {
      expect(await outcomeOf(subject.pebble.replan())).toBeUndefined();
    });

    test('starts what is enabled and leaves the rest', async () => {
      await addServices({ one: { ...sleeper, startup: 'enabled' }, two: sleeper });

      await subject.pebble.replan();

      expect(await currents()).toEqual({ one: 'active', two: 'inactive' });
    });

    test('starts what was stopped and has changed since, even when it is not enabled', async () => {
      await addServices({ changed: sleeper, same: sleeper });
      await subject.pebble.start('changed', 'same');
      await subject.pebble.stop('changed', 'same');
      await addServices({ changed: { ...sleeper, command: 'sleep 2000' } });

      await subject.pebble.replan();

      expect(await currents()).toEqual({ changed: 'active', same: 'inactive' });
    });

    test('does not restart what was told to start after it had changed', async () => {
      await addServices({ one: { ...sleeper, command: 'sh -c "echo first; sleep 1000"' } });
      await subject.pebble.start('one');
      await addServices({ one: { ...failing, startup: 'enabled' } });
      await subject.pebble.start('one');

      await subject.pebble.replan();

      expect(await currents()).toEqual({ one: 'active' });
    });
  });

  describe('an exec', () => {
    test('gives the exit code and both outputs', async () => {
      const pieces: string[] = [];

      const result = await subject.pebble.exec(['sh', '-c', scripts.outputs], {
        timeoutMs: 5000,
        onStdout: (text) => pieces.push(`out:${text}`),
        onStderr: (text) => pieces.push(`err:${text}`),
      });

      expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'error\n' });
      expect(pieces.toSorted()).toEqual(['err:error\n', 'out:out\n']);
    });

    test('gives input to the program, also much and in any script', async () => {
      const stdin = 'größer 漢字 🐘\n'.repeat(200_000);

      const { stdout } = await subject.pebble.exec(['cat'], { timeoutMs: 30_000, stdin });

      expect(stdout === stdin).toBe(true);
    });

    test('without input ends the input at once', async () => {
      const result = await subject.pebble.exec(['cat'], { timeoutMs: 5000 });

      expect(result).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    });

    test('runs as a user, in a directory, with variables', async () => {
      const options = { timeoutMs: 5000, user: 'nobody', workingDir: subject.folder };
      const environment = { GREETING: 'hello  world' };
      const exec = async (...command: string[]) =>
        (await subject.pebble.exec(command, { ...options, environment })).stdout;

      expect(await exec('id', '--user', '--name')).toBe('nobody\n');
      expect(await exec('pwd')).toBe(`${subject.folder}\n`);
      expect(await exec('printenv', 'GREETING')).toBe('hello  world\n');
    });

    test('gives 128 and the number of the signal that ended the program', async () => {
      const { exitCode } = await subject.pebble.exec(['sh', '-c', scripts.killed], {
        timeoutMs: 5000,
      });

      expect(exitCode).toBe(137);
    });

    test('rejects a program that runs for too long', async () => {
      const call = subject.pebble.exec(['sleep', '60'], { timeoutMs: 100 });

      expect(await outcomeOf(call)).toBe('timeout');
    });

    test.each([
      { summary: 'program', command: 'no-such-program', options: {}, code: 'not-found' },
      { summary: 'user', command: 'cat', options: { user: 'no-such-user' }, code: 'api' },
      { summary: 'directory', command: 'cat', options: { workingDir: '/no/such' }, code: 'api' },
    ])('rejects a $summary that does not exist', async ({ command, options, code }) => {
      const call = subject.pebble.exec([command], { timeoutMs: 5000, ...options });

      expect(await outcomeOf(call)).toBe(code);
    });
  });

  describe('notices', () => {
    test('count how often they came and keep the last data', async () => {
      await subject.pebble.notify('example.com/role', { role: 'replica' });
      await subject.pebble.notify('example.com/role', { role: 'primary' });
      await subject.pebble.notify('example.com/other');

      const notices = await subject.pebble.notices({ keys: ['example.com/role'] });
      const all = await subject.pebble.notices();

      expect(notices).toEqual([
        {
          id: expect.any(String),
          type: 'custom',
          key: 'example.com/role',
          lastData: { role: 'primary' },
          occurrences: 2,
        },
      ]);
      expect(all.map(({ key }) => key)).toEqual(['example.com/role', 'example.com/other']);
      expect(await subject.pebble.notices({ keys: [] })).toEqual([]);
    });

    test.each(['nodomain', 'example.com', 'example.com/UPPER', 'example.com/a_b'])(
      'are refused with the key %s',
      async (key) => {
        expect(await outcomeOf(subject.pebble.notify(key))).toBe('api');
      },
    );
  });

  describe('checks', () => {
    const failingCheck = {
      override: 'replace',
      tcp: { port: 1, host: '127.0.0.1' },
      period: '20ms',
      threshold: 1,
    } as const;

    test('are listed by name; those that are not started are inactive', async () => {
      const quiet = { ...failingCheck, period: '1h' } as const;
      await subject.pebble.addLayer('test', {
        checks: { b: quiet, a: { ...quiet, startup: 'disabled', threshold: 5 } },
      });

      expect(await subject.pebble.checks()).toEqual([
        { name: 'a', status: 'inactive', failures: 0, threshold: 5 },
        { name: 'b', status: 'up', failures: 0, threshold: 1 },
      ]);
    });

    test.each([
      { level: 'alive', alive: false, ready: false },
      { level: 'ready', alive: true, ready: false },
      { level: undefined, alive: true, ready: true },
    ] as const)('of level $level make it unhealthy when down', async ({ level, alive, ready }) => {
      await reopen({ checks: { c: { status: 'down', failures: 1 } } });
      const own = level === undefined ? {} : { level };
      await subject.pebble.addLayer('test', { checks: { c: { ...failingCheck, ...own } } });

      await poll({ clock: systemClock, intervalMs: 20, timeoutMs: 5000 }, async () => {
        const [check] = await subject.pebble.checks();
        return check?.status === 'down' ? true : undefined;
      });

      expect(await subject.pebble.health('alive')).toBe(alive);
      expect(await subject.pebble.health('ready')).toBe(ready);
    });
  });

  describe('logs', () => {
    test('are the last lines, newest last', async () => {
      await reopen({ logs: { talker: ['one', 'two', 'three'] } });
      const command = 'sh -c "echo one; echo two; echo three; sleep 1000"';
      await addServices({ talker: { ...sleeper, command } });
      await subject.pebble.start('talker');

      expect(await subject.pebble.logs('talker', 2)).toEqual(['two', 'three']);
      expect(await subject.pebble.logs('talker', 100)).toEqual(['one', 'two', 'three']);
      expect(await subject.pebble.logs('unknown', 2)).toEqual([]);
    });
  });
});
