import { describe, expect, test } from '@jest/globals';

import { formatBytes, packageOf } from '../../../scripts/size-report.ts';

describe('the package of a bundled file', () => {
  test.each([
    { input: 'node_modules/execa/index.js', name: 'execa' },
    { input: 'node_modules/@smithy/core/dist-es/a/b.js', name: '@smithy/core' },
    { input: 'node_modules/execa/node_modules/figures/index.js', name: 'figures' },
    { input: 'src/main.ts', name: undefined },
  ])('$input', ({ input, name }) => {
    expect(packageOf(input)).toBe(name);
  });
});

describe('sizes are told in units that fit', () => {
  test.each([
    { bytes: 400, text: '0 kB' },
    { bytes: 574_239, text: '574 kB' },
    { bytes: 42_288_664, text: '42.3 MB' },
  ])('$bytes', ({ bytes, text }) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
