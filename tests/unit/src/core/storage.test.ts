import { expect, test } from '@jest/globals';

import { judgeStorage, type Owner, type StorageFacts } from '../../../../src/core/storage.ts';

const self: Owner = { model: 'model-1', application: 'postgresql-k8s' };
const neighbour: Owner = { model: 'model-1', application: 'other' };
const stranger: Owner = { model: 'model-2', application: 'postgresql-k8s' };

interface Row {
  readonly summary: string;
  readonly facts: Omit<StorageFacts, 'self'>;
  readonly judged: ReturnType<typeof judgeStorage>;
}

const rows: readonly Row[] = [
  {
    summary: 'an empty volume before there is a database is for initdb',
    facts: { initialised: false },
    judged: { kind: 'empty' },
  },
  {
    summary: 'an empty volume in a known cluster is for a copy of the primary',
    facts: { initialised: true, expected: '1' },
    judged: { kind: 'empty' },
  },
  {
    summary: 'an empty volume in a cluster that nothing remembers must not be initialised anew',
    facts: { initialised: true },
    judged: { kind: 'lost' },
  },
  {
    summary: 'a volume with the right identifier and no owner is from before owners were noted',
    facts: { initialised: true, expected: '1', found: '1' },
    judged: { kind: 'own' },
  },
  {
    summary: 'a volume of the application comes back to whichever unit',
    facts: { initialised: true, expected: '1', found: '1', owner: self },
    judged: { kind: 'own' },
  },
  {
    summary: 'a volume of the application is welcome when Patroni has forgotten the cluster',
    facts: { initialised: true, found: '1', owner: self },
    judged: { kind: 'own' },
  },
  {
    summary: 'another system identifier is another cluster, whoever the owner is',
    facts: { initialised: true, expected: '1', found: '2', owner: self },
    judged: { kind: 'foreign', reason: 'system identifier 2, expected 1' },
  },
  {
    summary: 'another system identifier is another cluster before the database is announced, too',
    facts: { initialised: false, expected: '1', found: '2' },
    judged: { kind: 'foreign', reason: 'system identifier 2, expected 1' },
  },
  {
    summary: 'a clone has the same identifier and another owner',
    facts: { initialised: true, expected: '1', found: '1', owner: neighbour },
    judged: { kind: 'foreign', reason: 'of application other' },
  },
  {
    summary: 'a clone in another model is named with it',
    facts: { initialised: true, expected: '1', found: '1', owner: stranger },
    judged: { kind: 'foreign', reason: 'of application postgresql-k8s in model model-2' },
  },
  {
    summary: 'an application without a database takes over what comes with its volume',
    facts: { initialised: false, found: '1', owner: stranger },
    judged: { kind: 'adopted' },
  },
  {
    summary: 'a takeover that was interrupted goes on',
    facts: { initialised: false, expected: '1', found: '1', owner: stranger },
    judged: { kind: 'adopted' },
  },
  {
    summary: 'a volume without an owner is taken over as well',
    facts: { initialised: false, found: '1' },
    judged: { kind: 'adopted' },
  },
  {
    summary: 'a first start that was interrupted is no takeover',
    facts: { initialised: false, expected: '1', found: '1', owner: self },
    judged: { kind: 'own' },
  },
  {
    summary: 'after a takeover the other volumes of the same origin are welcome',
    facts: {
      initialised: true,
      expected: '1',
      found: '1',
      owner: stranger,
      adoptedFrom: stranger,
    },
    judged: { kind: 'own' },
  },
];

test.each(rows)('$summary', ({ facts, judged }) => {
  expect(judgeStorage({ self, ...facts })).toEqual(judged);
});
