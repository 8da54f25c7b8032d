// What a unit does when its disk fills, and when there is space again.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import {
  configChanged,
  pebbleNotice,
  pebbleReady,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  primary,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const notice = pebbleNotice('postgresql', 'postgresql.charm/disk-space');
const config = '/var/lib/postgresql/data/patroni.yml';
const readOnlyLine = 'default_transaction_read_only: "yes"';
const optionLine = 'default_transaction_read_only: "on"';

interface Disk {
  readonly level: 'ok' | 'low' | 'full';
  /** As the member's file says. */
  readonly readOnly?: boolean;
  /** Bytes of the volume; 1 GiB unless told. */
  readonly total?: number;
}

/** A primary whose watcher has seen this. */
async function withDisk({ level, readOnly = false }: Disk): Promise<PostgresqlState> {
  const known = await after(
    seeing(await running({ leader: true }), { level: 'ok' }),
    configChanged,
  );
  return seeing(known, { level, readOnly });
}

function seeing(given: PostgresqlState, disk: Disk): PostgresqlState {
  return inContainer(given, ({ files }) => ({
    files: { ...files, '/run/charm-watch.json': fileEntry(seen(disk)) },
  }));
}

function seen({ level, readOnly = false, total = 1024 ** 3 }: Disk): string {
  const percent = { ok: 40, low: 7, full: 1 }[level];
  return JSON.stringify({
    disk: { level, free_percent: percent, total, read_only: readOnly },
    fences: [],
  });
}

const blocked = (message: string) => ({ level: 'blocked', message });
const low = blocked('<10% free space on pgdata volume.');
const full = blocked('pgdata volume is full, clients may only read');

