// A watcher that hangs fences nobody and wakes nobody, and looks alive: Pebble notices by its check, and
// starts another one, which wakes the charm.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';
import { execa } from 'execa';

import { systemClock } from '../../lib/base/clock.ts';
import { createPebble } from '../../lib/pebble/client.ts';
import type { LayerCheck, LayerService } from '../../lib/pebble/pebble.ts';
import { repository } from '../../scripts/charms.ts';
import { renderLayer, watcherService } from '../../src/core/render/pebble-layer.ts';
import { watcherCheckCommand } from '../../src/core/render/watcher.ts';
import { startPebbleDaemon } from '../support/pebble-daemon.ts';
import { onStage, type Stage, until } from '../support/watcher/stage.ts';

const pidOption = '/run/charm-watch.pid';
const beside = (stage: Stage, name: string) => path.join(path.dirname(stage.volume), name);

async function isGoingOn(stage: Stage): Promise<boolean> {
  const command = watcherCheckCommand.replace(pidOption, beside(stage, 'watcher.pid'));
  const { exitCode } = await execa('sh', ['-c', command], { reject: false });
  return exitCode === 0;
}

test.concurrent('the check tells a watcher that hangs from one that goes on', async () => {
  await onStage({}, async (stage) => {
    expect(await isGoingOn(stage)).toBe(true);
    stage.watcher.kill('SIGSTOP');
    expect(await isGoingOn(stage)).toBe(false);
    stage.watcher.kill('SIGCONT');
    expect(await isGoingOn(stage)).toBe(true);
    stage.watcher.kill('SIGKILL');
    expect(await isGoingOn(stage)).toBe(false);
  });
});

test.concurrent('a watcher that comes after another one wakes the charm', async () => {
  const leaveFile = async (volume: string) => {
    await writeFile(path.join(path.dirname(volume), 'seen.json'), '{}');
    return async () => {
      await Promise.resolve();
    };
  };
  await onStage({ mount: leaveFile }, async (stage) => {
    await until(async () => (await stage.notices())[0]);
    expect(await stage.notices()).toEqual(['test/watcher-restarted']);
  });
});

/** All that counts here of the watcher. */
const program = (pidFile: string) => `
import sys, time
sys.path.insert(0, "${path.join(repository, 'src/static/watcher')}")
from heartbeat import Heartbeat
heartbeat = Heartbeat("${pidFile}")
while True:
    heartbeat.beat()
    time.sleep(0.2)
`;

/** The charm's own service and check, of this program, and in less time. */
function quickly(file: string, pidFile: string) {
  const { services = {}, checks = {} } = renderLayer({ restart: true });
  const [service, check] = [services[watcherService], checks[watcherService]];
  if (service === undefined || check === undefined) throw new Error('it is not watched');
  const command = watcherCheckCommand.replace(pidOption, pidFile).replace('sleep 5', 'sleep 1');
  return {
    services: { [watcherService]: { ...service, command: `python3 -B ${file}` } },
    checks: { [watcherService]: { ...check, period: '2s', timeout: '1900ms', exec: { command } } },
  } satisfies {
    readonly services: Readonly<Record<string, LayerService>>;
    readonly checks: Readonly<Record<string, LayerCheck>>;
  };
}

test('Pebble starts another watcher when one hangs', async () => {
  const daemon = await startPebbleDaemon();
  const { socketPath } = daemon;
  const pebble = createPebble({ container: 'workload', socketPath, clock: systemClock });
  try {
    const [file, pidFile] = ['watcher.py', 'pid'].map((name) => path.join(daemon.folder, name));
    if (file === undefined || pidFile === undefined) throw new Error('no names');
    await writeFile(file, program(pidFile));
    await pebble.addLayer('watcher', quickly(file, pidFile));
    await pebble.replan();
    const pid = async () => {
      const found = Number(await pebble.pull(pidFile));
      return found > 1 ? found : undefined;
    };
    const first = await until(pid);
    // Longer than a few checks: one that goes on is left alone.
    await systemClock.sleep(8_000);
    expect(await pid()).toBe(first);
    expect(await pebble.checks()).toMatchObject([{ status: 'up', failures: 0 }]);

    process.kill(first, 'SIGSTOP');
    await until(async () => {
      const found = await pid();
      return found === first ? undefined : found;
    }, 30_000);
    await until(async () => {
      const [check] = await pebble.checks();
      return check?.status === 'up' && check.failures === 0 ? true : undefined;
    });
    expect(await pebble.services()).toMatchObject([{ name: watcherService, current: 'active' }]);
  } finally {
    await daemon.stop();
  }
});
