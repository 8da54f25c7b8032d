// The S3 integrator between an operator and charms of both generations.

import { expect } from '@jest/globals';

import { charm as definition } from '../../charms/s3-integrator/src/charm.ts';
import { baseState, peerRelation, relation, secret } from '../support/scenario/builders.ts';
import { readCharmFiles } from '../support/scenario/charm-files.ts';
import {
  action,
  configChanged,
  leaderElected,
  lifecycle,
  relationBroken,
  relationChanged,
  relationCreated,
  secretEvent,
  updateStatus,
} from '../support/scenario/events.ts';
import type { CharmUnderTest } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import {
  latestOf,
  relationOf,
  type SecretState,
  type State,
  secretOf,
} from '../support/scenario/state.ts';

const charm: CharmUnderTest<undefined, null> = {
  charm: definition,
  files: readCharmFiles('charms/s3-integrator'),
  ports: () => undefined,
};

const endpoint = 's3-credentials';
const peers = peerRelation({ endpoint: 's3-integrator-peers', app: 's3-integrator' });
const silent = relation({ endpoint, id: 4, remoteApp: 'mysql-k8s' });
const older = relation({
  endpoint,
  id: 5,
  remoteApp: 'mongodb-k8s',
  remoteAppData: { bucket: 'relation-5' },
});
const newer = relation({
  endpoint,
  id: 6,
  remoteApp: 'postgresql-k8s',
  remoteAppData: {
    bucket: 'relation-6',
    path: 'wished',
    'lib-version': '1.0',
    'requested-secrets': '["access-key", "secret-key"]',
  },
});
const content = { 'access-key': 'AKIA1', 'secret-key': 'hush' };
const stored = secret({ owner: 'application', label: 's3-integrator.credentials', content });
const handedOut = secret({
  owner: 'application',
  label: 's3-credentials.6.extra.secret',
  id: 'sharedsharedshared01',
  content,
  grants: [{ relation: 6, target: 'postgresql-k8s' }],
});
const config = {
  bucket: ' /backups/ ',
  endpoint: 'https://s3.example.com/',
  region: 'eu-1',
  path: '/pg/',
  's3-uri-style': 'path',
  attributes: 'a=1, b=2',
  'delete-older-than-days': 30,
  'storage-class': 'STANDARD',
};
const published = {
  bucket: 'backups',
  endpoint: 'https://s3.example.com',
  region: 'eu-1',
  path: 'pg',
  's3-uri-style': 'path',
  attributes: '["a=1","b=2"]',
  'delete-older-than-days': '30',
  'storage-class': 'STANDARD',
  'lib-version': '1.0',
};

function given(part: Partial<State<null>>): State<null> {
  return baseState({
    unit: 's3-integrator/0',
    leader: true,
    relations: [peers],
    world: null,
    ...part,
  });
}

function localApp(state: State<null>, id: number) {
  return state.relations.find((one) => one.id === id)?.localApp;
}

/** Juju writes it with or without the model. */
function uriOf(of: SecretState | undefined): unknown {
  return expect.stringMatching(new RegExp(`^secret:.*${of?.id ?? 'nothing'}$`, 'u'));
}

const active = { level: 'active', message: '' };

scenario('without keys the operator is told which parameters are missing', {
  charm,
  given: given({}),
  when: lifecycle('start'),
  then: ({ state }) => {
    expect(state.unitStatus).toEqual({
      level: 'blocked',
      message: "Missing parameters: ['access-key', 'secret-key']",
    });
  },
});

scenario('a follower is content and writes nothing', {
  charm,
  given: given({ leader: false, config, relations: [peers, { ...older, localApp: {} }] }),
  when: configChanged,
  then: ({ state }) => {
    expect(state.unitStatus).toEqual(active);
    expect(localApp(state, 5)).toEqual({});
  },
});

scenario('the action keeps the keys in a secret and hands them to everybody at once', {
  charm,
  given: given({ config, relations: [peers, silent, older, newer] }),
  when: action('sync-s3-credentials', { 'access-key': ' AKIA1 ', 'secret-key': 'hush' }),
  then: ({ state, action: { results } }) => {
    expect(results).toEqual({ ok: 'Credentials successfully updated.' });
    expect(state.unitStatus).toEqual(active);
    const kept = secretOf(state, 's3-integrator.credentials');
    expect(kept && latestOf(kept).content).toEqual(content);
    expect(localApp(state, 0)).toEqual({});
    expect(localApp(state, 4)).toEqual({ 'lib-version': '1.0' });
    expect(localApp(state, 5)).toEqual({ ...published, ...content });
    const shared = secretOf(state, 's3-credentials.6.extra.secret');
    expect(shared && latestOf(shared).content).toEqual(content);
    expect(shared?.grants).toEqual([{ relation: 6, target: 'postgresql-k8s' }]);
    expect(localApp(state, 6)).toEqual({ ...published, 'secret-extra': uriOf(shared) });
  },
});

