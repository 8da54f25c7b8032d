import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';

import { Secret } from '../../../../lib/base/secret.ts';
import { type BackupSpeed, speedIn, usualSpeed } from '../../../../src/core/backups/speed.ts';
import {
  deriveClusterParameters,
  deriveLocalParameters,
} from '../../../../src/core/config/derive.ts';
import { options } from '../../../../src/core/config/options.ts';
import { systemSessionSettings } from '../../../../src/core/config/session-settings.ts';
import type { Settings } from '../../../../src/core/config/settings.ts';
import { validateSettings } from '../../../../src/core/config/validate.ts';
import { renderIni } from '../../../../src/core/render/ini.ts';
import {
  type Document,
  type DynamicFacts,
  dynamicNotes,
  leftOutParameters,
  type MemberFacts,
  renderDynamic,
  renderMember,
} from '../../../../src/core/render/patroni.ts';
import { type RepositoryFacts, renderPgbackrest } from '../../../../src/core/render/pgbackrest.ts';

const golden = (name: string) =>
  readFileSync(new URL(`../../../golden/${name}`, import.meta.url), 'utf8');

function settings(raw: Readonly<Record<string, unknown>> = {}): Settings {
  const result = validateSettings(raw);
  if (result.kind === 'invalid') throw new Error(result.problems.join('; '));
  return result.settings;
}

const resources = { cores: 2, memoryBytes: 8 * 2 ** 30 };
const member: MemberFacts = {
  unit: 'postgresql-k8s/0',
  app: 'postgresql-k8s',
  namespace: 'model',
  podIp: '10.1.2.3',
  binDir: '/usr/lib/postgresql/17/bin',
  passwords: {
    operator: new Secret('password-of-operator'),
    replication: new Secret('password-of-replication'),
    rewind: new Secret('password-of-rewind'),
    patroni: new Secret('password-of-patroni'),
  },
  settings: settings(),
  resources,
  preloadLibraries: ['pgaudit', 'pg_stat_statements'],
  members: 3,
  stanza: undefined,
  connectivity: true,
  initialised: true,
  bootstrap: { kind: 'initdb' },
};

const yaml = (facts: MemberFacts) =>
  stringify(renderMember(facts), { lineWidth: 0, version: '1.1' });

test('the configuration of a member is the golden file', () => {
  expect(yaml(member)).toBe(golden('patroni.yml'));
});

test('a member that restores a backup bootstraps by pgBackRest', () => {
  const restoring: MemberFacts = {
    ...member,
    stanza: 'model.patroni-postgresql-k8s',
    bootstrap: {
      kind: 'restore',
      target: { stanza: 'model.patroni-postgresql-k8s', label: '20260131-120000F', timeline: 3 },
    },
  };

  expect(yaml(restoring)).toBe(golden('patroni-restore.yml'));
});

test.each([
  [{ timeline: 2, time: 'latest' }, '--type=default --target-timeline=2'],
  [
    { timeline: 2, time: '2026-01-31 12:00:00.500000+00' },
    '--type=time "--target=2026-01-31 12:00:00.500000+00" --target-timeline=2 --target-action=promote',
  ],
  [{ time: 'latest' }, '--type=default'],
])('recovery goes along the timeline until the time: %j', (until, options) => {
  const target = { stanza: 'old.db', label: '20260131-120000F', ...until };

  const document = renderMember({ ...member, bootstrap: { kind: 'restore', target } });

  const command = `pgbackrest --stanza=old.db --pg1-path=/var/lib/postgresql/data/pgdata --set=20260131-120000F ${options} restore`;
  expect(document).toMatchObject({
    bootstrap: {
      pgbackrest: { command },
      dcs: { postgresql: { parameters: { archive_command: '/bin/false' } } },
    },
  });
});

const repository: RepositoryFacts = {
  stanza: 'model.patroni-postgresql-k8s',
  endpoint: 'https://s3.example.com',
  bucket: 'bucket',
  path: '/pg',
  region: 'eu-1',
  uriStyle: 'path',
  accessKey: new Secret('access'),
  secretKey: new Secret('secret'),
  hasCaChain: true,
  retention: { kind: 'time', days: 30 },
  speed: usualSpeed,
  cores: 2,
  tlsPeers: [],
};

