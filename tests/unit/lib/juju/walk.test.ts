import { expect, test } from '@jest/globals';

import { recordWalk, renderWalk } from '../../../../lib/juju/walk.ts';

test('a walked path is one line with the answers of its decisions', () => {
  const { walk, path } = recordWalk();

  const answers = [walk.decide('has_cluster_initialised', true), walk.decide('is_leader', false)];
  walk.step('render_config');

  expect(answers).toEqual([true, false]);
  expect(renderWalk({ handler: 's3-credentials-changed', path: path() }, 'return')).toBe(
    's3-credentials-changed: has_cluster_initialised=yes → is_leader=no → render_config → return',
  );
});

test.each([
  ['return', 'return'],
  ['defer', 'return'],
  ['stopped', 'stopped'],
  ['failed', 'failed'],
] as const)('a walk that ended by %s ends in "%s"', (end, shown) => {
  const recorder = recordWalk();

  recorder.walk.step('render_config');
  if (end === 'stopped') recorder.walk.stop();

  expect(recorder.hasStopped()).toBe(end === 'stopped');
  expect(renderWalk({ handler: 'start', path: recorder.path() }, end)).toBe(
    `start: render_config → ${shown}`,
  );
});
