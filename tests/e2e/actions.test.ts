// Level 1. Labels: actions, failover.
// The actions as an operator runs them, on three units, while a client writes: what they report is
// true, and nothing that was acknowledged is lost.

import { describe, expect } from '@jest/globals';

import { requireAction, runAction } from '../../scripts/demo/action.ts';
import { postgresql } from '../../scripts/demo/deploy.ts';
import { readStatus } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { compareMembers } from '../../scripts/faults/checker.ts';
import { createLedger } from '../../scripts/faults/ledger.ts';
import { findPrimary } from '../../scripts/faults/primary.ts';
import { query, runInPod } from '../../scripts/faults/sql.ts';
import { findGap, lengthOf } from '../../scripts/faults/writes.ts';
import { useModel } from '../support/e2e/test-model.ts';
import { pods, units, useWrittenCluster } from '../support/e2e/written-cluster.ts';

describe('the actions', () => {
  const test = useModel('e2e-actions');
  const { model, say, check } = test;
  const { writer, settle } = useWrittenCluster(test);
  const ledger = createLedger();
  async function findLeader(): Promise<string> {
    const { applications } = await readStatus(model);
    return (applications[postgresql] ?? []).find(({ leader }) => leader)?.name ?? '';
  }

  async function onPrimary(sql: string): Promise<string> {
    const pod = await findPrimary(model.name, postgresql);
    return await query({ namespace: model.name, pod }, { sql });
  }

  async function waitForMessages(wanted: (messages: readonly string[]) => boolean): Promise<void> {
    await waitFor(
      async () => {
        const { applications } = await readStatus(model);
        const messages = (applications[postgresql] ?? []).map(({ message }) => message);
        return wanted(messages) ? there(true) : notYet(messages.join(' | '));
      },
      { what: 'the statuses to follow', timeoutMs: 120_000, say, intervalMs: 1_000 },
    );
  }

  check('each unit in turn becomes the primary, and says so when it is', async () => {
    for (const unit of [...units, ...units.slice(0, 2)]) {
      const fromMs = Date.now();
      const results = await requireAction(model, {
        unit,
        action: 'promote-to-primary',
        params: { scope: 'unit' },
      });
      const tookS = (Date.now() - fromMs) / 1_000;

      expect(results['primary']).toBe(unit);
      expect(await findPrimary(model.name, postgresql)).toBe(unit.replace('/', '-'));
      await settle();
      const gap = findGap(writer().acks, { fromMs, toMs: Date.now() });
      say(`${unit}: action ${tookS} s, writes stopped for ${lengthOf(gap) / 1_000} s`);
      expect(lengthOf(gap)).toBeLessThan(20_000);
      await waitForSynchronous();
    }
  });

  async function waitForSynchronous(): Promise<void> {
    await waitFor(
      async () => {
        const count = await onPrimary(
          "select count(*) from pg_stat_replication where state = 'streaming' and sync_state in ('sync', 'quorum')",
        );
        return count === '2' ? there(true) : notYet(`${count} synchronous replicas`);
      },
      { what: 'both replicas to be synchronous', timeoutMs: 120_000, say, intervalMs: 500 },
    );
  }

  check('passwords change without a disconnection, and every unit has the new one', async () => {
    await waitForSynchronous();
    const sql =
      'select application_name, pid, backend_start, sync_state from pg_stat_replication order by 1';
    const before = await onPrimary(sql);
    const odd = ` we:ird\\pa'ss"w#rd $x {y}: &*!|>%@\` ünï① `;
    for (const username of ['operator', 'replication', 'rewind', 'monitoring', 'backup']) {
      const fromMs = Date.now();
      const { password } = await requireAction(model, {
        unit: await findLeader(),
        action: 'set-password',
        params: { username, ...(username === 'replication' ? { password: odd } : {}) },
      });
      say(`${username}: ${(Date.now() - fromMs) / 1_000} s`);

      expect(password).toMatch(username === 'replication' ? /./ : /^\w{32}$/);
      for (const unit of units) {
        const params = { username };
        const shown = await requireAction(model, { unit, action: 'get-password', params });
        expect(shown['password']).toBe(password);
      }
    }

    expect(await onPrimary(sql)).toBe(before);
    for (const pod of pods) await waitForPatroni(pod, odd);
  });

  /** The member's file has this password of `replication`. */
  async function waitForPatroni(pod: string, password: string): Promise<void> {
    const script = `python3 -c "
import sys, yaml
config = yaml.safe_load(open('/var/lib/postgresql/data/patroni.yml'))
wanted = sys.stdin.buffer.read().decode()
print(config['postgresql']['authentication']['replication']['password'] == wanted)
"`;
    await waitFor(
      async () => {
        const same = await runInPod({ namespace: model.name, pod }, { script, input: password });
        return same.trim() === 'True' ? there(true) : notYet(`${pod} has the old password`);
      },
      { what: 'units to take the password over', timeoutMs: 120_000, say, intervalMs: 500 },
    );
  }

  check('replicas that connect anew use the new password', async () => {
    await onPrimary('select pg_terminate_backend(pid) from pg_stat_replication');

    await waitForSynchronous();
  });

  check('every unit shows that failover is paused, and that it is not any more', async () => {
    const [unit = '', other = ''] = units;
    const paused = await requireAction(model, { unit, action: 'pause-failover' });
    expect(paused['status']).toBe('failover paused');
    await waitForMessages((messages) => messages.every((one) => one.includes('failover paused')));

    const resumed = await requireAction(model, { unit: other, action: 'resume-failover' });
    expect(resumed['status']).toBe('failover resumed');
    await waitForMessages((messages) => messages.every((one) => !one.includes('paused')));
  });

  check('a replica is rebuilt, the primary and a healthy replica are not', async () => {
    await waitForSynchronous();
    const primary = (await findPrimary(model.name, postgresql)).replace(/-(\d+)$/, '/$1');
    const replica = units.find((unit) => unit !== primary) ?? '';
    const action = 'reinitialise-replica';

    expect(await runAction(model, { unit: primary, action })).toEqual({
      kind: 'failed',
      message: 'This unit is the primary: promote another unit first.',
    });
    expect(await runAction(model, { unit: replica, action })).toEqual({
      kind: 'failed',
      message: expect.stringMatching(/^This replica is healthy: streaming, \d+ bytes behind\./),
    });
  });

  check(
    'a rebuilt replica is another server with the same data, and explain has watched',
    async () => {
      const primary = await findPrimary(model.name, postgresql);
      const pod = pods.find((one) => one !== primary) ?? '';
      const unit = pod.replace(/-(\d+)$/, '/$1');
      const started = { sql: 'select pg_postmaster_start_time()' };
      const before = await query({ namespace: model.name, pod }, started);

      // `force` is a boolean; runAction gives texts.
      const rebuilt = await model.run('run', [
        '--wait=5m',
        unit,
        'reinitialise-replica',
        'force=true',
      ]);
      const { explanation } = await requireAction(model, { unit, action: 'explain' });

      expect(rebuilt.stdout).toContain('status: replica rebuilt');
      expect(await query({ namespace: model.name, pod }, started)).not.toBe(before);
      expect(explanation).toContain(`${unit} of model ${model.name}\n`);
      expect(explanation).toMatch(
        /\nPatroni of this unit\n {2}role: replica\n {2}state: streaming\n/,
      );
      await waitForSynchronous();
    },
  );

  check('nonsense is refused by Juju or by the charm, and does nothing', async () => {
    const params = { username: 'replication', password: 'short' };
    const unit = await findLeader();
    const outcome = await runAction(model, { unit, action: 'set-password', params });

    expect(outcome).toEqual({
      kind: 'failed',
      message: 'The password cannot be used: it has fewer than 8 characters',
    });
  });

  check('every acknowledged write is there once, on every member', async () => {
    await settle();
    await writer().stop();
    for (const { id } of writer().acks) ledger.add(id);
    const primary = await findPrimary(model.name, postgresql);
    const member = (pod: string) => ({ namespace: model.name, pod });
    const replicas = pods.filter((pod) => pod !== primary).map(member);

    const seen = await compareMembers({ primary: member(primary), replicas }, ledger);

    expect(seen).toEqual({ lost: [], duplicated: [], agree: true });
    expect(writer().acks.length).toBeGreaterThan(1_000);
  });
});