// The watcher does it by itself, and neither may undo what the other did.
test('a full disk changes one word of the file, and not to that of the option', () => {
  const changed = golden('patroni.yml').replace('_read_only: "off"', '_read_only: "yes"');

  expect(yaml({ ...member, readOnly: true })).toBe(changed);
  expect(changed).not.toBe(golden('patroni.yml'));
});

test('the configuration of pgBackRest is the golden file', () => {
  expect(renderIni(renderPgbackrest(repository))).toBe(golden('pgbackrest.conf'));
});

test('the pass of an encrypted repository stands in the file, and nowhere else', () => {
  const facts = { ...repository, cipherPass: new Secret('pass-of-the-repository') };

  expect(renderPgbackrest(facts)['global']).toMatchObject({
    'repo1-cipher-type': 'aes-256-cbc',
    'repo1-cipher-pass': 'pass-of-the-repository',
  });
  expect(JSON.stringify(facts)).not.toContain('pass-of-the-repository');
});

const speeds: readonly {
  readonly what: string;
  readonly speed: Partial<BackupSpeed>;
  readonly global: Readonly<Record<string, string | undefined>>;
}[] = [
  { what: 'processes', speed: { processMax: 17 }, global: { 'process-max': '17' } },
  {
    what: 'a type and its level',
    speed: { compressType: 'lz4', compressLevel: -5 },
    global: { 'compress-type': 'lz4', 'compress-level': '-5' },
  },
  {
    what: 'no compression, which has no level',
    speed: { compressType: 'none', compressLevel: 3 },
    global: { 'compress-type': 'none', 'compress-level': undefined },
  },
  {
    what: 'whole files',
    speed: { blockIncremental: false },
    global: { 'repo1-bundle': 'y', 'repo1-block': 'n' },
  },
  {
    what: 'no bundles, without which there are no blocks',
    speed: { bundle: false },
    global: { 'repo1-bundle': 'n', 'repo1-block': undefined },
  },
];

test.each(speeds)('pgBackRest is told of $what, and that is read back', ({ speed, global }) => {
  const rendered = renderPgbackrest({ ...repository, speed: { ...usualSpeed, ...speed } });

  for (const [key, value] of Object.entries(global)) expect(rendered['global']?.[key]).toBe(value);
  const again = speedIn(renderIni(rendered));
  expect(renderPgbackrest({ ...repository, speed: again })).toEqual(rendered);
});

test.each([
  { cores: 0.5, processes: '1' },
  { cores: 3.9, processes: '3' },
  { cores: 64, processes: '8' },
])('$cores cores make $processes processes', ({ cores, processes }) => {
  const { global } = renderPgbackrest({ ...repository, cores });

  expect(global?.['process-max']).toBe(processes);
});

test('with certificates, pgBackRest of each member serves the others', () => {
  const tlsPeers = [1, 2].map((number) => `postgresql-k8s-${number}.postgresql-k8s-endpoints`);

  expect(renderIni(renderPgbackrest({ ...repository, tlsPeers }))).toBe(
    golden('pgbackrest-tls.conf'),
  );
});

test('a value with a line break cannot smuggle in a second key', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.constantFrom('\n', '\r', '\0'),
      fc.string(),
      (before, evil, after) => {
        expect(() => renderIni({ global: { key: `${before}${evil}${after}` } })).toThrow(
          'line break',
        );
      },
    ),
  );
});

test('clients log in with the passwords that the server stores', () => {
  const given = settings({ instance_password_encryption: 'md5' });

  expect(renderMember({ ...member, settings: given })).toMatchObject({
    postgresql: {
      parameters: { password_encryption: 'md5' },
      pg_hba: expect.arrayContaining(['host all +identity_access,+relation_access 0.0.0.0/0 md5']),
    },
  });
});

/** The server parameters of the member's own file. */
function parameters(facts: MemberFacts): ReadonlyMap<string, unknown> {
  return parametersIn(renderMember(facts));
}

