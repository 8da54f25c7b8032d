// get-password and set-password.

import { expect } from '@jest/globals';

import { action } from '../support/scenario/events.ts';
import { running, underTest } from '../support/scenario/postgresql/journey.ts';
import { state } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

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
