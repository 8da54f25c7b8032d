// Who gets in, read from the lines as PostgreSQL reads them: the first that fits decides.

import { expect, test } from '@jest/globals';

import { type HbaFacts, pgHba } from '../../../../src/core/render/hba.ts';

interface Visitor {
  readonly user: string;
  readonly groups?: readonly string[];
  readonly database?: string;
  /** Through the socket unless told. */
  readonly from?: 'IPv4' | 'IPv6';
}

/** The method that decides about a visitor; nothing fits: `none`. */
function decide(visitor: Visitor, facts: Partial<HbaFacts> = {}): string {
  const lines = pgHba({ connectivity: true, passwords: 'scram-sha-256', ...facts });
  for (const line of lines) {
    const [type, databases = '', users = '', ...rest] = line.split(' ');
    const address = type === 'host' ? rest.shift() : undefined;
    const everywhere = { IPv4: '0.0.0.0/0', IPv6: '::/0' };
    if (address !== (visitor.from === undefined ? undefined : everywhere[visitor.from])) continue;
    if (isDatabase(databases, visitor) && isUser(users, visitor)) return rest.join(' ');
  }
  return 'none';
}

function isDatabase(names: string, { database = 'app' }: Visitor): boolean {
  // `all` has every database, but replication is none.
  const wanted = database === 'replication' ? ['replication'] : ['all', database];
  return names.split(',').some((name) => wanted.includes(name));
}

function isUser(names: string, { user, groups = [] }: Visitor): boolean {
  const wanted = ['all', user, ...groups.map((group) => `+${group}`)];
  return names.split(',').some((name) => wanted.includes(name));
}

const internal = ['internal_access'];
const remote = ['IPv4', 'IPv6'] as const;

test.each(['operator', 'backup'])('%s gets in through the socket and no other way', (user) => {
  for (const connectivity of [true, false]) {
    expect(decide({ user, groups: internal }, { connectivity })).toBe('peer map=operator');
    for (const from of remote) {
      for (const database of ['app', 'postgres', 'replication']) {
        // Not even as a member of everything.
        const groups = [...internal, 'relation_access', 'identity_access'];
        expect(decide({ user, groups, database, from }, { connectivity })).toBe('reject');
      }
    }
  }
});

const rows: readonly (Visitor & { readonly summary: string; readonly method: string })[] = [
  {
    summary: 'a member replicates over the network',
    user: 'replication',
    groups: internal,
    database: 'replication',
    from: 'IPv4',
    method: 'scram-sha-256',
  },
  {
    summary: 'a member replicates through its own socket',
    user: 'replication',
    database: 'replication',
    method: 'peer map=operator',
  },
  {
    summary: 'a member is rewound over the network',
    user: 'rewind',
    database: 'postgres',
    from: 'IPv6',
    method: 'scram-sha-256',
  },
  {
    summary: 'monitoring has its password, in the pod as elsewhere',
    user: 'monitoring',
    groups: internal,
    method: 'scram-sha-256',
  },
  {
    summary: 'a user of a relation gets in',
    user: 'relation_7',
    groups: ['relation_access'],
    from: 'IPv4',
    method: 'scram-sha-256',
  },
  {
    summary: 'a user of the directory gets in',
    user: 'alice',
    groups: ['identity_access'],
    from: 'IPv6',
    method: 'scram-sha-256',
  },
  {
    summary: 'a user of a relation does not replicate',
    user: 'relation_7',
    groups: ['relation_access'],
    database: 'replication',
    from: 'IPv4',
    method: 'reject',
  },
  { summary: 'whoever is not named is rejected', user: 'bob', from: 'IPv4', method: 'reject' },
  { summary: 'whoever is not named is rejected in the pod', user: 'bob', method: 'reject' },
  {
    summary: 'nobody else replicates in the pod',
    user: 'bob',
    database: 'replication',
    method: 'reject',
  },
];

test.each(rows)('$summary', ({ method, ...visitor }) => {
  expect(decide(visitor)).toBe(method);
});

test('while clients are kept out, members and the charm itself still get in', () => {
  const closed = { connectivity: false };
  const client = { user: 'relation_7', groups: ['relation_access'] };
  const replication = { user: 'replication', groups: internal, database: 'replication' };

  for (const from of remote) {
    expect(decide({ ...client, from }, closed)).toBe('reject');
    expect(decide({ ...replication, from }, closed)).toBe('scram-sha-256');
    expect(decide({ user: 'rewind', groups: internal, from }, closed)).toBe('scram-sha-256');
    expect(decide({ user: 'monitoring', groups: internal, from }, closed)).toBe('scram-sha-256');
  }
});

test('clients log in with the passwords that the operator lets the server store, members do not', () => {
  const older = { passwords: 'md5' } as const;

  expect(decide({ user: 'app', groups: ['relation_access'], from: 'IPv4' }, older)).toBe('md5');
  expect(decide({ user: 'replication', database: 'replication', from: 'IPv4' }, older)).toBe(
    'scram-sha-256',
  );
});
