// How backups are written follows the options at once, on every unit, and never half.

import { expect } from '@jest/globals';

import type { ConfigValue } from '../../lib/juju/juju.ts';
import { configChanged } from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const path = '/etc/pgbackrest.conf';

const withOptions = (
  given: PostgresqlState,
  config: Readonly<Record<string, ConfigValue>>,
): PostgresqlState => ({ ...given, config: { ...given.config, ...config } });

const changed = {
  backup_process_max: 3,
  backup_compress_type: 'lz4',
  backup_compress_level: -2,
  backup_bundle: false,
} as const;

const lines = (given: PostgresqlState): readonly string[] =>
  (fileOf(given, path) ?? '')
    .split('\n')
    .filter((line) => /compress|process|bundle|block/.test(line));

for (const leader of [true, false]) {
  scenario(`options of speed reach ${leader ? 'the leader' : 'a unit that does not lead'}`, {
    charm: underTest,
    given: async () => ({ ...withOptions(await backedUp(), changed), leader }),
    when: configChanged,
    then: ({ state: after }) => {
      expect(lines(after)).toEqual([
        'compress-level=-2',
        'compress-type=lz4',
        'process-max=3',
        'repo1-bundle=n',
      ]);
    },
  });
}

scenario('a level that its type does not take changes nothing, and is named', {
  charm: underTest,
  given: async () => {
    const before = await afterEvents(withOptions(await backedUp(), changed), configChanged);
    return withOptions(before, { backup_compress_level: 13, backup_process_max: 5 });
  },
  when: configChanged,
  then: ({ state: after }) => {
    expect(lines(after)).toContain('compress-level=-2');
    expect(lines(after)).toContain('process-max=3');
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'Configuration Error: backup_compress_level has to be from -5 to 12 for lz4, not "13"',
    });
  },
});
