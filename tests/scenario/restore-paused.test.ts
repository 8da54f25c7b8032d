// A pause that comes between the request of a restore and its beginning: Patroni's state, with the pause,
// would be forgotten, and come back with the data of before.

import { expect } from '@jest/globals';

import { updateStatus } from '../support/scenario/events.ts';
import {
  alone,
  annotationsOf,
  appData,
  asideFile,
  asking,
  configName,
  markFile,
  phaseOf,
  serviceOf,
} from '../support/scenario/postgresql/cluster-restore.ts';
import { dataFile, fileOf, inWorld, underTest } from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

function paused(given: PostgresqlState): PostgresqlState {
  const { config } = given.world.patroni;
  return inWorld(given, { patroni: { config: { ...config, pause: true } } });
}

for (const [when, given] of [
  ['while the others stop', asking],
  ['when all others have stopped', alone],
] as const) {
  scenario(`in a pause that comes ${when} no restore begins`, {
    charm: underTest,
    given: async () => paused(await given()),
    when: updateStatus,
    then: ({ state: after, disturbances }) => {
      expect(disturbances).toEqual([]);
      expect(phaseOf(after)).toBe('keep');
      expect(appData(after)['restore-failure']).toBe(
        'the restore of 2026-01-30T12:00:00Z failed, the data of before are in force: ' +
          'failover is paused: resume-failover first',
      );
      expect(fileOf(after, dataFile)).toBe('17\n');
      expect(fileOf(after, asideFile)).toBeUndefined();
      expect(fileOf(after, markFile)).toBeUndefined();
      expect(annotationsOf(after, configName)).toHaveProperty('initialize');
      expect(serviceOf(after)).toBe('active');
    },
    loosen: { secondRun: 'the next hook drops the request when nobody is down' },
  });
}
