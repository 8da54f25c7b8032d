import { describe, expect, test } from '@jest/globals';

import { countPerStep, findGap, parseAck } from '../../../../scripts/faults/writes.ts';

const acksAt = (...times: readonly number[]) => times.map((atMs, id) => ({ id, atMs }));

describe('findGap', () => {
  const rows = [
    {
      summary: 'the longest gap inside the window wins',
      times: [0, 100, 200, 900, 1000, 2000, 2100],
      window: { fromMs: 150, toMs: 2100 },
      gap: { fromMs: 1000, toMs: 2000 },
    },
    {
      summary: 'a gap that begins before the window counts whole',
      times: [0, 1000, 1100],
      window: { fromMs: 900, toMs: 1100 },
      gap: { fromMs: 0, toMs: 1000 },
    },
    {
      summary: 'a gap that ends before the window does not count',
      times: [0, 5000, 5100, 5200],
      window: { fromMs: 5050, toMs: 5200 },
      gap: { fromMs: 5000, toMs: 5100 },
    },
    {
      summary: 'a gap that has not ended lasts to the end of the window',
      times: [0, 100],
      window: { fromMs: 50, toMs: 9000 },
      gap: { fromMs: 100, toMs: 9000 },
    },
    {
      summary: 'without any acknowledgement the whole window is a gap',
      times: [],
      window: { fromMs: 50, toMs: 9000 },
      gap: { fromMs: 50, toMs: 9000 },
    },
  ];

  test.each(rows)('$summary', ({ times, window, gap }) => {
    expect(findGap(acksAt(...times), window)).toStrictEqual(gap);
  });
});

test('acknowledgements are counted in steps; those outside of the window are left out', () => {
  const acks = acksAt(0, 1000, 1499, 1500, 2600, 3000);

  expect(countPerStep(acks, { fromMs: 1000, toMs: 3000 }, 500)).toStrictEqual([2, 1, 0, 1]);
});

test('of the lines that the writer prints, only acknowledgements are read', () => {
  expect(parseAck('ack 17 1700000000000')).toStrictEqual({ id: 17, atMs: 1_700_000_000_000 });
  expect(parseAck('fail 1700000000000 ack 17 1')).toBeUndefined();
  expect(parseAck('open 1700000000000 10.0.0.1')).toBeUndefined();
});
