// Revisions of the charm's own secrets that nobody reads any more: an old password is not to stay
// readable in Juju.

import { expect } from '@jest/globals';

import { charm as integrator } from '../../charms/s3-integrator/src/charm.ts';
import { baseState, peerRelation, relation, secret } from '../support/scenario/builders.ts';
import { readCharmFiles } from '../support/scenario/charm-files.ts';
import { secretEvent } from '../support/scenario/events.ts';
import { running, underTest } from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { latestOf, type SecretState } from '../support/scenario/state.ts';

/** A leader that has changed a password: revision 2 is in force. */
async function changed(): Promise<PostgresqlState> {
  const given = await running({ leader: true });
  const first = latestOf(own(given)).content;
  const second = { ...first, 'monitoring-password': 'another-one' };
  const revisions = [first, second].map((content, index) => ({ revision: index + 1, content }));
  return { ...given, secrets: [{ ...own(given), revisions, tracked: 2 }] };
}

function own({ secrets }: Pick<PostgresqlState, 'secrets'>): SecretState {
  const [first] = secrets;
  if (first === undefined) throw new Error('there is no secret');
  return first;
}

const revisionsOf = (state: Pick<PostgresqlState, 'secrets'>) =>
  own(state).revisions.map(({ revision }) => revision);

scenario('an old password is removed, those in force stay', {
  charm: underTest,
  given: changed,
  when: (given) => secretEvent(own(given), 'remove', 1),
  then: ({ state }) => {
    expect(revisionsOf(state)).toEqual([2]);
    expect(latestOf(own(state)).content['monitoring-password']).toBe('another-one');
  },
});

scenario('passwords in force are never removed', {
  charm: underTest,
  given: changed,
  when: (given) => secretEvent(own(given), 'remove', 2),
  then: ({ state, interruptions }) => {
    expect(revisionsOf(state)).toEqual([1, 2]);
    expect(interruptions).toEqual([]);
  },
});

scenario('a Juju that may mean another revision is not believed', {
  charm: underTest,
  given: async () => ({ ...(await changed()), jujuVersion: '3.6.8' }),
  when: (given) => secretEvent(own(given), 'remove', 1),
  then: ({ state }) => {
    expect(revisionsOf(state)).toEqual([1, 2]);
  },
});

const handedOut = secret({
  owner: 'application',
  label: 's3-credentials.6.extra.secret',
  revisions: [
    { revision: 1, content: { 'access-key': 'old', 'secret-key': 'old' } },
    { revision: 2, content: { 'access-key': 'new', 'secret-key': 'new' } },
  ],
  grants: [{ relation: 6, target: 'postgresql-k8s' }],
});

scenario('keys to S3 that nobody reads any more are removed by the integrator', {
  charm: {
    charm: integrator,
    files: readCharmFiles('charms/s3-integrator'),
    ports: () => undefined,
  },
  given: baseState({
    unit: 's3-integrator/0',
    leader: true,
    world: null,
    secrets: [handedOut],
    relations: [
      peerRelation({ endpoint: 's3-integrator-peers', app: 's3-integrator' }),
      relation({
        endpoint: 's3-credentials',
        id: 6,
        remoteApp: 'postgresql-k8s',
        remoteAppData: {},
      }),
    ],
  }),
  when: secretEvent(handedOut, 'remove', 1),
  then: ({ state }) => {
    expect(state.secrets.map(({ revisions, grants }) => [revisions.length, grants.length])).toEqual(
      [[1, 1]],
    );
  },
});
