// Packages that cost start-up time and that most hooks do not need. `await import('pg')` in the
// source becomes `require('./chunks/pg.cjs')` in the bundle, executed when it is reached. A static
// import of one of them would be bundled into the entry; the architecture tests forbid that.

import type { Plugin } from 'esbuild';

/** Package to the name of its chunk. */
export const lazyPackages: Readonly<Record<string, string>> = {
  '@aws-sdk/client-s3': 'client-s3',
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
