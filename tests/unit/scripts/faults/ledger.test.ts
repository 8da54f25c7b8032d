import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { createLedger, uniteDifferences } from '../../../../scripts/faults/ledger.ts';

describe('the ledger', () => {
  test('what was acknowledged and is missing is lost; what is there twice is duplicated', () => {
    const ledger = createLedger();
    for (const id of [1, 2, 3]) ledger.add(id);

    expect(ledger.compare([1, 3, 3, 3, 4])).toStrictEqual({ lost: [2], duplicated: [3] });
  });

  test('what has been counted is not counted again', () => {
    const ledger = createLedger();
    for (const id of [1, 2]) ledger.add(id);
    ledger.forget(ledger.compare([1, 1]));

    expect(ledger.compare([1, 1])).toStrictEqual({ lost: [], duplicated: [] });
  });

  test('a number that is lost later is found later', () => {
    const ledger = createLedger();
    for (const id of [1, 2]) ledger.add(id);
    ledger.forget(ledger.compare([1, 2]));

    expect(ledger.compare([2])).toStrictEqual({ lost: [1], duplicated: [] });
  });

  test('exactly the numbers that are taken away are lost, in whatever order the rest comes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { minLength: 1 }), fc.nat(), (ids, cut) => {
        const ledger = createLedger();
        for (const id of ids) ledger.add(id);
        const at = cut % ids.length;

        const { lost, duplicated } = ledger.compare(ids.slice(at).toReversed());

        expect(lost).toStrictEqual(ids.slice(0, at));
        expect(duplicated).toStrictEqual([]);
      }),
    );
  });
});

test('what any member lacks is lost', () => {
  const differences = [
    { lost: [1, 2], duplicated: [] },
    { lost: [2, 3], duplicated: [9] },
  ];

  expect(uniteDifferences(differences)).toStrictEqual({ lost: [1, 2, 3], duplicated: [9] });
});
