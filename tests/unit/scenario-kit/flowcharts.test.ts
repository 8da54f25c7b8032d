// Charts are read as they are drawn, and a walk is a path of its chart or it is not.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import {
  contradictions,
  coverageOf,
  projectRoot,
  readChart,
  type WalkRecord,
} from '../../support/flowchart-coverage.ts';
import { chartTable } from '../../support/flowchart-table.ts';
import { type CheckedPath, checkPath, missingFrom, parseChart } from '../../support/flowcharts.ts';

const text = `flowchart TD
  hook_fired([sample Hook]) --> is_ready{Is it\\n ready?}
  is_ready -- no --> defer>defer]
  %% What follows is the usual case.
  is_ready -- yes --> work[Do the work]
  work--> is_done{Done?}
  is_done -- no --> work
  is_done -- yes --> fail_action([fail action])
  fail_action --> clean[Clean up]
  clean --> rtn([return])
`;
const chart = parseChart(text);

test('nodes, shapes, texts and labelled edges are read', () => {
  expect(chart.nodes.get('is_ready')).toEqual({
    id: 'is_ready',
    shape: 'decision',
    text: 'Is it ready?',
  });
  expect([...chart.nodes.values()].map(({ id, shape }) => `${id} ${shape}`)).toEqual([
    'hook_fired round',
    'is_ready decision',
    'defer defer',
    'work step',
    'is_done decision',
    'fail_action round',
    'clean step',
    'rtn round',
  ]);
  expect(chart.edges).toHaveLength(8);
  expect(chart.edges[1]).toEqual({ from: 'is_ready', to: 'defer', label: 'no' });
});

test.each([
  { summary: 'another kind of chart', drawn: 'graph LR\n', problem: 'starts with "flowchart TD"' },
  {
    summary: 'a line that is no edge',
    drawn: 'flowchart TD\n  a[x]\n',
    problem: 'cannot read the line',
  },
  { summary: 'a node without a shape', drawn: 'flowchart TD\n  a[x] --> b\n', problem: 'nowhere' },
  { summary: 'a node of two shapes', drawn: 'flowchart TD\n  a[x] --> a{y}\n', problem: 'twice' },
])('refuses $summary', ({ drawn, problem }) => {
  expect(() => parseChart(drawn)).toThrow(problem);
});

const yes = (node: string) => ({ node, answer: true });
const no = (node: string) => ({ node, answer: false });
const step = (node: string) => ({ node });

test('a path may go round, and may leave out end nodes', () => {
  const path = [
    yes('is_ready'),
    step('work'),
    no('is_done'),
    step('work'),
    yes('is_done'),
    step('clean'),
  ];

  const { problem, edges } = checkPath(chart, path);

  expect(problem).toBeUndefined();
  expect([...edges]).toEqual([
    'hook_fired --> is_ready',
    'is_ready -- yes --> work',
    'work --> is_done',
    'is_done -- no --> work',
    'is_done -- yes --> fail_action',
    'fail_action --> clean',
    'clean --> rtn',
  ]);
});

interface Row {
  readonly summary: string;
  readonly checked: CheckedPath;
  readonly problem: string | undefined;
}

const rows: readonly Row[] = [
  {
    summary: 'a deferral where the chart defers',
    checked: checkPath(chart, [no('is_ready'), step('defer')], { end: 'defer' }),
    problem: undefined,
  },
  {
    summary: 'a return where the chart defers',
    checked: checkPath(chart, [no('is_ready')]),
    problem: 'the chart defers at "is_ready=no", the handler did not',
  },
  {
    summary: 'a deferral where the chart returns',
    checked: checkPath(chart, [yes('is_ready'), step('work'), yes('is_done'), step('clean')], {
      end: 'defer',
    }),
    problem: 'the handler deferred its event at "clean", the chart does not',
  },
  {
    summary: 'a wrong answer',
    checked: checkPath(chart, [no('is_ready'), step('work')]),
    problem: 'no edge leads from "is_ready=no" to "work"',
  },
  {
    summary: 'a node that is not drawn',
    checked: checkPath(chart, [yes('is_ready'), step('rest')]),
    problem: 'the chart has no node "rest"',
  },
  {
    summary: 'a node left out',
    checked: checkPath(chart, [yes('is_ready'), yes('is_done')]),
    problem: 'no edge leads from "is_ready=yes" to "is_done"',
  },
  {
    summary: 'a return in the middle',
    checked: checkPath(chart, [yes('is_ready'), step('work')]),
    problem: 'the walk ends at "work", where the chart goes on',
  },
  {
    summary: 'a failure in the middle',
    checked: checkPath(chart, [yes('is_ready'), step('work')], { end: 'failed' }),
    problem: undefined,
  },
  {
    summary: 'another entry',
    checked: checkPath(chart, [yes('is_done'), step('clean')], { entry: 'is_done' }),
    problem: undefined,
  },
  {
    summary: 'the wrong entry',
    checked: checkPath(chart, [step('clean')], { entry: 'is_done' }),
    problem: 'the walk starts at "clean", not at "is_done"',
  },
];

test.each(rows)('judges $summary', ({ checked, problem }) => {
  expect(checked.problem).toBe(problem);
});

test('a copy may extend a chart but not lose or change anything of it', () => {
  const copy = parseChart(
    text
      .replace('work[Do the work]', 'prepare[Prepare]\n  prepare --> work[Do the work]')
      .replace('clean[Clean up]', 'clean[Leave it]'),
  );

  expect(missingFrom(chart, chart)).toEqual([]);
  expect(missingFrom(copy, chart)).toEqual([
    'node clean (step, "Clean up")',
    'is_ready -- yes --> work',
  ]);
});

test('every chart is in the table, can be read, and starts at its start', () => {
  const drawn = readdirSync(join(projectRoot, 'docs/flowcharts'))
    .filter((name) => name.endsWith('.mmd'))
    .map((name) => name.replace('.mmd', ''));

  expect(chartTable.map((row) => row.chart).toSorted()).toEqual(drawn.toSorted());
  for (const row of chartTable) {
    for (const { entry = 'hook_fired' } of row.handlers) {
      expect(readChart(row.chart).nodes.has(entry)).toBe(true);
    }
  }
});

test('edges are counted over all records of a chart', () => {
  const record = (path: WalkRecord['path'], end: WalkRecord['end']): WalkRecord => ({
    testFile: 'some.test.ts',
    scenario: 'some',
    handler: 'pgb-peers-relation-created',
    path,
    end,
  });
  const records = [
    record([step('save_hostname'), no('is_leader'), step('rtn')], 'return'),
    record([step('save_hostname'), yes('is_leader'), no('is_cfg'), step('defer')], 'defer'),
  ];

  const coverage = coverageOf(records).find(({ row }) => row.chart === 'pgb-peer-relation-created');

  expect(coverage).toMatchObject({ drawn: 10, walked: 5 });
  expect(coverage?.missing).toContain('is_cfg -- yes --> update_cfg');
});

test('the copies hold everything that the specification draws', () => {
  const originals = join(projectRoot, '../shared/flowcharts');

  expect(existsSync(originals) ? contradictions(originals) : []).toEqual([]);
});
