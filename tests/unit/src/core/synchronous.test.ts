import { expect, test } from '@jest/globals';

import { synchronousIn } from '../../../../src/core/config/synchronous.ts';
import { renderSynchronous } from '../../../../src/core/render/synchronous.ts';

test('options that are not set are at their default, whatever is wrong besides', () => {
  expect(synchronousIn({ profile: 'huge' })).toEqual({ nodeCount: 'all', strict: true });
});

test('options that are wrong themselves say nothing', () => {
  const raw = { synchronous_node_count: 'some', synchronous_mode_strict: 'often' };

  expect(synchronousIn(raw)).toEqual({ nodeCount: undefined, strict: undefined });
});

test('options that are right count beside others that are not', () => {
  const raw = { synchronous_node_count: '2', synchronous_mode_strict: false, profile: 7 };

  expect(synchronousIn(raw)).toEqual({ nodeCount: 2, strict: false });
});

const inForce = { synchronous_node_count: 2, synchronous_mode_strict: true };

test.each([
  { summary: 'as many as there are', members: 3, count: 2, strict: true },
  { summary: 'no more than are left', members: 2, count: 1, strict: true },
  { summary: 'nobody when alone', members: 1, count: 1, strict: false },
  { summary: 'no more when more come', members: 5, count: 2, strict: true },
  { summary: 'those that go until they are gone', members: 2, running: 3, count: 2, strict: true },
])('without an option that is right, what is in force: $summary', (given) => {
  const { members, running, count, strict } = given;

  expect(
    renderSynchronous({ nodeCount: undefined, strict: undefined }, { members, running, inForce }),
  ).toEqual({ synchronous_node_count: count, synchronous_mode_strict: strict });
});

test('without anything in force all replicas are waited for, but nobody is held up', () => {
  expect(renderSynchronous({ nodeCount: undefined, strict: undefined }, { members: 3 })).toEqual({
    synchronous_node_count: 2,
    synchronous_mode_strict: false,
  });
});

test('an option that is right wins over what is in force', () => {
  expect(renderSynchronous({ nodeCount: 1, strict: false }, { members: 3, inForce })).toEqual({
    synchronous_node_count: 1,
    synchronous_mode_strict: false,
  });
});
