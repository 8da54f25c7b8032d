// The data of before on their way out: whatever is killed meanwhile, what stands in their place is whole,
// or gone.

import { expect, test } from '@jest/globals';

import { updateStatus } from '../support/scenario/events.ts';
import {
  request,
  root,
  serviceOf,
  told,
  withBags,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  dataFile,
  fileOf,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';

const controlFile = 'global/pg_control';
const copiedFile = `${root}/restore-copied`;
const discarded = `${root}/pgdata-discarded`;

/** The others go back, before this unit has copied anything. */
const givenUp = (given: PostgresqlState) =>
  withBags(given, {
    app: { 'restore-request': request('keep'), 'restores-abandoned': 'r1' },
  });

/** The process dies when a few files are gone. */
const half = (given: PostgresqlState) =>
  run({
    charm: underTest,
    state: given,
    event: updateStatus,
    execs: () => ({
      postgresql: [
        {
          command: ['rm', '--recursive', '--force'],
          respond: ({ command }, fake): never => {
            const gone = `${command.at(-1) ?? ''}/${controlFile}`;
            fake.update((state) => ({
              ...state,
              files: Object.fromEntries(
                Object.entries(state.files).filter(([path]) => path !== gone),
              ),
            }));
            throw new Error('killed');
          },
        },
      ],
    }),
  });

test('a unit that was killed while its data went does not start with half of them', async () => {
  const killed = await half(await told('clone'));
  expect(killed.exitCode).not.toBe(0);

  const kept = withBags(killed.state, { app: { 'restore-request': request('keep') } });
  const reached = await afterEvents(kept, updateStatus, updateStatus);

  expect(fileOf(reached, dataFile)).toBeUndefined();
  expect(Object.keys(reached.containers['postgresql']?.files ?? {})).not.toContain(
    `${discarded}/PG_VERSION`,
  );
});

test('what is left of data that were going is removed by the next hook', async () => {
  const { state: killed } = await half(await told('clone'));
  expect(fileOf(killed, `${discarded}/PG_VERSION`)).toBe('17\n');

  const reached = await afterEvents(killed, updateStatus);

  expect(fileOf(reached, `${discarded}/PG_VERSION`)).toBeUndefined();
  expect(serviceOf(reached)).toBe('active');
});

test('whenever a unit is killed before its data go, they are not taken for restored ones', async () => {
  const given = await told('clone');
  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  const whole = interruptions
    .map(({ state }) => state)
    .filter((one) => fileOf(one, dataFile) !== undefined);
  for (const killed of whole) {
    const reached = await afterEvents(givenUp(killed), updateStatus, updateStatus);

    expect(fileOf(reached, dataFile)).toBe('17\n');
    expect(fileOf(reached, copiedFile)).toBeUndefined();
    expect(serviceOf(reached)).toBe('active');
  }

  expect(whole.filter((one) => fileOf(one, copiedFile) !== undefined).length).toBeGreaterThan(0);
});
