// Level 3. Labels: backup, restore.
// One unit is restored to a backup, to times, to the ends of timelines; and when that fails it is what it
// was before.

import { describe, expect } from '@jest/globals';

import { run, s3Info } from '../../cloud/client.ts';
import { requireAction, runAction } from '../../scripts/demo/action.ts';
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
import {
  archiveAll,
  backUp,
  breakBackup,
  listRows,
  makeStamps,
  readStamps,
  readTimeline,
  stamp,
  stampLast,
  waitForMessages,
} from '../support/e2e/stamped-rows.ts';
import { image, useModel } from '../support/e2e/test-model.ts';

describe('a restore of one unit', () => {
  const { model, say, check } = useModel('e2e-restore');
  const unit = `${postgresql}/0`;
  const expected = { [postgresql]: 1, [s3Integrator]: 1 };
  let backup = '';
  let afterTwo = '';
  let extra = 100;

  /** As a person would call it. */
  async function restore(params: Readonly<Record<string, string>>): Promise<void> {
    await requireAction(model, { unit, action: 'restore', params, guessTypes: true });
  }

  /** Restores, and holds what there is then against what should be. */
  async function expectRestored(
    params: Readonly<Record<string, string>>,
    rows: string,
  ): Promise<void> {
    const before = Number(await readTimeline(await findPrimary(model)));
    await restore(params);
    await waitForMessages(model, [/^active: Primary$/], say);
    await waitUntilSettled(model, expected, { say });
    const primary = await findPrimary(model);

    expect(await readStamps(primary)).toBe(rows);
    expect(Number(await readTimeline(primary))).toBeGreaterThan(before);
    await archiveAll(model, say);
    expect(await primary.query('select failed_count > 50 from pg_stat_archiver')).toBe('f');
  }

  /** Asks for what cannot be reached, and waits until all is as it was. */
  async function expectUndone(
    params: Readonly<Record<string, string>>,
    reason: RegExp,
  ): Promise<void> {
    const primary = await findPrimary(model);
    const before = await readStamps(primary);
    await restore(params);
    await waitForMessages(model, [reason], say);

    expect(await readStamps(primary)).toBe(before);
    await stamp(model, ++extra);
    expect(await readStamps(primary)).toBe(`${before} ${extra}`);
    expect(await volumeOf()).not.toMatch(/before-restore|failed/);
    // The mark goes with the next event.
    await waitFor(
      async () => {
        const files = await volumeOf();
        return files.includes('restore.json') ? notYet('the mark is there') : there(true);
      },
      { what: 'the end of the mark', timeoutMs: 420_000, say },
    );
    await archiveAll(model, say);
  }

  async function volumeOf(): Promise<string> {
    const args = ['-n', model.name, 'exec', `${postgresql}-0`, '-c', 'postgresql', '--'];
    const { stdout } = await run('kubectl', [...args, 'ls', '/var/lib/postgresql/data']);
    return stdout;
  }

  check('a unit with a backup and three rows, of which one is older than the backup', async () => {
    await deployPostgresql(model, { units: 1, image });
    await waitUntilSettled(model, { [postgresql]: 1 }, { say });
    // What an earlier run has left belongs to another cluster.
    const path = `${model.name}-${Date.now()}`;
    await deployS3Integrator(model, { ...(await s3Info()), bucket: 'restore', path });
    await integrateS3(model);
    await waitUntilArchiving(model, say);
    await waitUntilSettled(model, expected, { say });
    await makeStamps(await findPrimary(model));
    await stamp(model, 1);
    backup = await backUp(model);
    afterTwo = await stamp(model, 2);
    await stamp(model, 3);
    await archiveAll(model, say);

    expect(backup).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  check('a backup by its id', async () => {
    await expectRestored({ 'backup-id': backup }, '1');
    await stamp(model, 20);
    await archiveAll(model, say);
  });

  check('a time on the timeline that was left, between two rows', async () => {
    await expectRestored({ 'backup-id': backup, 'restore-to-time': afterTwo }, '1 2');
  });

  check('the end of the timeline that was left', async () => {
    await expectRestored({ 'backup-id': backup, 'restore-to-time': 'latest' }, '1 2 3');
  });

  check('the end of another timeline, by the id of that', async () => {
    const rows = await listRows(model, unit);
    const second = rows.find((row) => /\| restore +\|.*\| 2 +\|/.test(row)) ?? '';
    const id = second.split(' ')[0] ?? '';

    await expectRestored({ 'backup-id': id, 'restore-to-time': 'latest' }, '1 20');
  });

  check('latest alone needs a backup of the latest timeline', async () => {
    const params = { 'restore-to-time': 'latest' };
    const outcome = await runAction(model, { unit, action: 'restore', params });

    expect(outcome).toStrictEqual({
      kind: 'failed',
      message: 'There is no base backup created from the latest timeline',
    });
    backup = await backUp(model);
    await stamp(model, 30);
    await archiveAll(model, say);
    await expectRestored(params, '1 20 30');
  });

  check('a time at which nothing was committed any more: the data of before are back', async () => {
    const late = await stampLast(model, 40, say);

    await expectUndone(
      { 'restore-to-time': late },
      /^active: Primary \(the restore of .* failed, .*: recovery ended before configured recovery target was reached\)$/,
    );
  });

  check('and the remark goes when somebody has noted it', async () => {
    await requireAction(model, { unit, action: 'cancel-restore' });
    await waitForMessages(model, [/^active: Primary$/], say);
  });

  check('a repository that has lost half of a backup: the data of before are back', async () => {
    await breakBackup(model, backup);

    await expectUndone(
      { 'backup-id': backup },
      /^active: Primary \(the restore of .* failed, .*: \[\d+\]: .*\)$/,
    );
  });

  check('a backup of the cluster that it is can be made and restored', async () => {
    const rows = await readStamps(await findPrimary(model));
    backup = await backUp(model);
    await expectRestored({ 'backup-id': backup }, rows);
  });
});
