import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stringify } from 'yaml';

import { Secret } from '../../../../lib/base/secret.ts';
import { deriveMemoryParameters } from '../../../../src/core/config/derive.ts';
import { type Settings, validateSettings } from '../../../../src/core/config/validate.ts';
import { pgHba } from '../../../../src/core/render/hba.ts';
import { renderIni } from '../../../../src/core/render/ini.ts';
import { type MemberFacts, renderMember } from '../../../../src/core/render/patroni.ts';
import { type RepositoryFacts, renderPgbackrest } from '../../../../src/core/render/pgbackrest.ts';

const golden = (name: string) =>
  readFileSync(new URL(`../../../golden/${name}`, import.meta.url), 'utf8');

function settings(): Settings {
  const result = validateSettings({});
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
  memoryParameters: deriveMemoryParameters(settings(), resources),
  preloadLibraries: ['pgaudit', 'pg_stat_statements'],
  members: 3,
  stanza: undefined,
  connectivity: true,
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
      stanza: 'model.patroni-postgresql-k8s',
      label: '20260131-120000F',
    },
  };

  expect(yaml(restoring)).toBe(golden('patroni-restore.yml'));
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
  retentionDays: 30,
  cores: 2,
  tlsPeers: [],
};

test('the configuration of pgBackRest is the golden file', () => {
  expect(renderIni(renderPgbackrest(repository))).toBe(golden('pgbackrest.conf'));
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

test('while clients are kept out only members and the charm itself may connect', () => {
  expect(pgHba({ connectivity: false })).not.toContain('host all all 0.0.0.0/0 scram-sha-256');
  expect(pgHba({ connectivity: false })).toContain(
    'host all +internal_access 0.0.0.0/0 scram-sha-256',
  );
});

test('whatever is not named is rejected last', () => {
  for (const connectivity of [true, false]) {
    expect(pgHba({ connectivity }).slice(-3)).toEqual([
      'local all all reject',
      'host all all 0.0.0.0/0 reject',
      'host all all ::/0 reject',
    ]);
  }
});
