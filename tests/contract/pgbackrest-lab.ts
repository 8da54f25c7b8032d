// The pgBackRest of the scenarios and the real program, each with a repository, for suites that both
// have to pass.

import { afterAll, beforeAll, beforeEach, describe } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { backup, createStanza, info } from '../../src/adapters/pgbackrest.ts';
import type { Backup } from '../../src/core/backups/backup-list.ts';
import { type Retention, renderRetention } from '../../src/core/backups/retention.ts';
import { createFakePebble } from '../support/fake-pebble.ts';
import { fileEntry, pebbleState } from '../support/pebble-state.ts';
import { startPgbackrest } from '../support/pgbackrest-program.ts';
import { createCell, createClock } from '../support/scenario/host.ts';
import { runPgbackrest } from '../support/scenario/postgresql/pgbackrest.ts';
import { type PgbackrestWorld, world } from '../support/scenario/postgresql/world.ts';

export const stanza = 'model.patroni-app';

interface Lab {
  readonly pebble: Pebble;
  /** Begins with an empty repository again. */
  empty(): Promise<void>;
  /** What `expire` keeps. */
  keep(retention: Retention): Promise<void>;
  /** Lines of its configuration file. */
  configure(lines: readonly string[]): Promise<void>;
  /** Damages the first file of a backup. */
  damageBackup(label: string): Promise<void>;
  /** Damages a segment of the archive, or takes it away. */
  spoilWal(segment: string, how: 'damage' | 'remove'): Promise<void>;
  /** Leaves of the stanza what there is when its creation was cut short. */
  halve(): Promise<void>;
  /** Takes the information file of the backups away. */
  loseInfo(): Promise<void>;
  /** Puts a history file into the archive. */
  addHistory(archiveId: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

function linesOf(retention: Retention): readonly string[] {
  return Object.entries(renderRetention(retention)).map(
    ([key, value]) => `${key}=${String(value)}`,
  );
}

async function startReal(): Promise<Lab> {
  const program = await startPgbackrest(stanza);
  const keep = async (retention: Retention): Promise<void> => {
    await program.configure(linesOf(retention));
  };
  return {
    pebble: program.pebble,
    empty: async () => {
      await program.empty();
      await keep({ kind: 'count', fullBackups: 9 });
    },
    keep,
    configure: async (lines) => {
      await program.configure(lines);
    },
    damageBackup: async (label) => {
      const files = await program.files();
      const path = files.find((file) => file.startsWith(`backup/${stanza}/${label}/pg_data/base/`));
      await program.damage(path ?? '');
    },
    spoilWal: async (segment, how) => {
      const path = (await program.files()).find((file) => file.includes(`/${segment}-`)) ?? '';
      await program[how](path);
    },
    halve: async () => {
      const rest = /\/archive\.info(\.copy)?$/;
      for (const file of await program.files()) if (!rest.test(file)) await program.remove(file);
    },
    loseInfo: async () => {
      for (const name of ['backup.info', 'backup.info.copy']) {
        await program.remove(`backup/${stanza}/${name}`);
      }
    },
    addHistory: async (archiveId, text) => {
      await program.write(`archive/${stanza}/${archiveId}/00000002.history`, text);
    },
    stop: async () => {
      await program.stop();
    },
  };
}

async function startFake(): Promise<Lab> {
  const segment = (number: number) => {
    const name = `0000000100000000${number.toString(16).padStart(8, '0').toUpperCase()}`;
    return `${stanza}/17-1/${name.slice(0, 16)}/${name}-${'0a'.repeat(20)}.zst`;
  };
  const archive = Object.fromEntries(
    Array.from({ length: 9 }, (_, index) => [segment(index + 1), { seconds: 2_000_000_000 }]),
  );
  const fresh = () => world({ pgbackrest: { archive } });
  const cell = createCell(fresh());
  const host = {
    world: cell,
    clock: createClock(Date.UTC(2026, 0, 31, 12, 0, 0)),
    unexpected: (what: string) => new Error(what),
  };
  const pebble = createFakePebble({
    container: 'postgresql',
    state: pebbleState({ users: { postgres: 'postgres' } }),
    execs: [
      { command: ['pgbackrest'], respond: (call, fake) => runPgbackrest(host, call, fake) },
      {
        command: ['nice', '-n', '19'],
        respond: (call, fake) =>
          runPgbackrest(host, { ...call, command: call.command.slice(3) }, fake),
      },
    ],
  });
  const configure = async (lines: readonly string[]): Promise<void> => {
    const file = { '/etc/pgbackrest.conf': fileEntry(`${lines.join('\n')}\n`) };
    pebble.update((now) => ({ ...now, files: { ...now.files, ...file } }));
    await Promise.resolve();
  };
  const half = [`archive/${stanza}/archive.info`, `archive/${stanza}/archive.info.copy`];
  const update = (part: Partial<PgbackrestWorld>): void => {
    cell.update((now) => ({ ...now, pgbackrest: { ...now.pgbackrest, ...part } }));
  };
  return await Promise.resolve({
    pebble,
    empty: async () => {
      cell.update(fresh);
      await configure(linesOf({ kind: 'count', fullBackups: 9 }));
    },
    keep: async (retention: Retention) => {
      await configure(linesOf(retention));
    },
    configure,
    damageBackup: async (label: string) => {
      cell.update((now) => {
        const damaged = { [`${label}/pg_data/base/1/1255.zst`]: 'invalid checksum' } as const;
        return { ...now, pgbackrest: { ...now.pgbackrest, damaged } };
      });
      await Promise.resolve();
    },
    spoilWal: async (segment: string, how: 'damage' | 'remove') => {
      cell.update((now) => {
        const { archive } = now.pgbackrest;
        const path = Object.keys(archive).find((one) => one.includes(`/${segment}-`)) ?? '';
        const { [path]: _, ...rest } = archive;
        const damaged = { [path.replace(`${stanza}/`, '')]: 'invalid checksum' } as const;
        const change = how === 'remove' ? { archive: rest } : { damaged };
        return { ...now, pgbackrest: { ...now.pgbackrest, ...change } };
      });
      await Promise.resolve();
    },
    halve: async () => {
      update({ half, stanzas: [], archive: {} });
      await Promise.resolve();
    },
    loseInfo: async () => {
      update({ half });
      await Promise.resolve();
    },
    addHistory: async (archiveId: string, text: string) => {
      const file = { seconds: 2_000_000_000, text };
      cell.update((now) => ({
        ...now,
        pgbackrest: {
          ...now.pgbackrest,
          archive: {
            ...now.pgbackrest.archive,
            [`${stanza}/${archiveId}/00000002.history`]: file,
          },
        },
      }));
      await Promise.resolve();
    },
    stop: async () => {
      await Promise.resolve();
    },
  });
}

const labs = [
  { summary: 'in memory', start: startFake },
  { summary: 'the real program', start: startReal },
];

export interface Bench {
  /** There while tests run, with a fresh stanza for each. */
  readonly lab: () => Lab;
  /** Makes backups, one after another. */
  readonly make: (...types: readonly ('full' | 'diff' | 'incr')[]) => Promise<void>;
  /** All of them, oldest first. */
  readonly backups: () => Promise<readonly Backup[]>;
}

/** Of each backup: its type, and the place of the one that it continues. */
export function shape(all: readonly Backup[]): readonly string[] {
  const at = (label: string | undefined) => all.findIndex((one) => one.label === label);
  return all.map(({ type, prior }) => `${type} after ${at(prior)}`);
}

/** The same tests with each of them. */
export function describeLabs(tests: (bench: Bench) => void): void {
  describe.each(labs)('pgBackRest: $summary', ({ start }) => {
    tests(useLab(start));
  });
}

function useLab(start: () => Promise<Lab>): Bench {
  let lab: Lab;

  beforeAll(async () => {
    lab = await start();
  }, 600_000);

  beforeEach(async () => {
    await lab.empty();
    await createStanza(lab.pebble, stanza);
  });

  afterAll(async () => {
    await lab?.stop();
  });

  return {
    lab: () => lab,
    make: async (...types) => {
      for (const type of types) {
        await backup(lab.pebble, {
          stanza,
          type,
          replica: false,
          clock: systemClock,
          onLine: () => undefined,
        });
      }
    },
    backups: async () => {
      const all = (await info(lab.pebble)).flatMap((one) => one.backups);
      return all.toSorted((one, other) => one.id.localeCompare(other.id));
    },
  };
}
