// Level 2. Labels: config, failover.
// Options that need a restart, changed while a client writes: every member ends with the new values,
// nothing that was acknowledged is lost, and writes hardly stop.

import { describe, expect } from '@jest/globals';

import { CloudCommandError } from '../../cloud/client.ts';
import { postgresql } from '../../scripts/demo/deploy.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { compareMembers } from '../../scripts/faults/checker.ts';
import { createLedger } from '../../scripts/faults/ledger.ts';
import { findPrimary } from '../../scripts/faults/primary.ts';
import { query } from '../../scripts/faults/sql.ts';
import { findGap, lengthOf } from '../../scripts/faults/writes.ts';
import { useModel } from '../support/e2e/test-model.ts';
import { pods, useWrittenCluster } from '../support/e2e/written-cluster.ts';

/** A member that is being restarted lets nobody in. */
function whileRestarting(error: unknown): ReturnType<typeof notYet> {
  if (!(error instanceof CloudCommandError)) throw error;
  return notYet('a member that is being restarted');
}

describe('options that need a restart', () => {
  const test = useModel('e2e-rolling-restart');
  const { model, say, check } = test;
  const { writer, settle } = useWrittenCluster(test);
  const ledger = createLedger();
  async function show(parameter: string): Promise<readonly string[]> {
    const sql = `show ${parameter}`;
    return await Promise.all(pods.map((pod) => query({ namespace: model.name, pod }, { sql })));
  }

  /** When each server process started. */
  async function readStarts(): Promise<readonly string[]> {
    const sql = 'select pg_postmaster_start_time()';
    return await Promise.all(pods.map((pod) => query({ namespace: model.name, pod }, { sql })));
  }

  async function waitForValue(parameter: string, value: string): Promise<void> {
    const look = async () => {
      const shown = await show(parameter);
      if (shown.every((one) => one === value)) return there(true);
      return notYet(`${parameter} is ${shown.join(', ')}`);
    };
    await waitFor(async () => await look().catch(whileRestarting), {
      what: `${parameter} to be ${value}`,
      timeoutMs: 420_000,
      say,
      intervalMs: 1_000,
    });
    await settle();
  }

  /** Changes options and waits; gives the longest time without a write, in seconds. */
  async function change(options: readonly string[], wanted: readonly [string, string]) {
    const fromMs = Date.now();
    await model.run('config', [postgresql, ...options]);
    await waitForValue(...wanted);
    const toMs = Date.now();
    const gapS = lengthOf(findGap(writer().acks, { fromMs, toMs })) / 1_000;
    say(`${options.join(' ')}: ${(toMs - fromMs) / 1_000} s, writes stopped for ${gapS} s`);
    return { gapS, primary: await findPrimary(model.name, postgresql) };
  }

  check('larger values reach every member, and the primary moves', async () => {
    const [before, starts] = [await findPrimary(model.name, postgresql), await readStarts()];

    const { gapS, primary } = await change(
      ['experimental_max_connections=200', 'memory_max_prepared_transactions=20'],
      ['max_connections', '200'],
    );

    expect(await show('max_prepared_transactions')).toEqual(['20', '20', '20']);
    expect(primary).not.toBe(before);
    expect((await readStarts()).filter((start) => starts.includes(start))).toEqual([]);
    expect(gapS).toBeLessThan(15);
  });

  check('smaller values reach every member, and the primary stays', async () => {
    const before = await findPrimary(model.name, postgresql);

    const { gapS, primary } = await change(
      ['experimental_max_connections=150', 'memory_max_prepared_transactions=10'],
      ['max_connections', '150'],
    );

    expect(await show('max_prepared_transactions')).toEqual(['10', '10', '10']);
    expect(primary).toBe(before);
    expect(gapS).toBeLessThan(25);
  });

  check('an option that needs no restart restarts nobody', async () => {
    const starts = await readStarts();

    await model.run('config', [postgresql, 'memory_work_mem=8192']);
    await waitForValue('work_mem', '8MB');

    expect(await readStarts()).toEqual(starts);
  });

  check('every acknowledged write is there once, on every member', async () => {
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
