import { describe, expect, test } from '@jest/globals';

import { findCycle, parseImports } from '../../support/import-graph.ts';

describe('imports are read from the text of a file', () => {
  test.each([
    { summary: 'a plain one', text: "import { a } from './a.ts';", to: ['src/a.ts'] },
    { summary: 'a type', text: "import type { A } from '../lib/a.ts';", to: ['lib/a.ts'] },
    { summary: 'several lines', text: "import {\n  a,\n  b,\n} from './a.ts';", to: ['src/a.ts'] },
    { summary: 'for its effect', text: "import './a.ts';", to: ['src/a.ts'] },
    { summary: 'handed on', text: "export * from './a.ts';", to: ['src/a.ts'] },
    { summary: 'on first use', text: "  const { C } = await import('pg');", to: ['pg'] },
    { summary: 'one after another', text: "import 'a';\nimport 'node:b';", to: ['a', 'node:b'] },
    { summary: 'not in a text', text: "const text = 'import it from here';", to: [] },
  ])('$summary', ({ text, to }) => {
    expect(parseImports('src/x.ts', text).map((found) => found.to)).toEqual(to);
  });
});

describe('a cycle', () => {
  test('is told as the way around', () => {
    expect(findCycle(edges('main a', 'a b', 'b c', 'c a'))).toEqual(['a', 'b', 'c', 'a']);
  });

  test('is not a file that two others share', () => {
    expect(findCycle(edges('main a', 'main b', 'a c', 'b c'))).toBeUndefined();
  });
});

function edges(...pairs: readonly string[]) {
  return pairs.map((pair) => {
    const [from = '', to = ''] = pair.split(' ');
    return { from, to, isPackage: false };
  });
}
