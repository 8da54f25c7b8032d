// Level 0. Labels: backup, scale.
// The whole demo, as a user runs it; its own comparison is not trusted but made again here.

import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import * as v from 'valibot';

import { createJuju } from '../../scripts/demo/juju.ts';
import { destroyModel } from '../../scripts/demo/model.ts';

const root = path.join(import.meta.dirname, '..', '..');
const reportFile = path.join(root, 'dist', 'demo-report.json');
const pageFile = path.join(root, 'dist', 'demo-report.html');

const sumsSchema = v.record(
  v.string(),
  v.strictObject({ rows: v.number(), checksum: v.pipe(v.string(), v.regex(/^-?\d+$/)) }),
);
const reportSchema = v.strictObject({
  phases: v.array(v.strictObject({ name: v.string(), seconds: v.number() })),
  before: sumsSchema,
  after: v.record(v.string(), sumsSchema),
  backups: v.array(v.looseObject({ action: v.string(), status: v.string() })),
  versions: v.record(v.string(), v.string()),
});

describe('the demo', () => {
  let exitCode: number | undefined;
  let report: v.InferOutput<typeof reportSchema>;

  beforeAll(async () => {
    await rm(reportFile, { force: true });
    await rm(pageFile, { force: true });
    const ended = await execa(process.execPath, ['scripts/demo/main.ts'], {
      cwd: root,
      env: { CLOUD: 'local', KEEP: '' },
      reject: false,
      stdin: 'ignore',
      stdout: 'inherit',
      stderr: 'inherit',
    });
    exitCode = ended.exitCode;
    report = v.parse(reportSchema, JSON.parse(await readFile(reportFile, 'utf8')));
  }, 1_800_000);

  afterAll(async () => {
    await destroyModel(createJuju('local'), 'demo', () => undefined);
  }, 300_000);

  test('the demo ends well', () => {
    expect(exitCode).toBe(0);
  });

  test('every table is the same on each of the three units', () => {
    const units = ['postgresql-k8s/0', 'postgresql-k8s/1', 'postgresql-k8s/2'];

    expect(Object.keys(report.after).toSorted()).toStrictEqual(units);
    for (const unit of units) expect(report.after[unit]).toStrictEqual(report.before);
  });

  test('there was data worth comparing', () => {
    expect(Object.keys(report.before)).toStrictEqual([
      'public.documents',
      'public.pgbench_accounts',
      'public.pgbench_branches',
      'public.pgbench_history',
      'public.pgbench_tellers',
    ]);
    expect(report.before['public.pgbench_accounts']?.rows).toBe(2_000_000);
    expect(report.before['public.pgbench_history']?.rows).toBeGreaterThan(0);
    expect(report.before['public.documents']?.rows).toBeGreaterThan(1000);
  });

  test('the backup that was restored is listed', () => {
    expect(report.backups.map(({ action, status }) => [action, status])).toStrictEqual([
      ['full backup', 'finished'],
    ]);
  });

  test('the page shows the same, and loads nothing from elsewhere', async () => {
    const page = await readFile(pageFile, 'utf8');

    expect(page).toContain('Everything is back');
    expect(page.match(/✓ same/g)).toHaveLength(15);
    expect(page).not.toMatch(/\bsrc=|<link|url\(/);
  });
});
