// What units tell of the size of their pods, and what is made of it.

import { expect, test } from '@jest/globals';

import { parseSizes, renderSizes, sizeIn, toldSize } from '../../../../src/core/pod-sizes.ts';

const gibibyte = 2 ** 30;

test('whole cores and whole MiB are told, so that a little more or less is no news', () => {
  expect(toldSize({ cores: 2.5, memoryBytes: 8 * gibibyte + 4096 })).toEqual({
    cores: '2',
    memory: '8192',
  });
  expect(toldSize({ cores: 0.25, memoryBytes: 1 })).toEqual({ cores: '1', memory: '1' });
});

test('what has been told is read back', () => {
  expect(sizeIn({ cores: '2', memory: '8192' })).toEqual({ cores: 2, memoryBytes: 8 * gibibyte });
});

test.each([
  {},
  { cores: '2' },
  { memory: '8192' },
  { cores: '', memory: '8192' },
  { cores: '0', memory: '8192' },
  { cores: '2', memory: '-1' },
  { cores: '2.5', memory: '8192' },
  { cores: 'many', memory: '8192' },
])('a unit that has told $cores cores and $memory MiB has not told its size', (bag) => {
  expect(sizeIn(bag)).toBeUndefined();
});

test('sizes of all are put in the order of the units, and read back', () => {
  const sizes = {
    'app/10': { cores: 4, memoryBytes: gibibyte },
    'app/9': { cores: 2, memoryBytes: 2 * gibibyte },
  };
  const text = renderSizes(sizes);

  expect(text).toBe('{"app/9":{"cores":2,"memory":2048},"app/10":{"cores":4,"memory":1024}}');
  expect(parseSizes(text)).toEqual(sizes);
});

test.each([
  undefined,
  '',
  '[]',
  'null',
  '{"app/0":{"cores":1}}',
  '{"app/0":{"cores":"1","memory":"1"}}',
  '{"app/0":{"cores":0,"memory":1}}',
])('of %j nothing is known', (text) => {
  expect(parseSizes(text)).toEqual({});
});
