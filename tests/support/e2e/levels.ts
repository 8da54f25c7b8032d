// Which end-to-end tests run: those up to the level that is asked for. Each states its own in its first
// line, `// Level 2. Labels: …`; 0 must never break, 4 is rare.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.resolve(import.meta.dirname, '..', '..', 'e2e');

/** Patterns for Jest; the level is that of E2E_LEVEL, 1 unless told. */
export function chooseEndToEndTests(): readonly string[] {
  const highest = Number(process.env['E2E_LEVEL'] ?? 1);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts') && levelOf(file) <= highest)
    .map((file) => `<rootDir>/tests/e2e/${file}`);
}

function levelOf(file: string): number {
  const [first = ''] = readFileSync(path.join(folder, file), 'utf8').split('\n', 1);
  return Number(/^\/\/ Level (\d)\./.exec(first)?.[1] ?? 0);
}
