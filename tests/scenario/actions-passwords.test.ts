// get-password and set-password.

import { expect } from '@jest/globals';

import { action, pebbleNotice, updateStatus } from '../support/scenario/events.ts';
import {
  fileOf,
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, state } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { latestOf, secretOf } from '../support/scenario/state.ts';

scenario('the password of the operator is shown unless another user is named', {
  charm: underTest,
  given: async () => await running({ leader: true }),
  when: action('get-password'),
  then: ({ action: { results } }) => {
    expect(results).toEqual({ password: 'password-of-operator' });
  },
});

scenario('each unit knows the password of each system user', {
  charm: underTest,
  given: async () => await running({ number: 1, others: [0], primary: 0 }),
  when: action('get-password', { username: 'monitoring' }),
  then: ({ action: { results }, log }) => {
    expect(results).toEqual({ password: 'password-of-monitoring' });
    expect(JSON.stringify(log)).not.toContain('password-of');
  },
});

scenario('users that are not of the system have no password here', {
  charm: underTest,
  given: async () => await running({ leader: true }),
  when: action('get-password', { username: 'alice' }),
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'The action can be run only for system users or Patroni: backup, replication, rewind, ' +
        'operator, monitoring, patroni not alice',
    );
  },
});

scenario('before the first leader there are no passwords', {
  charm: underTest,
  given: state(),
  when: action('get-password'),
  then: ({ action: { failed } }) => {
    expect(failed).toBe('cannot show operator-password: it has not been generated yet');
  },
});

const patroniFile = '/var/lib/postgresql/data/patroni.yml';
const mark = '/var/lib/postgresql/data/password-change';
const users = ['operator', 'replication', 'rewind', 'monitoring', 'backup'] as const;

/** The leader of three; the database has the passwords that Juju has. */
async function leading(changed: Readonly<Record<string, string>> = {}): Promise<PostgresqlState> {
  const given = await running({ leader: true, others: [1, 2] });
  const roles = Object.fromEntries(
    users.map((user) => {
      const password = changed[user] ?? `password-of-${user}`;
      return [user, { superuser: false, memberOf: [], password }];
    }),
  );
  return inWorld(given, { postgres: { roles } });
}

function stored(after: PostgresqlState, user: string): string | undefined {
  const secret = secretOf(after, 'database-peers.postgresql-k8s.app');
  return secret === undefined ? undefined : latestOf(secret).content[`${user}-password`];
}

function inDatabase({ world }: PostgresqlState, user: string): string | undefined {
  return world.postgres.roles[user]?.password;
}

const noticesAddUp = {
  path: 'containers.postgresql.notices',
  because: 'each attempt sends its notice, so that its own hook comes',
};

const set = (params: Readonly<Record<string, unknown>>) => action('set-password', params);

for (const user of users) {
  scenario(`a new password of ${user} is in the database, in Juju and in this unit's file`, {
    charm: underTest,
    given: leading,
    when: set({ username: user, password: 'chosen: by {me} #1' }),
    loosen: { differences: [noticesAddUp] },
    then: ({ state: after, action: { results }, log, hookToolCalls }) => {
      expect(results).toEqual({ password: 'chosen: by {me} #1' });
      expect(inDatabase(after, user)).toBe('chosen: by {me} #1');
      expect(stored(after, user)).toBe('chosen: by {me} #1');
      const inFile = ['operator', 'replication', 'rewind'].includes(user);
      expect(fileOf(after, patroniFile)?.includes('"chosen: by {me} #1"')).toBe(inFile);
      expect(JSON.stringify(log)).not.toContain('chosen');
      const shown = hookToolCalls.filter((call) => JSON.stringify(call.args).includes('chosen'));
      expect(shown.map(({ tool }) => tool)).toEqual(['action-set']);
    },
  });
}

scenario('without a password one is generated', {
  charm: underTest,
  given: leading,
  when: set({ username: 'operator' }),
  loosen: {
    secondRun: 'each call generates another password',
    differences: [noticesAddUp],
  },
  then: ({ state: after, action: { results, log } }) => {
    const { password = '' } = results;
    expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(inDatabase(after, 'operator')).toBe(password);
    expect(stored(after, 'operator')).toBe(password);
    expect(log).toEqual(['the database has the new password of operator; units follow']);
  },
});

scenario('the password that is there already changes nothing', {
  charm: underTest,
  given: leading,
  when: set({ username: 'rewind', password: 'password-of-rewind' }),
  then: ({ state: after, action: { results }, log, disturbances }) => {
    expect(results).toEqual({ password: 'password-of-rewind' });
    expect(log.map(({ message }) => message)).toContain('The old and new passwords are equal.');
    expect(disturbances).toEqual([]);
    expect(fileOf(after, mark)).toBeUndefined();
  },
});

