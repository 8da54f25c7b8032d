// Turns TypeScript into ES modules for Jest, and programs of the workload into their text. Types are only stripped; the compiler checks them in
// a run of its own. Jest keeps the result under the cache key, so a file is transformed once.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { type TransformOptions, transform, transformSync, version } from 'esbuild';

interface Transformed {
  readonly code: string;
  readonly map: string;
}

const transformerKey = createHash('sha256')
  .update(version)
  .update(readFileSync(new URL(import.meta.url)))
  .digest('hex');

export default {
  process(source: string, file: string): Transformed {
    return transformSync(source, optionsFor(file));
  },

  async processAsync(source: string, file: string): Promise<Transformed> {
    return await transform(source, optionsFor(file));
  },

  getCacheKey(source: string, file: string): string {
    return createHash('sha256')
      .update(transformerKey)
      .update(file)
      .update('\0')
      .update(source)
      .digest('hex');
  },
};

function optionsFor(file: string): TransformOptions & { sourcemap: true } {
  const loader = file.endsWith('.py') ? 'text' : 'ts';
  return { loader, format: 'esm', target: 'node24', sourcemap: true, sourcefile: file };
}
