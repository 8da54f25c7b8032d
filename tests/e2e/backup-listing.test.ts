// Level 2. Labels: backup, s3.
// What a repository holds, on real storage: every kind of row, the windows that can be restored,
// deleting one backup, and a retention that changes.

import { describe, expect } from '@jest/globals';
import * as v from 'valibot';

import { s3Info } from '../../cloud/client.ts';
import { requireAction, runAction } from '../../scripts/demo/action.ts';
import { parseBackups } from '../../scripts/demo/backups.ts';
import { findPrimary, waitUntilArchiving } from '../../scripts/demo/cluster.ts';
import {
  deployPostgresql,
  deployS3Integrator,
  integrateS3,
  postgresql,
  s3Integrator,
} from '../../scripts/demo/deploy.ts';
import { waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { image, useModel } from '../support/e2e/test-model.ts';

const documentSchema = v.object({
  repository: v.object({ bucket: v.string(), encrypted: v.boolean() }),
  backups: v.array(
    v.looseObject({
      id: v.string(),
      type: v.nullable(v.string()),
      status: v.string(),
      repo_size_delta: v.nullable(v.number()),
      wal_start: v.nullable(v.string()),
      references: v.array(v.string()),
    }),
  ),
  timelines: v.array(v.looseObject({ timeline: v.number(), parent: v.nullable(v.number()) })),
  windows: v.array(
    v.looseObject({ timeline: v.number(), earliest: v.string(), latest: v.string() }),
  ),
});

describe('a repository that is looked at and cleared', () => {
  const { model, say, check } = useModel('e2e-listing');
  const expected = { [postgresql]: 1, [s3Integrator]: 1 };
  const unit = `${postgresql}/0`;
  const stanza = `${model.name}.patroni-${postgresql}`;

  async function list() {
    const results = await requireAction(model, { unit, action: 'list-backups' });
    const document = v.parse(documentSchema, JSON.parse(results['backups-json'] ?? ''));
    return { rows: parseBackups(results['backups'] ?? ''), ...document };
  }

  async function backUp(type: string): Promise<string> {
    const call = { unit, action: 'create-backup', params: { type }, timeoutMs: 300_000 };
    return (await requireAction(model, call))['backup-id'] ?? '';
  }

  /** `runAction` gives texts, but `force` and `dependents` are booleans. */
  async function remove(id: string, ...more: readonly string[]) {
    const args = ['--format=json', '--wait=2m', unit, 'delete-backup', `backup-id=${id}`, ...more];
    const { stdout } = await model.run('run', args, { allowFailure: true, timeoutMs: 150_000 });
    return stdout;
  }

  check('a new repository is empty', async () => {
    await deployPostgresql(model, { units: 1, image });
    const settings = { ...(await s3Info()), bucket: 'listing', path: `run-${Date.now()}` };
    await deployS3Integrator(model, settings);
    await waitUntilSettled(model, expected, { say });
    await integrateS3(model);
    await waitUntilArchiving(model, say);
    await waitUntilSettled(model, expected, { say });

    expect(await list()).toMatchObject({ rows: [], backups: [], windows: [], timelines: [] });
  });

  check('each backup has a row, and opens the window', async () => {
    const primary = await findPrimary(model);
    await primary.query('CREATE TABLE stamped AS SELECT now() AS at');
    const ids = [await backUp('full'), await backUp('differential'), await backUp('incremental')];
    await primary.query('SELECT pg_switch_wal()');

    const { rows, backups, windows } = await list();

    expect(rows.map(({ id, action, status }) => [id, action, status])).toEqual([
      [ids[0], 'full backup', 'finished'],
      [ids[1], 'differential backup', 'finished'],
      [ids[2], 'incremental backup', 'finished'],
    ]);
    expect(backups.map(({ id }) => id)).toEqual(ids);
    expect(backups.every(({ repo_size_delta: size }) => size !== null)).toBe(true);
    expect(backups[1]?.references).toEqual([ids[0]]);
    expect(windows).toMatchObject([{ timeline: 1, from_backup: ids[0] }]);
    expect((windows[0]?.latest ?? '') >= (windows[0]?.earliest ?? 'x')).toBe(true);
  });

  check('a backup that fails has a row that says why', async () => {
    const primary = await findPrimary(model);
    await primary.program('pgbackrest', [`--stanza=${stanza}`, 'stop']);
    const call = { unit, action: 'create-backup', timeoutMs: 120_000 };
    const outcome = await runAction(model, call);
    await primary.program('pgbackrest', [`--stanza=${stanza}`, 'start']);

    expect(outcome.kind).toBe('failed');
    expect((await list()).rows.at(-1)).toMatchObject({
      action: 'full backup',
      status: expect.stringMatching(/^failed: .*stop file exists/),
    });
  });

  check('a backup that runs is shown, and nothing is deleted meanwhile', async () => {
    const primary = await findPrimary(model);
    const fill = 'SELECT md5(n::text) || md5((n + 1)::text) AS text FROM generate_series(1, 3e6) n';
    await primary.query(`CREATE TABLE large AS ${fill}`, { timeoutMs: 300_000 });
    const slow = ['--type=full', '--process-max=1', '--compress-type=gz', '--compress-level=9'];
    const making = primary.program('pgbackrest', [`--stanza=${stanza}`, ...slow, 'backup']);
    const running = await waitFor(
      async () => {
        const row = (await list()).rows.find(({ status }) => status === 'running');
        return row === undefined ? notYet('no row runs') : there(row);
      },
      { what: 'a running backup', timeoutMs: 120_000, say },
    );
    const refused = await remove((await list()).rows[2]?.id ?? '');
    await making;

    expect(running).toMatchObject({ action: expect.stringMatching(/backup$/), finished: 'n/a' });
    expect(refused).toContain('A backup is being made');
    expect((await list()).rows.at(-1)).toMatchObject({ status: 'finished' });
  });

  check('a backup is deleted with what builds on it, when that is wanted', async () => {
    const [full, differential] = (await list()).backups.map(({ id }) => id);

    expect(await remove(differential ?? '')).toContain('Use dependents=true');
    expect(await remove(differential ?? '', 'dependents=true')).toMatch(/"freed-bytes":"?[1-9]/);
    expect(await remove(full ?? '')).toMatch(/"freed-bytes":"?[1-9]/);
    // The one that failed was before the full backup that is left, and its log goes with the deletion.
    const { backups } = await list();
    expect(backups.map(({ status }) => status)).toEqual(['finished']);
    const primary = await findPrimary(model);
    const archive = `archive/${stanza}`;
    const { stdout } = await primary.program('pgbackrest', ['repo-ls', '--recurse', archive]);
    const segments = [...stdout.matchAll(/\/([0-9A-F]{24})-/g)].map(([, segment = '']) => segment);
    expect(segments.toSorted()[0]).toBe(backups[0]?.wal_start);
  });

  check('the last full backup takes force', async () => {
    const last = (await list()).backups.at(-1)?.id ?? '';

    expect(await remove(last)).toContain('is the last full backup');
    expect(await remove(last, 'force=true')).toMatch(/"freed-bytes":"?[1-9]/);
    expect(await list()).toMatchObject({ backups: [], windows: [] });
  });

  check('fewer backups to keep are fewer at once', async () => {
    const ids = [await backUp('full'), await backUp('full'), await backUp('full')];
    await model.run('config', [postgresql, 'backup_retention_full=2']);
    const kept = await waitFor(
      async () => {
        const { backups } = await list();
        const left = backups.filter(({ status }) => status === 'finished').map(({ id }) => id);
        return left.length < 3 ? there(left) : notYet(`${left.length} backups are kept`);
      },
      { what: 'the retention to be applied', timeoutMs: 120_000, say },
    );

    expect(kept).toEqual(ids.slice(1));
  });

  check('after a restore there is another timeline, with a window of its own', async () => {
    const [full] = (await list()).backups.map(({ id }) => id);
    await requireAction(model, { unit, action: 'restore', params: { 'backup-id': full ?? '' } });
    await waitUntilSettled(model, expected, { say, timeoutMs: 600_000 });
    const { rows, timelines, windows } = await waitFor(
      async () => {
        const primary = await findPrimary(model);
        await primary.query('CREATE TABLE IF NOT EXISTS again (); SELECT pg_switch_wal()');
        const listed = await list();
        const reached = listed.windows.some(({ timeline }) => timeline === 2);
        return reached ? there(listed) : notYet('no window on timeline 2');
      },
      { what: 'a window on the new timeline', timeoutMs: 300_000, say, intervalMs: 5_000 },
    );

    expect(timelines).toMatchObject([{ timeline: 2, parent: 1 }]);
    expect(rows.filter(({ action }) => action === 'restore')).toMatchObject([{ timeline: '2' }]);
    expect(windows.map(({ timeline }) => timeline)).toEqual([1, 2]);
  });
});