scenario('the hook of the notice ends a change', {
  charm: underTest,
  given: async () => withMark(await leading()),
  when: pebbleNotice('postgresql', 'postgresql.charm/password-change'),
  then: ({ state: after }) => {
    expect(fileOf(after, mark)).toBeUndefined();
  },
});

function withMark(given: PostgresqlState): PostgresqlState {
  return inContainer(given, ({ files }) => ({
    files: {
      ...files,
      [mark]: { type: 'file', content: 'x', mode: '0600', user: 'root', group: 'root' },
    },
  }));
}

for (const user of users) {
  scenario(`a change of ${user} that was cut short is taken back: Juju's password counts`, {
    charm: underTest,
    given: async () => withMark(await leading({ [user]: 'lost with its hook' })),
    when: updateStatus,
    then: ({ state: after }) => {
      expect(inDatabase(after, user)).toBe(`password-of-${user}`);
      expect(fileOf(after, mark)).toBeUndefined();
    },
  });
}

scenario('what cannot be ended yet stays, and says why', {
  charm: underTest,
  given: async () =>
    inWorld(withMark(await leading({ rewind: 'lost' })), { postgres: { fault: 'unreachable' } }),
  when: updateStatus,
  then: ({ state: after, log }) => {
    expect(fileOf(after, mark)).toBe('x');
    expect(JSON.stringify(log)).toContain('cannot end the change of a password yet');
  },
});

const notReady = 'Failed changing the password: Not all members healthy or finished initial sync.';

const refused: readonly {
  readonly summary: string;
  readonly given: PostgresqlState | (() => Promise<PostgresqlState>);
  readonly params?: Readonly<Record<string, unknown>>;
  readonly message: string;
  readonly heals?: true;
}[] = [
  {
    summary: 'a unit that does not lead',
    given: async () => await running({ number: 1, others: [0], primary: 0 }),
    message: 'The action can be run only on leader unit',
  },
  {
    summary: 'no user',
    given: leading,
    params: { password: 'long enough' },
    message: 'The action requires a username',
  },
  {
    summary: 'the user of the REST interface',
    given: leading,
    params: { username: 'patroni' },
    message:
      'The action can be run only for system users: backup, replication, rewind, operator, ' +
      'monitoring not patroni',
  },
  {
    summary: 'a short password',
    given: leading,
    params: { username: 'rewind', password: 'seven77' },
    message: 'The password cannot be used: it has fewer than 8 characters',
  },
  {
    summary: 'an empty password',
    given: leading,
    params: { username: 'rewind', password: '' },
    message: 'The password cannot be used: it is empty',
  },
  {
    summary: 'a line break',
    given: leading,
    params: { username: 'rewind', password: 'two\nlines of it' },
    message: 'The password cannot be used: it has a line break or another control character',
  },
  {
    summary: 'a member that is not up',
    given: async () =>
      inWorld(await leading(), {
        patroni: { members: [primary(0), replica(1, 'starting'), replica(2)] },
      }),
    message: notReady,
  },
  {
    summary: 'a cluster that chooses its primary',
    given: async () =>
      inWorld(await leading(), { patroni: { members: [replica(0), replica(1), replica(2)] } }),
    message: notReady,
  },
  {
    summary: 'a cluster that has not started',
    given: state({ leader: true }),
    message: notReady,
    heals: true,
  },
  {
    summary: 'a cluster of which nobody answers',
    given: async () =>
      inContainer(inWorld(await leading(), { patroni: { members: [] } }), () => ({ services: {} })),
    message: notReady,
    heals: true,
  },
  {
    summary: 'a configuration that units cannot apply',
    given: async () => ({ ...(await leading()), config: { synchronous_node_count: 'many' } }),
    message: 'Failed changing the password: the configuration is invalid: synchronous_node_count',
  },
  {
    summary: 'a database that does not answer',
    given: async () => inWorld(await leading(), { postgres: { fault: 'unreachable' } }),
    message: 'Failed changing the password.',
  },
];
const healing = { killChecks: 'update-status starts the cluster, so that the next call succeeds' };

for (const { summary, given, params = { username: 'rewind' }, message, heals } of refused) {
  scenario(`a password is not changed: ${summary}`, {
    charm: underTest,
    given,
    when: set(params),
    loosen: {
      ...(heals === true ? healing : {}),
      differences: [
        noticesAddUp,
        { path: 'containers.postgresql.files', because: 'the mark stays until a hook has looked' },
      ],
    },
    then: ({ state: after, action: { failed, results } }) => {
      expect(failed).toMatch(message);
      expect(results).toEqual({});
      if (stored(after, 'rewind') !== undefined) {
        expect(stored(after, 'rewind')).toBe('password-of-rewind');
      }
      expect(inDatabase(after, 'rewind') ?? 'password-of-rewind').toBe('password-of-rewind');
    },
  });
}
