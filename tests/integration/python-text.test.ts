// The Python programs that the bundle carries: they are the ones of the repository, without remarks.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';
import { execa } from 'execa';

import { repository } from '../../scripts/charms.ts';
import { withoutRemarks } from '../../scripts/python-text.ts';
import { watcherFiles } from '../../src/core/render/watcher-program.ts';

/** Compares syntax trees, which have no comments, without what a module says about itself. */
const comparison = `
import ast, json, sys
def tree(text):
    module = ast.parse(text)
    first = module.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        module.body.pop(0)
    return ast.dump(module)
print(json.dumps([tree(one) == tree(other) for one, other in json.load(sys.stdin)]))
`;

const names = [
  'patroni-launcher.py',
  ...Object.keys(watcherFiles).map((name) => `watcher/${name}`),
];

test('each does what it does in the repository, and takes less', async () => {
  const folder = path.join(repository, 'src/static');
  const texts = await Promise.all(
    names.map(async (name) => await readFile(path.join(folder, name), 'utf8')),
  );
  const pairs = texts.map((text) => [text, withoutRemarks(text)] as const);
  const input = JSON.stringify(pairs);
  const { stdout } = await execa('python3', ['-c', comparison], { input });

  expect(JSON.parse(stdout)).toEqual(names.map(() => true));
  for (const [text, less] of pairs) expect(less.length).toBeLessThan(text.length);
});

test('a help text stays, and so does what only looks like a remark', () => {
  const program = '"""Help."""\n\nprint(__doc__)\nvalue = 1  # of something\n# gone\n';

  expect(withoutRemarks(program)).toBe(
    '"""Help."""\n\nprint(__doc__)\nvalue = 1  # of something\n',
  );
  expect(withoutRemarks('#!/usr/bin/python3\n"""Said."""\n\nimport os\n')).toBe(
    '#!/usr/bin/python3\n"""Said."""\n\nimport os\n',
  );
});