scenario('keys that change reach secrets and data bags alike', {
  charm,
  given: given({
    secrets: [stored, handedOut],
    relations: [
      peers,
      { ...older, localApp: { bucket: 'relation-5', 'lib-version': '1.0', ...content } },
      {
        ...newer,
        localApp: {
          bucket: 'relation-6',
          path: 'wished',
          'lib-version': '1.0',
          'secret-extra': 'secret:sharedsharedshared01',
        },
      },
    ],
  }),
  when: action('sync-s3-credentials', { 'access-key': 'AKIA2', 'secret-key': 'hush' }),
  then: ({ state }) => {
    const shared = secretOf(state, 's3-credentials.6.extra.secret');
    expect(shared && latestOf(shared).content).toEqual({ ...content, 'access-key': 'AKIA2' });
    expect(localApp(state, 5)).toMatchObject({ 'access-key': 'AKIA2' });
  },
});

scenario('a charm of the newer generation that asks is answered with a secret', {
  charm,
  given: given({ secrets: [stored], relations: [peers, newer] }),
  when: relationChanged(newer),
  then: ({ state }) => {
    // Nothing configured: it gets what it wished for.
    expect(localApp(state, 6)).toEqual({
      bucket: 'relation-6',
      path: 'wished',
      'lib-version': '1.0',
      'secret-extra': uriOf(secretOf(state, 's3-credentials.6.extra.secret')),
    });
  },
});

scenario('a charm that has said nothing learns the generation and no more', {
  charm,
  given: given({ config, secrets: [stored], relations: [peers, silent] }),
  when: relationCreated(silent),
  then: ({ state }) => {
    expect(localApp(state, 4)).toEqual({ 'lib-version': '1.0' });
  },
});

scenario('an option that is emptied disappears from the data bags', {
  charm,
  given: given({
    config: { bucket: 'backups' },
    secrets: [stored],
    relations: [peers, { ...older, localApp: { ...published, ...content } }],
  }),
  when: configChanged,
  then: ({ state }) => {
    expect(localApp(state, 5)).toEqual({ bucket: 'backups', 'lib-version': '1.0', ...content });
  },
});

scenario('all that is wrong is reported together, and related charms keep what they have', {
  charm,
  given: given({
    config: {
      bucket: 'a b',
      endpoint: 'ftp://x',
      region: 'e u',
      's3-uri-style': 'virtual',
      's3-api-version': '3',
      'tls-ca-chain': 'nonsense',
      'delete-older-than-days': 0,
    },
    secrets: [stored],
    relations: [peers, { ...older, localApp: { ...published, ...content } }],
  }),
  when: configChanged,
  then: ({ state }) => {
    expect(state.unitStatus.level).toBe('blocked');
    expect(state.unitStatus.message.replace('Invalid options: ', '').split('; ')).toEqual([
      'bucket is no possible name of a bucket: "a b"',
      'endpoint is not an http or https URL: "ftp://x"',
      'region is no possible name of a region: "e u"',
      'tls-ca-chain holds no PEM certificates',
      's3-uri-style is neither host nor path: "virtual"',
      's3-api-version is neither 2 nor 4: "3"',
      'delete-older-than-days is not from 1 to 9999999',
    ]);
    expect(localApp(state, 5)).toEqual({ ...published, ...content });
  },
});

scenario('a corrected value heals at once', {
  charm,
  given: given({
    unitStatus: { level: 'blocked', message: 'Invalid options: bucket is no possible name: "a b"' },
    config,
    secrets: [stored],
    relations: [peers, older],
  }),
  when: configChanged,
  then: ({ state }) => {
    expect(state.unitStatus).toEqual(active);
    expect(localApp(state, 5)).toEqual({ ...published, ...content });
  },
});

scenario('the secret of the option goes before the keys of the action', {
  charm,
  given: given({
    config: { credentials: 'secret:usersecretusersecret' },
    secrets: [
      stored,
      secret({
        owner: 'foreign',
        id: 'usersecretusersecret',
        content: { ...content, 'access-key': 'USER' },
      }),
    ],
    relations: [peers, older],
  }),
  when: configChanged,
  then: ({ state }) => {
    expect(state.unitStatus).toEqual(active);
    expect(localApp(state, 5)).toMatchObject({ 'access-key': 'USER' });
  },
});

const user = secret({
  owner: 'foreign',
  id: 'usersecretusersecret',
  tracked: 1,
  revisions: [
    { revision: 1, content },
    { revision: 2, content: { ...content, 'secret-key': 'newer' } },
  ],
});