function sharedParameters(facts: DynamicFacts): ReadonlyMap<string, unknown> {
  return parametersIn(renderDynamic(facts));
}

function parametersIn({ postgresql }: Document): ReadonlyMap<string, unknown> {
  if (postgresql === null || typeof postgresql !== 'object' || !('parameters' in postgresql)) {
    throw new Error('no parameters');
  }
  return new Map(Object.entries(postgresql['parameters'] ?? {}));
}

test('what the operator asks for wins over what follows from the pod', () => {
  const asked = parameters({ ...member, settings: settings({ memory_shared_buffers: 4711 }) });

  expect(parameters(member).get('shared_buffers')).toBe('262144');
  expect(asked.get('shared_buffers')).toBe('4711');
});

test('no option reaches a parameter that the charm relies on', () => {
  // What is left when nothing comes from the options or the pod.
  const bare: Settings = { ...settings(), parameters: {}, clusterParameters: {}, values: {} };
  const derived = {
    ...deriveLocalParameters(bare, resources),
    ...deriveClusterParameters(bare, resources),
  };
  const fixed = [
    ...parameters({ ...member, settings: bare }).keys(),
    ...sharedParameters({ ...member, settings: bare }).keys(),
  ].filter((name) => !(name in derived));
  const ofOptions = new Set<string>();
  for (const { target } of options) {
    if (target.kind === 'parameter') ofOptions.add(target.parameter.toLowerCase());
  }

  expect(fixed).toContain('archive_command');
  expect(fixed).toContain('fsync');
  expect(fixed.filter((name) => ofOptions.has(name.toLowerCase()))).toEqual([]);
});

test('every parameter is there once, however it is spelt, and where Patroni takes it from', () => {
  const local = [...parameters(member).keys()].map((name) => name.toLowerCase());

  expect(local.length).toBe(new Set(local).size);
  for (const { target } of options) {
    if (target.kind === 'parameter' && target.scope === 'cluster') {
      expect(local).not.toContain(target.parameter);
    }
  }
});

test('settings of the cluster go into the shared configuration, under what the charm relies on', () => {
  const given = settings({
    experimental_max_connections: 500,
    instance_max_locks_per_transaction: 128,
    memory_max_prepared_transactions: 20,
    durability_wal_keep_size: 8192,
    cpu_max_worker_processes: '6',
    failover_ttl: 60,
    failover_loop_wait: 10,
    failover_retry_timeout: 20,
    failover_failsafe_mode: false,
    failover_primary_start_timeout: 0,
    durability_maximum_lag_on_failover: 99,
    synchronous_node_count: 'majority',
  });

  expect(renderDynamic({ ...member, settings: given })).toMatchObject({
    ttl: 60,
    loop_wait: 10,
    retry_timeout: 20,
    failsafe_mode: false,
    primary_start_timeout: 0,
    maximum_lag_on_failover: 99,
    synchronous_node_count: 1,
    postgresql: {
      parameters: {
        max_connections: 500,
        max_locks_per_transaction: 128,
        max_prepared_transactions: 20,
        wal_keep_size: 8192,
        max_worker_processes: 6,
        max_wal_senders: 25,
        wal_level: 'logical',
      },
    },
  });
});

test.each([
  { wanted: 0, kept: 16 },
  { wanted: 15, kept: 16 },
  { wanted: 17, kept: 17 },
])('of $wanted MB of WAL that should be kept, $kept are', ({ wanted, kept }) => {
  const given = settings({ durability_wal_keep_size: wanted });

  expect(given.clusterParameters['wal_keep_size']).toBe(kept);
});

test.each([
  { members: 1, strict: true, expected: { synchronous_node_count: 1, strict: false } },
  { members: 2, strict: true, expected: { synchronous_node_count: 1, strict: true } },
  { members: 2, strict: false, expected: { synchronous_node_count: 1, strict: false } },
  { members: 5, strict: true, expected: { synchronous_node_count: 4, strict: true } },
])('$members members, strict: $strict', ({ members, strict, expected }) => {
  const given = settings({ synchronous_mode_strict: strict });

  expect(renderDynamic({ ...member, settings: given, members })).toMatchObject({
    synchronous_mode: true,
    synchronous_node_count: expected.synchronous_node_count,
    synchronous_mode_strict: expected.strict,
  });
});

