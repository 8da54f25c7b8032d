// The bundle of a charm as one script of V8, with or without the code that V8 has made of it before.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Script } from 'node:vm';

/** The bundle. */
export const programName = 'program.cjs';

/** What V8 made of the bundle when the charm was packed. */
export const codePath = path.join('cache', 'program.bin');

/** V8 compiles what is not in the code, and everything when the code is not for it. */
export function compileProgram(folder: string, code?: Buffer): Script {
  const filename = path.join(folder, programName);
  const source = readFileSync(filename, 'utf8');
  return new Script(
    `(function (exports, require, module, __filename, __dirname) {${source}\n})`,
    code === undefined ? { filename } : { filename, cachedData: code },
  );
}

/** Runs it as Node.js runs a module. */
export function runProgram(script: Script, folder: string): void {
  const filename = path.join(folder, programName);
  const run: unknown = script.runInThisContext();
  if (typeof run !== 'function') throw new Error(`cannot run ${filename}: it is no function`);
  const module = { exports: {} };
  Reflect.apply(run, undefined, [
    module.exports,
    createRequire(filename),
    module,
    filename,
    folder,
  ]);
}
