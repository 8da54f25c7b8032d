import { describe, expect, test } from '@jest/globals';

import { type Backup, idOfLabel, typeOfLabel } from '../../../../src/core/backups/backup-list.ts';
import { planDeletion } from '../../../../src/core/backups/deletion.ts';
import {
  keepAll,
  type Retention,
  renderRetention,
  retentionIn,
  retentionOf,
  retentionText,
} from '../../../../src/core/backups/retention.ts';
import { renderIni } from '../../../../src/core/render/ini.ts';

function backup(label: string, prior?: string, error?: string): Backup {
  return {
    label,
    id: idOfLabel(label),
    type: typeOfLabel(label),
    stanza: 's',
    references: [],
    archiveId: '17-1',
    bytes: {},
    lsnStart: 'n/a',
    lsnStop: 'n/a',
    startSeconds: 0,
    stopSeconds: 0,
    timeline: '1',
    ...(prior === undefined ? {} : { prior }),
    ...(error === undefined ? {} : { error }),
  };
}

const first = '20260101-000000F';
const differential = `${first}_20260102-000000D`;
const incremental = `${first}_20260103-000000I`;
const other = `${first}_20260104-000000D`;
const second = '20260105-000000F';

const chain = [
  backup(incremental, differential),
  backup(first),
  backup(differential, first),
  backup(other, first),
];

const no = { dependents: false, force: false };

function outcome(backups: readonly Backup[], id: string, given: Partial<typeof no> = {}) {
  const plan = planDeletion(backups, { id, ...no, ...given }, id);
  if ('refusal' in plan) return plan.refusal;
  return { doomed: plan.doomed.map(({ id: one }) => one.slice(0, 10)), last: plan.isLastFull };
}

describe('a backup to be deleted', () => {
  test('has to be there', () => {
    expect(outcome(chain, 'yesterday')).toBe('Invalid backup-id: yesterday');
  });

  test('goes alone when nothing continues it', () => {
    expect(outcome(chain, idOfLabel(incremental))).toEqual({ doomed: ['2026-01-03'], last: false });
  });

  test('takes along what continues it, directly or not, when that is wanted', () => {
    const id = idOfLabel(differential);

    expect(outcome(chain, id)).toBe(
      `Other backups depend on ${id}: 2026-01-03T00:00:00Z. Use dependents=true to delete them, too.`,
    );
    expect(outcome(chain, id, { dependents: true })).toEqual({
      doomed: ['2026-01-02', '2026-01-03'],
      last: false,
    });
  });

  test('is not the last full one, unless that is forced', () => {
    const id = idOfLabel(first);
    const all = ['2026-01-01', '2026-01-02', '2026-01-03', '2026-01-04'];

    expect(outcome(chain, id, { dependents: true })).toMatch(/is the last full backup/);
    expect(outcome(chain, id, { dependents: true, force: true })).toEqual({
      doomed: all,
      last: true,
    });
    expect(outcome([...chain, backup(second)], id, { dependents: true })).toEqual({
      doomed: all,
      last: false,
    });
  });

  test('a full one with errors is no replacement, but can go', () => {
    const backups = [backup(first), backup(second, undefined, 'checksum')];

    expect(outcome(backups, idOfLabel(first))).toMatch(/is the last full backup/);
    expect(outcome(backups, idOfLabel(first), { force: true })).toMatchObject({ last: false });
    expect(outcome(backups, idOfLabel(second))).toMatchObject({ last: false });
    expect(outcome([backup(second, undefined, 'checksum')], idOfLabel(second))).toMatchObject({
      last: true,
    });
  });
});

describe('retention', () => {
  const cases: readonly { given: Retention; text: string }[] = [
    { given: retentionOf(30, undefined), text: '30 days' },
    { given: retentionOf(30, 2), text: '2 full backups' },
    { given: keepAll, text: '9999999 days' },
  ];

  test.each(cases)('$text is found again in the file', ({ given, text }) => {
    expect(retentionText(given)).toBe(text);
    expect(retentionIn(renderIni({ global: renderRetention(given) }))).toEqual(given);
  });

  test('a file without one has none', () => {
    expect(retentionIn(undefined)).toBeUndefined();
    expect(retentionIn('[global]\nrepo1-retention-full=3\n')).toBeUndefined();
  });
});