test.each([
  { patroniVersion: '4.0.7', mode: 'quorum', notes: [] },
  { patroniVersion: '10.1', mode: 'quorum', notes: [] },
  { patroniVersion: '3.3.2', mode: true, notes: [expect.stringContaining('not 3.3.2')] },
  { patroniVersion: undefined, mode: true, notes: [expect.stringContaining('Patroni 4')] },
])('a quorum with Patroni $patroniVersion', ({ patroniVersion, mode, notes }) => {
  const facts = { ...member, settings: settings({ synchronous_mode_quorum: true }) };

  expect(renderDynamic({ ...facts, patroniVersion })).toMatchObject({ synchronous_mode: mode });
  expect(dynamicNotes({ ...facts, patroniVersion })).toEqual(notes);
  expect(dynamicNotes({ ...member, patroniVersion })).toEqual([]);
});

test.each([
  [true, undefined],
  [false, true],
])('whether commits wait for a quorum, while nobody leads: %s', (leaderless, mode) => {
  expect(renderDynamic({ ...member, leaderless })['synchronous_mode']).toBe(mode);
});

test('parameters that the server does not have are left out and named', () => {
  const all = Object.keys(settings().parameters);
  const known = new Set(all.filter((name) => name !== 'old_snapshot_threshold'));

  expect(leftOutParameters(settings(), known)).toEqual(['old_snapshot_threshold']);
  expect([...parameters({ ...member, knownParameters: known }).keys()]).not.toContain(
    'old_snapshot_threshold',
  );
  expect(leftOutParameters(settings(), undefined)).toEqual([]);
  expect([...parameters(member).keys()]).toContain('old_snapshot_threshold');
});

test('parameters of a module are known when the module is', () => {
  const names = Object.keys(settings().parameters).filter((name) => !name.includes('.'));

  expect(leftOutParameters(settings(), new Set(names))).toEqual([
    'pg_stat_statements.track',
    'pg_stat_statements.track_utility',
    'pg_stat_statements.save',
  ]);
  expect(leftOutParameters(settings(), new Set([...names, 'pg_stat_statements']))).toEqual([]);
});

test('until the system users are set up, sessions are as they need them', () => {
  const chosen = settings({
    request_date_style: 'German, DMY',
    request_default_transaction_read_only: true,
    instance_password_encryption: 'md5',
    memory_work_mem: 8192,
  });
  const before = parameters({ ...member, settings: chosen, initialised: false });
  const after = parameters({ ...member, settings: chosen });

  expect(
    ['DateStyle', 'default_transaction_read_only', 'password_encryption'].filter((name) =>
      before.has(name),
    ),
  ).toEqual([]);
  expect(before.get('work_mem')).toBe('8192kB');
  expect(after.get('DateStyle')).toBe('German, DMY');
  expect(after.get('default_transaction_read_only')).toBe('on');
  // Ordinary settings do not change when the cluster is there: no reload for nothing.
  expect(yaml({ ...member, initialised: false })).toBe(yaml(member));
});

test('system users keep what sessions have by default', () => {
  const ofOptions = settings().parameters;

  for (const [name, value] of Object.entries(systemSessionSettings)) {
    expect([name, ofOptions[name]]).toEqual([name, value]);
  }
});

const keeping = { postgresql: { parameters: { wal_keep_size: 256 } } };

test.each([
  { summary: 'a volume that is known', facts: { volumeBytes: 2 ** 32 }, size: 1024 },
  {
    summary: 'that rather than what is in force',
    facts: { volumeBytes: 2 ** 32, inForce: keeping },
    size: 1024,
  },
  { summary: 'what is in force while it is not', facts: { inForce: keeping }, size: 256 },
  { summary: 'nothing while neither is', facts: { inForce: { postgresql: 'on' } }, size: 4096 },
])('kept WAL is bounded by $summary', ({ facts, size }) => {
  expect(sharedParameters({ ...member, ...facts }).get('wal_keep_size')).toBe(size);
});
