import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  applyChange,
  createJournal,
  differences,
  mergeChanges,
} from '../../../../lib/juju/journal.ts';

const bag = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.string({ minLength: 1 }));
const change = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.string());

test('rolling back forgets what was written since the savepoint and nothing else', () => {
  const journal = createJournal();

  journal.add({ kind: 'state', change: { kept: '1' } });
  const savepoint = journal.savepoint();
  journal.add({ kind: 'state', change: { lost: '1' } });
  journal.rollBack(savepoint);
  journal.add({ kind: 'state', change: { later: '1' } });

  expect(journal.all('state').map((write) => write.change)).toEqual([
    { kept: '1' },
    { later: '1' },
  ]);
});

test('sending only the differences leads to the same bag as sending everything', () => {
  fc.assert(
    fc.property(bag, change, (before, wanted) => {
      const sent = differences(before, wanted);

      expect(applyChange(before, sent)).toEqual(applyChange(before, wanted));
    }),
  );
});

test('nothing differs once a change has been applied', () => {
  fc.assert(
    fc.property(bag, change, (before, wanted) => {
      expect(differences(applyChange(before, wanted), wanted)).toEqual({});
    }),
  );
});

test('merged changes do what they do one after another', () => {
  fc.assert(
    fc.property(bag, fc.array(change), (before, changes) => {
      const oneByOne = changes.reduce(applyChange, before);

      expect(applyChange(before, mergeChanges(changes))).toEqual(oneByOne);
    }),
  );
});
