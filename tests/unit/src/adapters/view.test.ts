import { expect, test } from '@jest/globals';

import { PebbleError } from '../../../../lib/pebble/errors.ts';
import { forgetView, viewOf } from '../../../../src/adapters/view.ts';
import { isReachable, readWatchState } from '../../../../src/adapters/watch-state.ts';

/** A dispatch whose clock and Pebble are set by the test. */
function dispatch() {
  const world: { nowMs: number; fails: Error | undefined; asked: string[] } = {
    nowMs: 1_000_000,
    fails: undefined,
    asked: [],
  };
  const hook = {
    juju: {},
    ports: {
      clock: { nowMs: () => world.nowMs },
      pebble: {
        pull: async (path: string): Promise<undefined> => {
          world.asked.push(path);
          await Promise.resolve();
          if (world.fails !== undefined) throw world.fails;
        },
      },
    },
  };
  return { world, hook };
}

const watched = { fences: [] };

test('handlers of one dispatch share what has been seen, those of others do not', () => {
  const { hook } = dispatch();
  viewOf(hook).watched = watched;

  expect(viewOf({ ...hook }).watched).toBe(watched);
  expect(viewOf({ ...hook, juju: {} }).watched).toBeUndefined();
});

test('what was seen two seconds ago has to be looked at again', () => {
  const { world, hook } = dispatch();
  viewOf(hook).watched = watched;

  world.nowMs += 1_999;
  expect(viewOf(hook).watched).toBe(watched);
  world.nowMs += 1;
  expect(viewOf(hook).watched).toBeUndefined();
});

test('whoever changes something makes the others look again', () => {
  const { hook } = dispatch();
  viewOf(hook).watched = watched;

  forgetView({ ...hook });

  expect(viewOf(hook).watched).toBeUndefined();
});

test('a Pebble that answers is asked once, one that does not is asked again', async () => {
  const { world, hook } = dispatch();

  world.fails = new PebbleError('nobody answers', { code: 'unreachable' });
  expect(await isReachable(hook)).toBe(false);
  world.fails = undefined;
  expect([await isReachable(hook), await isReachable(hook)]).toEqual([true, true]);
  expect(world.asked).toEqual(['/run/charm-watch.json', '/run/charm-watch.json']);
});

test('that Pebble answers has been seen when the file of the watcher has', async () => {
  const { world, hook } = dispatch();

  expect(await isReachable(hook)).toBe(true);
  expect(await readWatchState(hook)).toEqual(watched);
  expect(world.asked).toHaveLength(1);
});

test('an error of the charm is no silence of Pebble', async () => {
  const { world, hook } = dispatch();

  world.fails = new TypeError('a mistake');
  await expect(isReachable(hook)).rejects.toThrow('a mistake');
});
