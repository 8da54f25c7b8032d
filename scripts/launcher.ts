// What a hook starts with, as `main.cjs` beside the bundle: runs the bundle from the code that V8 made
// of it when the charm was packed. Node's own compile cache has few functions, since it is made
// before any is called: V8 would compile hundreds in every hook (decision 1). Where there
// is no such code, or V8 refuses it, the bundle is loaded as any module.

import { readFileSync } from 'node:fs';
import path from 'node:path';

import { codePath, compileProgram, programName, runProgram } from './program.ts';

function main(): void {
  const code = readCode();
  const script = code === undefined ? undefined : compileProgram(__dirname, code);
  if (script?.cachedDataRejected === false) runProgram(script, __dirname);
  else require(path.join(__dirname, programName));
}

function readCode(): Buffer | undefined {
  try {
    return readFileSync(path.join(__dirname, codePath));
  } catch {
    return undefined;
  }
}

main();
