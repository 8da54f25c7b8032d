import { expect, test } from '@jest/globals';

import { forgetView, isReachable, viewOf } from '../../../../src/adapters/view.ts';

/** A dispatch whose clock and Pebble are set by the test. */
function dispatch() {
  const world = { nowMs: 1_000_000, answers: true, asked: 0 };
  const hook = {
    juju: {},
    ports: {
      clock: { nowMs: () => world.nowMs },
      pebble: {
        canConnect: async () => {
          world.asked += 1;
          return await Promise.resolve(world.answers);
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

  world.answers = false;
  expect(await isReachable(hook)).toBe(false);
  world.answers = true;
  expect([await isReachable(hook), await isReachable(hook)]).toEqual([true, true]);
  expect(world.asked).toBe(2);
});
