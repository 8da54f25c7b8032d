// A charm that needs storage, against providers of both generations. The charm is made for these
// scenarios: it asks, and shows what it has read in its status.

import { expect } from '@jest/globals';

import { readS3Parameters, requestS3 } from '../../lib/interfaces/s3.ts';
import type { CharmDefinition, Handler } from '../../lib/juju/hook.ts';
import { baseState, relation, secret } from '../support/scenario/builders.ts';
import { parseCharmFiles } from '../support/scenario/charm-files.ts';
import {
  lifecycle,
  relationChanged,
  relationJoined,
  secretEvent,
} from '../support/scenario/events.ts';
import type { CharmUnderTest } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf, type State, secretOf } from '../support/scenario/state.ts';

const endpoint = 's3-parameters';

const ask: Handler<undefined> = async ({ juju }) => {
  const found = await juju.relation(endpoint);
  if (found !== undefined && (await juju.isLeader())) requestS3(found, { path: 'wished' });
};

const definition: CharmDefinition<undefined> = {
  handlers: {
    start: ask,
    'secret-changed': ask,
    's3-parameters-relation-joined': ask,
    's3-parameters-relation-changed': ask,
  },
  collectStatus: async ({ juju, status }) => {
    const reading = await readS3Parameters(juju, endpoint);
    const shown =
      reading.kind === 'ready'
        ? `${reading.parameters.bucket} ${reading.parameters.accessKey.reveal()}`
        : JSON.stringify(reading);
    status({ level: 'active', message: shown });
  },
};

const charm: CharmUnderTest<undefined, null> = {
  charm: definition,
  files: parseCharmFiles({
    metadata: 'name: needs-s3\nrequires:\n  s3-parameters: {interface: s3, limit: 1}\n',
  }),
  ports: () => undefined,
};

const silent = relation({ endpoint, id: 3, remoteApp: 's3-integrator' });
const older = {
  ...silent,
  remoteAppData: {
    bucket: 'backups',
    'access-key': 'PLAIN',
    'secret-key': 'hush',
    data: '{"bucket": "relation-3"}',
  },
};
const newer = {
  ...silent,
  remoteAppData: {
    bucket: 'backups',
    'lib-version': '1.0',
    'secret-extra': `secret:${'s'.repeat(20)}`,
  },
};
const handedOver = secret({
  owner: 'foreign',
  id: 's'.repeat(20),
  content: { 'access-key': 'SECRET', 'secret-key': 'hush' },
});

function given(part: Partial<State<null>>): State<null> {
  return baseState({ unit: 'needs-s3/0', leader: true, world: null, ...part });
}

scenario('without a relation there is nothing to read', {
  charm,
  given: given({}),
  when: lifecycle('start'),
  then: ({ state }) => {
    expect(state.unitStatus.message).toBe('{"kind":"no-relation"}');
  },
});

scenario('the leader asks so that both generations of providers answer', {
  charm,
  given: given({ relations: [silent] }),
  when: relationJoined(silent, 's3-integrator/0'),
  then: ({ state }) => {
    expect(relationOf(state, endpoint).localApp).toEqual({
      bucket: 'relation-3',
      path: 'wished',
      'lib-version': '1.0',
      'requested-secrets': '["access-key","secret-key"]',
    });
    expect(relationOf(state, endpoint).localUnit).toEqual({
      'requested-secrets': '["access-key","secret-key"]',
    });
    expect(state.unitStatus.message).toBe(
      '{"kind":"missing","missing":["bucket","access-key","secret-key"]}',
    );
  },
});

scenario('keys in plain text of the older generation are read by every unit', {
  charm,
  given: given({ leader: false, relations: [older] }),
  when: relationChanged(older),
  then: ({ state }) => {
    expect(state.unitStatus.message).toBe('backups PLAIN');
    expect(relationOf(state, endpoint).localApp).toEqual({});
  },
});

scenario('keys in a secret of the newer generation are read, and the secret gets its label', {
  charm,
  given: given({ leader: false, relations: [newer], secrets: [handedOver] }),
  when: relationChanged(newer),
  then: ({ state }) => {
    expect(state.unitStatus.message).toBe('backups SECRET');
    expect(secretOf(state, 's3-parameters.3.extra.secret')?.id).toBe(handedOver.id);
  },
});

const rotated = {
  ...handedOver,
  label: 's3-parameters.3.extra.secret',
  tracked: 1,
  revisions: [
    ...handedOver.revisions,
    { revision: 2, content: { 'access-key': 'ROTATED', 'secret-key': 'hush' } },
  ],
};

scenario('a new revision of the secret is read', {
  charm,
  given: given({ leader: false, relations: [newer], secrets: [rotated] }),
  when: secretEvent(rotated, 'changed'),
  then: ({ state }) => {
    expect(state.unitStatus.message).toBe('backups ROTATED');
  },
});

scenario('a secret that is not granted yet counts as missing keys', {
  charm,
  given: given({ leader: false, relations: [newer], secrets: [{ ...handedOver, denied: true }] }),
  when: relationChanged(newer),
  then: ({ state }) => {
    expect(state.unitStatus.message).toBe(
      '{"kind":"missing","missing":["access-key","secret-key"]}',
    );
  },
});
