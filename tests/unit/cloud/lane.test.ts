import { expect, test } from '@jest/globals';

import { createLane, runTogether } from '../../../cloud/build/lane.ts';

test('a lane runs one work at a time, in the order of asking', async () => {
  const lane = createLane();
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} starts`);
    await Promise.resolve();
    events.push(`${name} ends`);
    return name;
  };

  const results = await Promise.all([lane.run(work('first')), lane.run(work('second'))]);

  expect(results).toEqual(['first', 'second']);
  expect(events).toEqual(['first starts', 'first ends', 'second starts', 'second ends']);
});

test('a lane goes on after a failure', async () => {
  const lane = createLane();
  const failing = lane.run(async () => await Promise.reject(new Error('broken')));
  const next = lane.run(async () => await Promise.resolve('next'));

  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('next');
});

test('the first failure is reported when all others have ended', async () => {
  const events: string[] = [];
  let release: (() => void) | undefined;
  const stopped = new Promise<void>((resolve) => {
    release = resolve;
  });
  const long = async () => {
    await stopped;
    events.push('long work ends');
    throw new Error('stopped');
  };
  const broken = async () => await Promise.reject(new Error('broken'));

  const together = runTogether([long, broken], () => {
    events.push('stop');
    release?.();
  });

  await expect(together).rejects.toThrow('broken');
  expect(events).toEqual(['stop', 'long work ends', 'stop']);
});
