// One suite for the pgBackRest of the scenarios and the real program: what listing, deleting and
// retention rely on.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import * as v from 'valibot';

import { systemClock } from '../../lib/base/clock.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { readArchive } from '../../src/adapters/archive.ts';
import { completeStanza } from '../../src/adapters/half-stanza.ts';
import {
  backup,
  createStanza,
  expire,
  info,
  listArchive,
  PgbackrestError,
  removeManifest,
  repositoryBytes,
} from '../../src/adapters/pgbackrest.ts';
import { verifyStanza } from '../../src/adapters/repository-check.ts';
import type { Backup } from '../../src/core/backups/backup-list.ts';
import { parseFileLine } from '../../src/core/backups/backup-progress.ts';
import { planDeletion } from '../../src/core/backups/deletion.ts';
import { judgeRepository } from '../../src/core/backups/findings.ts';
import { keepAll, type Retention, renderRetention } from '../../src/core/backups/retention.ts';
import { windowsOf } from '../../src/core/backups/windows.ts';
import { createFakePebble } from '../support/fake-pebble.ts';
import { fileEntry, pebbleState } from '../support/pebble-state.ts';
import { startPgbackrest } from '../support/pgbackrest-program.ts';
import { createCell, createClock } from '../support/scenario/host.ts';
import { runPgbackrest } from '../support/scenario/postgresql/pgbackrest.ts';
import { type PgbackrestWorld, world } from '../support/scenario/postgresql/world.ts';

const stanza = 'model.patroni-app';

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

