import { describe, expect, test } from '@jest/globals';

import { renderPage } from '../../../scripts/demo/page.ts';
import { findDifferences, type Report, renderReport } from '../../../scripts/demo/report.ts';
import { renderTimeline, renderTimelineSvg } from '../../../scripts/demo/timeline.ts';

const before = {
  'public.documents': { rows: 5910, checksum: '-71239874612398' },
  'public.pgbench_accounts': { rows: 2_000_000, checksum: '892347982374982' },
};

const report: Report = {
  phases: [
    { name: 'deploy', seconds: 12.5 },
    { name: 'back up', seconds: 37.5 },
    { name: 'restore', seconds: 50 },
  ],
  before,
  after: { 'postgresql-k8s/0': before, 'postgresql-k8s/1': before },
  backups: [
    {
      id: '2026-11-21T11:00:00Z',
      action: 'full backup',
      status: 'finished',
      reference: 'None',
      lsn: '0/3000028 / 0/30000F8',
      started: '2026-11-21T11:00:00Z',
      finished: '2026-11-21T11:00:09Z',
      timeline: '1',
      path: '/demo.patroni-postgresql-k8s/20261121-110000F',
    },
  ],
  versions: { postgresql: '17.11', juju: '<4.1>' },
};

describe('differences', () => {
  test('the same tables on all units are no difference', () => {
    expect(findDifferences(before, report.after)).toStrictEqual([]);
  });

  const one = { 'public.t': { rows: 2, checksum: '7' } };
  test.each([
    { summary: 'a table that is gone', after: {}, found: ['public.t on a/0 is missing'] },
    {
      summary: 'rows that are gone',
      after: { 'public.t': { rows: 1, checksum: '7' } },
      found: ['public.t on a/0 has 1 rows instead of 2'],
    },
    {
      summary: 'a row that changed',
      after: { 'public.t': { rows: 2, checksum: '8' } },
      found: ['public.t on a/0 has checksum 8 instead of 7'],
    },
    {
      summary: 'a table too many',
      after: { ...one, 'public.u': { rows: 0, checksum: '0' } },
      found: ['public.u on a/0 was not there before'],
    },
  ])('$summary is named with its unit', ({ after, found }) => {
    expect(findDifferences(one, { 'a/0': after })).toStrictEqual(found);
  });

  test('nothing to compare is a difference', () => {
    expect(findDifferences({}, { 'a/0': {} })).toStrictEqual(['no table was there before']);
    expect(findDifferences(before, {})).toStrictEqual(['no unit was looked at']);
  });
});

test('the report as JSON holds exactly its five parts', () => {
  const text = renderReport(report);

  expect(JSON.parse(text)).toStrictEqual(report);
  expect(Object.keys(report)).toStrictEqual(['phases', 'before', 'after', 'backups', 'versions']);
  expect(text.endsWith('}\n')).toBe(true);
});

describe('timeline', () => {
  test('each phase starts where the one before it ended', () => {
    expect(renderTimeline(report.phases).split('\n')).toStrictEqual([
      `  0:00  deploy     12.5 s  ${'█'.repeat(5)}`,
      `  0:13  back up    37.5 s  ${' '.repeat(5)}${'█'.repeat(15)}`,
      `  0:50  restore    50.0 s  ${' '.repeat(20)}${'█'.repeat(20)}`,
      '  1:40  end',
    ]);
  });

  test('a phase that took no time still has a bar', () => {
    expect(renderTimelineSvg([{ name: 'quick', seconds: 0 }])).toContain('width="3"');
  });

  test('the drawing has one bar per phase and round times below', () => {
    const svg = renderTimelineSvg(report.phases);

    expect(svg.match(/<rect class="bar"/g)).toHaveLength(3);
    expect([...svg.matchAll(/class="tick"[^>]*>([^<]*)</g)].map((match) => match[1])).toStrictEqual(
      ['0:00', '0:15', '0:30', '0:45', '1:00', '1:15', '1:30'],
    );
  });
});

describe('page', () => {
  test('a page loads nothing from elsewhere and runs no script', () => {
    const page = renderPage(report);

    expect(page).not.toMatch(/<script|<link|\bsrc=|url\(|https?:/);
  });

  test('each unit has a column that says whether the table is the same', () => {
    const page = renderPage(report);

    expect(page).toContain('Everything is back');
    expect(page.match(/✓ same/g)).toHaveLength(4);
    expect(page).not.toContain('✗');
  });

  test('a difference is the headline', () => {
    const changed = { ...before, 'public.documents': { rows: 5910, checksum: '1' } };
    const page = renderPage({ ...report, after: { ...report.after, 'postgresql-k8s/2': changed } });

    expect(page).toContain('<h1>The data is not the same</h1>');
    expect(page).toContain('✗ 1<');
  });

  test('text from elsewhere is escaped', () => {
    expect(renderPage(report)).toContain('&lt;4.1&gt;');
  });
});