for (const when of [notice, updateStatus]) {
  const by = when.event.name;
  scenario(`on a full disk clients may only read (${by})`, {
    charm: underTest,
    given: async () => await withDisk({ level: 'full' }),
    when,
    then: ({ state: reached, disturbances }) => {
      expect(fileOf(reached, config)).toContain(readOnlyLine);
      expect(fileOf(reached, config)).toContain('max_slot_wal_keep_size: 512MB');
      expect(fileOf(reached, config)).toContain('max_wal_size: 256MB');
      expect(disturbances).toEqual(['Patroni of postgresql-k8s-0 reloaded its file']);
      expect(reached.unitStatus).toEqual(full);
    },
  });

  scenario(`when there is space again they may write (${by})`, {
    charm: underTest,
    given: async () => await withDisk({ level: 'ok', readOnly: true }),
    when,
    then: ({ state: reached }) => {
      expect(fileOf(reached, config)).not.toContain(readOnlyLine);
      expect(reached.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    },
  });
}

scenario('a disk that is only low stops nobody', {
  charm: underTest,
  given: async () => await withDisk({ level: 'low' }),
  when: notice,
  then: ({ state: reached, disturbances }) => {
    expect(fileOf(reached, config)).not.toContain(readOnlyLine);
    expect(disturbances).toEqual([]);
    expect(reached.unitStatus).toEqual(low);
  },
});

scenario('a disk that was full is not written to again before there is plenty of space', {
  charm: underTest,
  given: async () => {
    const before = await withDisk({ level: 'low', readOnly: true });
    return inContainer(before, ({ files }) => ({
      files: {
        ...files,
        [config]: fileEntry(`${fileOf(before, config)}    ${readOnlyLine}\n`, {
          user: 'postgres',
          group: 'postgres',
          mode: '0600',
        }),
      },
    }));
  },
  when: notice,
  then: ({ state: reached, disturbances }) => {
    expect(fileOf(reached, config)).toContain(readOnlyLine);
    expect(disturbances).toEqual([]);
    // Whatever is free by now.
    expect(reached.unitStatus).toEqual(full);
  },
});

const readOnlyOption = (given: PostgresqlState, value: boolean): PostgresqlState => ({
  ...given,
  config: { ...given.config, request_default_transaction_read_only: value },
});

/** With the option that lets clients only read, taken over. */
async function withOption(disk: Disk): Promise<PostgresqlState> {
  const given = seeing(await running({ leader: true }), { level: 'ok' });
  return seeing(await after(readOnlyOption(given, true), configChanged), disk);
}

scenario('on a full disk the option gives way to what the disk needs', {
  charm: underTest,
  given: async () => await withOption({ level: 'full' }),
  when: notice,
  then: ({ state: reached }) => {
    expect(fileOf(reached, config)).toContain(readOnlyLine);
    expect(fileOf(reached, config)).not.toContain(optionLine);
    expect(reached.unitStatus).toEqual(full);
  },
});

scenario('and is in force again when there is space', {
  charm: underTest,
  given: async () => {
    const answered = await after(await withOption({ level: 'full' }), notice);
    return seeing(answered, { level: 'ok', readOnly: true });
  },
  when: notice,
  then: ({ state: reached }) => {
    expect(fileOf(reached, config)).toContain(optionLine);
    expect(reached.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

const mistakenly = (given: PostgresqlState): PostgresqlState => ({
  ...given,
  config: { ...given.config, profile: 'huge', memory_work_mem: 9000 },
});

const mistake = blocked(
  'Configuration Error: profile has to be one of production, testing, not "huge"',
);

scenario('clients may write again also while an option is wrong', {
  charm: underTest,
  given: async () => {
    const answered = await after(await withDisk({ level: 'full' }), notice);
    expect(fileOf(answered, config)).toContain(readOnlyLine);
    return seeing(mistakenly(answered), { level: 'ok', readOnly: true });
  },
  when: notice,
  then: ({ state: reached, disturbances }) => {
    expect(fileOf(reached, config)).not.toContain(readOnlyLine);
    expect(fileOf(reached, config)).not.toContain('9000kB');
    expect(disturbances).toEqual(['Patroni of postgresql-k8s-0 reloaded its file']);
    expect(reached.unitStatus).toEqual(mistake);
  },
});

scenario('on a full disk they may only read whatever option is wrong', {
  charm: underTest,
  given: async () => seeing(mistakenly(await withDisk({ level: 'ok' })), { level: 'full' }),
  when: notice,
  then: ({ state: reached }) => {
    expect(fileOf(reached, config)).toContain(readOnlyLine);
  },
});

/** A leader that keeps so much WAL as its volume of 1 GiB allows. */
async function keeping(): Promise<PostgresqlState> {
  const given = await running({ leader: true });
  const options = { durability_wal_keep_size: 4096 };
  const small = seeing({ ...given, config: options }, { level: 'low' });
  return await after(small, configChanged);
}

const keptOf = ({ world }: PostgresqlState) => world.patroni.config['postgresql'];

for (const when of [notice, updateStatus]) {
  scenario(`what WAL may take follows a volume that grows (${when.event.name})`, {
    charm: underTest,
    given: async () => {
      const before = await keeping();
      expect(fileOf(before, config)).toContain('max_slot_wal_keep_size: 512MB');
      expect(keptOf(before)).toMatchObject({ parameters: { wal_keep_size: 256 } });
      return seeing(before, { level: 'ok', total: 4 * 1024 ** 3 });
    },
    when,
    then: ({ state: reached, disturbances }) => {
      expect(fileOf(reached, config)).toContain('max_slot_wal_keep_size: 2048MB');
      expect(keptOf(reached)).toMatchObject({ parameters: { wal_keep_size: 1024 } });
      expect(disturbances).toEqual(['Patroni of postgresql-k8s-0 reloaded its file']);
    },
  });
}

scenario(
  'a volume that shares its space, and so is never of quite the same size, changes nothing',
  {
    charm: underTest,
    given: async () => seeing(await keeping(), { level: 'low', total: 1.04 * 1024 ** 3 }),
    when: configChanged,
    then: ({ state: reached, disturbances }) => {
      expect(fileOf(reached, config)).toContain('max_slot_wal_keep_size: 512MB');
      expect(keptOf(reached)).toMatchObject({ parameters: { wal_keep_size: 256 } });
      expect(disturbances).toEqual([]);
    },
  },
);

scenario('a new pod keeps to the volume before its watcher has looked', {
  charm: underTest,
  given: async () => {
    const before = await keeping();
    return inContainer(inNewContainer(before), ({ files }) => ({
      files: Object.fromEntries(
        Object.entries(files).filter(([path]) => path !== '/run/charm-watch.json'),
      ),
    }));
  },
  when: pebbleReady('postgresql'),
  then: ({ state: reached }) => {
    expect(fileOf(reached, config)).toContain('max_slot_wal_keep_size: 512MB');
    expect(keptOf(reached)).toMatchObject({ parameters: { wal_keep_size: 256 } });
  },
});

for (const level of ['ok', 'low'] as const) {
  scenario(`with the option a disk that is ${level} is nothing to act on`, {
    charm: underTest,
    given: async () => await withOption({ level }),
    when: notice,
    then: ({ state: reached, calls }) => {
      expect(calls.map(({ summary }) => summary)).not.toContain(JSON.stringify(config));
      expect(fileOf(reached, config)).toContain(optionLine);
      expect(reached.unitStatus).toEqual(
        level === 'low' ? low : { level: 'active', message: 'Primary' },
      );
    },
  });
}

scenario('a disk that is low keeps nobody from setting the option back', {
  charm: underTest,
  given: async () => readOnlyOption(await withOption({ level: 'low' }), false),
  when: configChanged,
  then: ({ state: reached }) => {
    expect(fileOf(reached, config)).toContain('default_transaction_read_only: "off"');
    expect(reached.unitStatus).toEqual(low);
  },
});

scenario('a database that is down for its full disk says so', {
  charm: underTest,
  given: async () =>
    inWorld(await withDisk({ level: 'full', readOnly: true }), {
      patroni: { members: [{ ...primary(0), state: 'start failed' }] },
    }),
  when: updateStatus,
  then: ({ state: reached }) => {
    expect(fileOf(reached, config)).toContain(readOnlyLine);
    expect(reached.unitStatus).toEqual(full);
  },
});

scenario('a disk that is low keeps nothing else from being made up for', {
  charm: underTest,
  given: async () =>
    inContainer(await withDisk({ level: 'low' }), ({ services }) => ({
      services: { ...services, postgresql: { current: 'inactive' } },
    })),
  when: updateStatus,
  then: ({ state: reached }) => {
    expect(reached.containers['postgresql']?.services['postgresql']).toEqual({ current: 'active' });
    expect(reached.unitStatus).toEqual(low);
  },
});