describe.each(labs)('pgBackRest: $summary', ({ start }) => {
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

  async function make(...types: readonly ('full' | 'diff' | 'incr')[]): Promise<void> {
    for (const type of types) {
      await backup(lab.pebble, {
        stanza,
        type,
        replica: false,
        clock: systemClock,
        onLine: () => undefined,
      });
    }
  }

  async function backups(): Promise<readonly Backup[]> {
    const all = (await info(lab.pebble)).flatMap((one) => one.backups);
    return all.toSorted((one, other) => one.id.localeCompare(other.id));
  }

  function shape(all: readonly Backup[]): readonly string[] {
    const at = (label: string | undefined) => all.findIndex((one) => one.label === label);
    return all.map(({ type, prior }) => `${type} after ${at(prior)}`);
  }

  const ask = { dependents: true, force: true };

  /** What the charm says goes along, and what stays, by their places. */
  async function remove(place: number): Promise<readonly string[]> {
    const before = await backups();
    const chosen = before[place];
    const plan = planDeletion(before, { id: chosen?.id ?? '', ...ask }, '');
    if ('refusal' in plan || chosen === undefined) throw new Error('no such backup');
    if (plan.isLastFull) await removeManifest(lab.pebble, { stanza, label: chosen.label });
    const { fullsLeft } = plan;
    await expire(lab.pebble, {
      stanza,
      ...(plan.isLastFull ? {} : { label: chosen.label, fullsLeft }),
    });
    const after = (await backups()).map((one) => one.label);
    expect(after).toEqual(
      before.filter((one) => !plan.doomed.includes(one)).map((one) => one.label),
    );
    return after;
  }

  test('a setting without a value is refused, whatever it is asked', async () => {
    await lab.configure(['repo1-s3-region=']);

    for (const ask of [
      async () => await info(lab.pebble),
      async () => {
        await createStanza(lab.pebble, stanza);
      },
    ]) {
      await expect(ask()).rejects.toThrow(/key 'repo1-s3-region' must have a value$/);
    }
  });

  test('a stanza without backups is listed', async () => {
    expect(await info(lab.pebble)).toMatchObject([
      { name: stanza, statusCode: 2, encrypted: false, backups: [] },
    ]);
    expect((await readArchive(lab.pebble, await info(lab.pebble))).archive.histories).toEqual([]);
  });

  test('a stanza whose creation was cut short is made anew', async () => {
    await lab.halve();

    await expect(createStanza(lab.pebble, stanza)).rejects.toMatchObject({
      message: expect.stringContaining('archive.info exists but backup.info is missing'),
      fields: { exitCode: 55 },
    });
    await completeStanza(lab.pebble, stanza);

    expect(await info(lab.pebble)).toMatchObject([{ name: stanza, statusCode: 2, backups: [] }]);
  });

  test('a stanza that has lost a file is left alone when there are backups', async () => {
    await make('full');
    await lab.loseInfo();
    const before = await repositoryBytes(lab.pebble, stanza);

    await expect(completeStanza(lab.pebble, stanza)).rejects.toThrow(PgbackrestError);

    expect(await repositoryBytes(lab.pebble, stanza)).toBeGreaterThanOrEqual(before);
  });

  test('each backup says which one it continues, its WAL and its size', async () => {
    await make('full', 'diff', 'incr', 'incr', 'diff', 'incr');

    const all = await backups();

    expect(shape(all)).toEqual([
      'full after -1',
      'differential after 0',
      'incremental after 1',
      'incremental after 2',
      'differential after 0',
      'incremental after 4',
    ]);
    for (const one of all) {
      expect(one).toMatchObject({
        walStart: expect.stringMatching(/^00000001[0-9A-F]{16}$/),
        walStop: expect.stringMatching(/^00000001[0-9A-F]{16}$/),
        archiveId: expect.stringMatching(/^\d+-1$/),
        lsnStart: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
        bytes: { size: expect.any(Number), repoSizeDelta: expect.any(Number) },
      });
      expect(one.error).toBeUndefined();
    }
  });

  test('tells the listener of each file, and how much is done; the result is short', async () => {
    const lines: string[] = [];
    const result = await backup(lab.pebble, {
      stanza,
      type: 'full',
      replica: false,
      clock: systemClock,
      onLine: (line) => {
        lines.push(line);
      },
    });

    const files = lines.flatMap((line) => parseFileLine(line) ?? []);
    expect(files.length).toBeGreaterThan(1);
    expect(files.at(-1)?.percent).toBe(100);
    const [full] = await backups();
    const copied = files.reduce((sum, { bytes }) => sum + bytes, 0);
    // What pgBackRest rounds for each line.
    expect(copied / (full?.bytes.size ?? 0)).toBeCloseTo(1, 1);
    expect(result.stdout).toContain(`new backup label = ${full?.label}`);
    expect(result.stdout).not.toContain('DETAIL');
  });

  test('the archive is read, with the window that the backup opens', async () => {
    await make('full');

    const stanzas = await info(lab.pebble);
    const { archive, lineage } = await readArchive(lab.pebble, stanzas);
    const all = await backups();

    expect(archive.archives).toMatchObject([{ stanza, segmentBytes: 16 * 2 ** 20 }]);
    expect(windowsOf(all, archive.archives, lineage)).toMatchObject([
      { timeline: 1, earliestSeconds: all[0]?.stopSeconds, backups: [{ type: 'full' }] },
    ]);
  });

  test('a history file tells where its timeline came from', async () => {
    await make('full');
    const [first] = await backups();
    await lab.addHistory(first?.archiveId ?? '', '1\t0/70000A0\tno recovery target specified\n');

    const { archive, lineage } = await readArchive(lab.pebble, await info(lab.pebble));

    expect(archive.histories).toMatchObject([{ stanza, timeline: 2 }]);
    expect([...lineage.values()]).toEqual([[{ timeline: 1, endLsn: 0x70000a0 }], []]);
  });

  test('the only full backup is not deleted just so', async () => {
    await make('full', 'incr');
    const [full] = await backups();

    const refused = expire(lab.pebble, { stanza, label: full?.label ?? '' });

    await expect(refused).rejects.toBeInstanceOf(PgbackrestError);
    await expect(refused).rejects.toThrow(/cannot be expired until another full backup/);
    expect(await backups()).toHaveLength(2);
  });

  test('a backup goes with all that continue it, and with no others', async () => {
    await make('full', 'diff', 'incr', 'incr', 'diff', 'full');

    expect(await remove(1)).toHaveLength(3);
    expect(await remove(0)).toHaveLength(1);
  });

  async function segments(): Promise<readonly string[]> {
    const paths = Object.keys(
      v.parse(v.looseObject({}), JSON.parse(await listArchive(lab.pebble))),
    );
    return paths.flatMap((path) => /\/([0-9A-F]{24})-/.exec(path)?.[1] ?? []).toSorted();
  }

  test.each<Retention>([keepAll, { kind: 'time', days: 7 }, { kind: 'count', fullBackups: 3 }])(
    'WAL goes as far as no full backup that stays needs it (%j)',
    async (retention) => {
      await lab.keep(retention);
      await make('full', 'incr', 'full', 'full');
      const before = await segments();

      await remove(0);

      const [oldest] = await backups();
      const after = await segments();
      expect(after).toEqual(before.filter((segment) => segment >= (oldest?.walStart ?? '')));
      expect(after.length).toBeLessThan(before.length);
      await remove(1);
      expect(await segments()).toEqual(after);
    },
  );

  test('without the number of full backups that stay, all WAL stays with a single one that goes', async () => {
    await make('full', 'full', 'full');
    const before = await segments();
    const [first, second] = await backups();

    for (const [retention, backup] of [
      [keepAll, first],
      [{ kind: 'count', fullBackups: 2 }, second],
    ] as const) {
      await lab.keep(retention);
      await expire(lab.pebble, { stanza, label: backup?.label ?? '' });
    }

    expect(await backups()).toHaveLength(1);
    expect(await segments()).toEqual(before);
  });

  test('the last full backup goes when its manifest is taken away', async () => {
    await make('full', 'incr');
    const before = await repositoryBytes(lab.pebble, stanza);
    const archived = await segments();

    expect(await remove(0)).toEqual([]);

    expect(await segments()).toEqual(archived);
    expect(await repositoryBytes(lab.pebble, stanza)).toBeLessThan(before);
    await make('full');
    expect(shape(await backups())).toEqual(['full after -1']);
  });

  test('a manifest that is gone already is fine', async () => {
    await make('full');
    const label = (await backups())[0]?.label ?? '';

    await removeManifest(lab.pebble, { stanza, label });
    await removeManifest(lab.pebble, { stanza, label });
    await expire(lab.pebble, { stanza });

    expect(await backups()).toEqual([]);
  });

  test('retention by number keeps the newest, and says what went', async () => {
    await make('full', 'incr', 'full', 'full');
    const labels = (await backups()).map(({ label }) => label);
    await lab.keep({ kind: 'count', fullBackups: 2 });

    const removed = await expire(lab.pebble, { stanza });

    expect((await backups()).map(({ label }) => label)).toEqual(labels.slice(2));
    for (const label of labels.slice(0, 2)) {
      expect(removed.join('\n')).toContain(`remove expired backup ${label}`);
    }
  });

  async function judge() {
    const verification = await verifyStanza(lab.pebble, stanza);
    const stanzas = await info(lab.pebble);
    const { archive, lineage } = await readArchive(lab.pebble, stanzas);
    const repository = { stanza, backups: await backups(), archive, lineage };
    return { verification, ...judgeRepository(verification, repository) };
  }

  test('a sound repository is verified', async () => {
    await make('full', 'incr');

    const { verification, good, problems } = await judge();

    expect(problems).toEqual([]);
    expect(good).toEqual(await backups());
    expect(verification).toMatchObject({
      content: true,
      archives: [{ name: expect.stringMatching(/^\d+-1$/), faults: '' }],
      backups: good.map(({ label }) => ({ name: label, status: 'valid', faults: '' })),
      files: [],
      notes: [],
    });
  });

  test('one bit that has turned in a backup is found, and costs those that build on it', async () => {
    await make('full', 'incr', 'full');
    const [first, second, third] = await backups();
    await lab.damageBackup(first?.label ?? '');

    const { verification, good, bad, problems } = await judge();

    expect(verification.content).toBe(false);
    expect(good).toEqual([third]);
    expect([...bad.keys()]).toEqual([first?.label, second?.label]);
    expect(problems[0]).toMatch(
      /^backup \S+Z: 1 of \d+ files cannot be relied on \((?:checksum invalid|other): 1\): pg_data\/base\/\d+\/\w+/,
    );
  });

  test('one bit that has turned in the WAL of a backup is found', async () => {
    await make('full');
    const [only] = await backups();
    await lab.spoilWal(only?.walStop ?? '', 'damage');

    const { good, problems } = await judge();

    expect(good).toEqual([]);
    expect(problems).toEqual([
      `backup ${only?.id}: WAL that it cannot do without is damaged: ${only?.walStop}`,
      expect.stringMatching(
        /^WAL archive \d+-1: 1 of \d+ files .*\((?:checksum invalid|other): 1\): [0-9A-F]{24}$/,
      ),
    ]);
  });

  test('WAL that is gone is found, which pgBackRest is content with', async () => {
    await make('full');
    const [only] = await backups();
    await lab.spoilWal(only?.walStop ?? '', 'remove');

    const { verification, good, problems } = await judge();

    expect(verification.content).toBe(true);
    expect(good).toEqual([]);
    expect(problems[0]).toBe(
      `backup ${only?.id}: WAL that it cannot do without is missing, of ${only?.walStart} to ${only?.walStop}`,
    );
  });

  test('a label that is none, and one that is not there', async () => {
    await make('full');

    await expect(expire(lab.pebble, { stanza, label: 'none' })).rejects.toThrow(/not a valid/);
    expect(await expire(lab.pebble, { stanza, label: '20200101-000000F' })).toEqual([]);
  });
});
