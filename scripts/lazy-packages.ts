// Packages that cost start-up time and that most hooks do not need. `await import('pg')` in the
// source becomes `require('./chunks/pg.cjs')` in the bundle, executed when it is reached. A static
// import of one of them would be bundled into the entry; the architecture tests forbid that.

import type { Plugin } from 'esbuild';

/** Package to the name of its chunk. */
export const lazyPackages: Readonly<Record<string, string>> = {
  '@aws-sdk/client-s3': 'client-s3',
  croner: 'croner',
  pg: 'pg',
  yaml: 'yaml',
};

/** Points dynamic imports of lazy packages to their chunks, and collects which ones are used. */
export function lazyPackagesPlugin(used: Set<string>): Plugin {
  return {
    name: 'lazy-packages',
    setup: (build) => {
      build.onResolve({ filter: /^[^./]/ }, (request) => {
        const chunk = lazyPackages[request.path];
        if (chunk === undefined || request.kind !== 'dynamic-import') return undefined;
        used.add(request.path);
        return { path: `./chunks/${chunk}.cjs`, external: true };
      });
    },
  };
}

/** Modules of Node.js that a quiet hook does not use, although something that it loads names them. */
const lazyBuiltins = ['crypto', 'v8'] as const;

/** Loads these modules of Node.js when something of them is used first. */
export function lazyBuiltinsPlugin(): Plugin {
  const namespace = 'lazy-builtin';
  return {
    name: namespace,
    setup: (build) => {
      const filter = new RegExp(`^node:(?:${lazyBuiltins.join('|')})$`);
      build.onResolve({ filter }, ({ path }) => ({ path, namespace }));
      build.onLoad({ filter: /./, namespace }, ({ path }) => ({ contents: renderLazy(path) }));
    },
  };
}

function renderLazy(builtin: string): string {
  const names = Object.keys(process.getBuiltinModule(builtin) ?? {});
  // Without its prefix the plugin leaves it alone.
  const load = `require(${JSON.stringify(builtin.replace('node:', ''))})`;
  return [
    `for (const name of '${names.join(' ')}'.split(' ')) {`,
    `  Object.defineProperty(exports, name, { enumerable: true, get: () => ${load}[name] });`,
    '}\n',
  ].join('\n');
}
