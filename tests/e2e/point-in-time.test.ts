// Level 3. Labels: backup, restore.
// A client commits a row every 100 ms; a restore to any microsecond brings back exactly the rows that were
// committed until then, on the timeline that is asked for. POINT_IN_TIME_SEED repeats a run.

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
import { waitUntilSettled } from '../../scripts/demo/settle.ts';
import { renderTime } from '../../src/core/backups/restore-time.ts';
import { createDice } from '../support/e2e/dice.ts';
import {
  archiveAll,
  backUp,
  listRows,
  readTimeline,
  waitForMessages,
} from '../support/e2e/stamped-rows.ts';
import { image, useModel } from '../support/e2e/test-model.ts';
import { makeTicks, readNumbers, type Tick, tick } from '../support/e2e/ticks.ts';

const seed = Number(process.env['POINT_IN_TIME_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const rowCount = 200;

describe(`a restore to the microsecond (POINT_IN_TIME_SEED=${seed})`, () => {
  const { model, say, check } = useModel('e2e-point-in-time');
  const expected = { [postgresql]: 1, [s3Integrator]: 1 };
  const unit = `${postgresql}/0`;
  const member = { namespace: model.name, pod: `${postgresql}-0` };
  const roll = createDice(seed);
  let backup = '';
  /** Of the first timeline, and of the one that was written on. */
  let first: readonly Tick[] = [];
  let second: readonly Tick[] = [];
  let fork = 0;
  let forkTimeline = '';

  /** A time behind which something was committed: PostgreSQL gives up where the WAL ends before. */
  function chooseTime(ticks: readonly Tick[]): number {
    // Backups are known to the second, and those that end later are refused.
    const earliest = (ticks[0]?.micros ?? 0) + 2_000_000;
    const latest = ticks.at(-1)?.micros ?? 0;
    return Math.floor(earliest + roll() * (latest - earliest));
  }

  /** Those that were committed until then. */
  function until(ticks: readonly Tick[], micros: number): readonly number[] {
    return ticks.filter((one) => one.micros <= micros).map(({ n }) => n);
  }

  async function expectRestored(
    params: Readonly<Record<string, string>>,
    numbers: readonly number[],
  ): Promise<void> {
    const before = Number(await readTimeline(await findPrimary(model)));
    say(`restore ${JSON.stringify(params)}: ${numbers.length} rows until ${numbers.at(-1)}`);
    await requireAction(model, { unit, action: 'restore', params });
    await waitForMessages(model, [/^active: Primary$/], say);
    await waitUntilSettled(model, expected, { say });

    expect(await readNumbers(member)).toEqual(numbers);
    expect(Number(await readTimeline(await findPrimary(model)))).toBeGreaterThan(before);
    await archiveAll(model, say);
  }

  check('a unit with a backup, and a row every 100 ms', async () => {
    say(`POINT_IN_TIME_SEED=${seed}`);
    await deployPostgresql(model, { units: 1, image });
    await waitUntilSettled(model, { [postgresql]: 1 }, { say });
    // What an earlier run has left belongs to another cluster.
    const path = `${model.name}-${Date.now()}`;
    await deployS3Integrator(model, { ...(await s3Info()), bucket: 'point-in-time', path });
    await integrateS3(model);
    await waitUntilArchiving(model, say);
    await waitUntilSettled(model, expected, { say });
    await makeTicks(member);
    backup = await backUp(model);
    first = await tick(member, rowCount, say);
    await archiveAll(model, say);

    expect(first.length).toBeGreaterThanOrEqual(rowCount);
    const pauses = first.slice(1).map(({ micros }, at) => micros - (first[at]?.micros ?? 0));
    expect(Math.min(...pauses)).toBeGreaterThan(0);
  });

  for (const round of [1, 2, 3]) {
    check(`a random time, round ${round}`, async () => {
      const time = chooseTime(first);

      await expectRestored({ 'restore-to-time': renderTime(time) }, until(first, time));
    });
  }

  check('the very time of a commit, and the microsecond before', async () => {
    const time = first.find(({ micros }) => micros >= chooseTime(first))?.micros ?? 0;
    const including = until(first, time);

    await expectRestored({ 'restore-to-time': renderTime(time) }, including);
    await expectRestored({ 'restore-to-time': renderTime(time - 1) }, including.slice(0, -1));
  });

  check('a time on the first timeline, from where it is written on', async () => {
    fork = chooseTime(first);

    await expectRestored({ 'restore-to-time': renderTime(fork) }, until(first, fork));
    forkTimeline = await readTimeline(await findPrimary(model));
    second = await tick(member, rowCount, say);
    await archiveAll(model, say);
  });

  check('a time on the timeline that was written on', async () => {
    const time = chooseTime(second);

    await expectRestored({ 'restore-to-time': renderTime(time) }, [
      ...until(first, fork),
      ...until(second, time),
    ]);
  });

  check('back to a time on the first timeline, by a backup on it', async () => {
    const time = chooseTime(first);

    await expectRestored(
      { 'backup-id': backup, 'restore-to-time': renderTime(time) },
      until(first, time),
    );
  });

  check('and to a time on the one that was left, by the id of that', async () => {
    const time = chooseTime(second);
    const rows = await listRows(model, unit);
    const timeline = Number(forkTimeline).toString(16).toUpperCase();
    const row = rows.find(
      (one) => one.includes('| restore') && new RegExp(`\\| ${timeline} +\\|`).test(one),
    );

    await expectRestored(
      { 'backup-id': row?.split(' ')[0] ?? '', 'restore-to-time': renderTime(time) },
      [...until(first, fork), ...until(second, time)],
    );
  });
});
