import { describe, expect, test } from '@jest/globals';

import { renderStart, summarise } from '../../../scripts/start-up.ts';

describe('samples come down to least and median', () => {
  test.each([
    { summary: 'an odd number', samples: [9, 1, 5], figures: { minMs: 1, medianMs: 5 } },
    { summary: 'an even number', samples: [10, 2, 4, 8], figures: { minMs: 2, medianMs: 6 } },
    { summary: 'a single one', samples: [7], figures: { minMs: 7, medianMs: 7 } },
    {
      summary: 'digits do not sort as text',
      samples: [100, 20, 3],
      figures: { minMs: 3, medianMs: 20 },
    },
  ])('$summary', ({ samples, figures }) => {
    expect(summarise(samples)).toEqual(figures);
  });
});

test('a report names the load that the figures were taken under', () => {
  const figures = [{ name: 'node alone', minMs: 22.72, medianMs: 25.41 }];

  expect(renderStart({ figures, load: 1.5 })).toBe(
    [
      '  node alone                   median 25.4 ms, least 22.7 ms',
      '  (20 runs of each in turn, load 1.5)',
      '',
    ].join('\n'),
  );
});
