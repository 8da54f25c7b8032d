// Level 2. Labels: backup.
// A backup that is due after a fail-over: the leader is a replica, and the primary makes the backup.

import { describe, expect } from '@jest/globals';

import { s3Info } from '../../cloud/client.ts';
import { requireAction } from '../../scripts/demo/action.ts';
import { findPrimary, waitUntilArchiving } from '../../scripts/demo/cluster.ts';
import {
  deployPostgresql,
  deployS3Integrator,
  integrateS3,
  postgresql,
  s3Integrator,
} from '../../scripts/demo/deploy.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { listRows } from '../support/e2e/stamped-rows.ts';
import { image, useModel } from '../support/e2e/test-model.ts';

describe('backups by schedule', () => {
  const { model, say, check } = useModel('e2e-schedule');
  const expected = { [postgresql]: 2, [s3Integrator]: 1 };

  async function units() {
    const all = (await readStatus(model)).applications[postgresql] ?? [];
    const leader = all.find((unit) => unit.leader)?.name ?? '';
    return { leader, other: all.find((unit) => !unit.leader)?.name ?? '', all };
  }

  /** Rows of backups, not of timelines. */
  async function listBackups(unit: string): Promise<readonly string[]> {
    return (await listRows(model, unit)).filter((row) => row.includes('full backup'));
  }

  check('a leader that is a replica', async () => {
    await deployPostgresql(model, { units: 2, image });
    await waitUntilSettled(model, { [postgresql]: 2 }, { say });
    const path = `${model.name}-${Date.now()}`;
    await deployS3Integrator(model, { ...(await s3Info()), bucket: 'schedule', path });
    await integrateS3(model);
    await waitUntilArchiving(model, say);
    await waitUntilSettled(model, expected, { say });
    const { other } = await units();
    if ((await findPrimary(model)).unit !== other) {
      await requireAction(model, {
        unit: other,
        action: 'promote-to-primary',
        params: { scope: 'unit' },
      });
    }
    await waitUntilSettled(model, expected, { say });

    expect((await findPrimary(model)).unit).toBe((await units()).other);
  });

  check('the primary makes the backup when it is due, once', async () => {
    const time = new Date(Date.now() + 120_000);
    const cron = `${time.getUTCMinutes()} ${time.getUTCHours()} * * *`;
    await model.run('config', [postgresql, `backup_schedule_full=${cron}`]);
    const { leader, other } = await units();
    await waitFor(
      async () => {
        const rows = await listBackups(leader);
        const shown = (await units()).all.map(({ name, message }) => `${name}: ${message}`);
        return rows.some((row) => row.includes('finished')) ? there(true) : notYet(shown.join());
      },
      { what: 'the backup that is due', timeoutMs: 480_000, say, intervalMs: 5_000 },
    );
    await waitUntilSettled(model, expected, { say });
    const told = await waitFor(
      async () => {
        const { stdout } = await model.run('show-unit', [other, '--format=json']);
        return stdout.includes('backup-order') ? notYet('the order stands') : there(stdout);
      },
      { what: 'the order to be taken back', timeoutMs: 120_000, say, intervalMs: 2_000 },
    );

    expect(await listBackups(leader)).toHaveLength(1);
    expect(told).toContain('backup-answer');
    const messages = (await units()).all.map(({ message }) => message);
    expect(messages.toSorted()).toStrictEqual(['', 'Primary']);
  });
});