scenario('a new revision of the secret of the option reaches everybody', {
  charm,
  given: given({
    config: { credentials: 'secret:usersecretusersecret' },
    secrets: [user],
    relations: [
      peers,
      { ...older, localApp: { bucket: 'relation-5', 'lib-version': '1.0', ...content } },
    ],
  }),
  when: secretEvent(user, 'changed'),
  then: ({ state }) => {
    expect(localApp(state, 5)).toMatchObject({ 'secret-key': 'newer' });
  },
});

scenario('a secret that is not granted blocks with the command to run', {
  charm,
  given: given({
    config: { credentials: 'secret:usersecretusersecret' },
    secrets: [secret({ owner: 'foreign', id: 'usersecretusersecret', content, denied: true })],
  }),
  when: configChanged,
  then: ({ state }) => {
    expect(state.unitStatus).toEqual({
      level: 'blocked',
      message:
        'Cannot read the secret of option credentials, try: juju grant-secret <name> s3-integrator',
    });
  },
});

scenario('a secret that lacks a key blocks with the name of the key', {
  charm,
  given: given({
    config: { credentials: 'secret:usersecretusersecret' },
    secrets: [
      secret({ owner: 'foreign', id: 'usersecretusersecret', content: { 'access-key': 'A' } }),
    ],
  }),
  when: updateStatus,
  then: ({ state }) => {
    expect(state.unitStatus.message).toBe("Missing parameters: ['secret-key']");
  },
});

scenario('keys in clear in the peer data bag move into the secret after a refresh', {
  charm,
  given: given({
    relations: [{ ...peers, localApp: { ...content, bucket: 'old' } }, older],
  }),
  when: lifecycle('upgrade-charm'),
  then: ({ state }) => {
    const kept = secretOf(state, 's3-integrator.credentials');
    expect(kept && latestOf(kept).content).toEqual(content);
    expect(relationOf(state, 's3-integrator-peers').localApp).toEqual({ bucket: 'old' });
    expect(localApp(state, 5)).toMatchObject(content);
  },
});

scenario('the secret of a relation goes with the relation', {
  charm,
  given: given({
    secrets: [stored, handedOut],
    relations: [
      peers,
      { ...newer, remoteUnits: {}, localApp: { 'secret-extra': 'secret:sharedsharedshared01' } },
    ],
  }),
  when: relationBroken({ ...newer, remoteUnits: {} }),
  then: ({ state }) => {
    expect(secretOf(state, 's3-credentials.6.extra.secret')).toBeUndefined();
    expect(secretOf(state, 's3-integrator.credentials')).toBeDefined();
  },
});

scenario('a new leader takes over where the old one stopped', {
  charm,
  given: given({ config, secrets: [stored], relations: [peers, older] }),
  when: leaderElected,
  then: ({ state }) => {
    expect(localApp(state, 5)).toEqual({ ...published, ...content });
  },
});

const refusals = [
  {
    summary: 'on a follower',
    state: given({ leader: false }),
    params: { 'access-key': 'A', 'secret-key': 'B' },
    failed: 'The action can be run only on leader unit.',
  },
  {
    summary: 'with an empty key',
    state: given({}),
    params: { 'access-key': ' ', 'secret-key': 'B' },
    failed: 'Both access-key and secret-key must have a value.',
  },
  {
    summary: 'while the option names a secret',
    state: given({
      config: { credentials: 'secret:usersecretusersecret' },
      secrets: [secret({ owner: 'foreign', id: 'usersecretusersecret', content })],
    }),
    params: { 'access-key': 'A', 'secret-key': 'B' },
    failed: 'The option credentials names a secret: change that one, or reset the option.',
  },
];

for (const { summary, state, params, failed } of refusals) {
  scenario(`setting keys ${summary} fails with the reason`, {
    charm,
    given: state,
    when: action('sync-s3-credentials', params),
    then: (result) => {
      expect(result.action.failed).toBe(failed);
    },
  });
}

scenario('the connection is shown with masked keys', {
  charm,
  given: given({ config, secrets: [stored] }),
  when: action('get-s3-connection-info'),
  then: (result) => {
    const { 'lib-version': _, ...shown } = published;
    expect(result.action.results).toEqual({
      ...shown,
      'access-key': '************',
      'secret-key': '************',
    });
  },
});

scenario('whether keys are set is told without showing them', {
  charm,
  given: given({ secrets: [stored] }),
  when: action('get-s3-credentials'),
  then: (result) => {
    expect(result.action.results).toEqual({ ok: 'Credentials are configured.' });
  },
});

for (const name of ['get-s3-connection-info', 'get-s3-credentials']) {
  scenario(`${name} without keys fails`, {
    charm,
    given: given({ config }),
    when: action(name),
    then: (result) => {
      expect(result.action.failed).toBe('Credentials are not set!');
    },
  });
}
