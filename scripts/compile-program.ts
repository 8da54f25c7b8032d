// Writes down what V8 has made of a bundle at the end of a hook that runs it, with the Node.js that
// will be carried: that has all functions that were called. How the hook ends does not matter, only
// how far it gets. A second process sees that V8 takes the code.
//   compile-program FOLDER | compile-program --check FOLDER

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { codePath, compileProgram, runProgram } from './program.ts';
import { answerRequests } from './warm-up.ts';

const [mode, folder = mode] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: compile-program [--check] FOLDER');
if (mode === '--check') check(folder);
else compile(folder);

function compile(into: string): void {
  const script = compileProgram(into);
  process.on('exit', () => {
    writeFileSync(path.join(into, codePath), script.createCachedData());
    process.exitCode = 0;
  });
  answerRequests();
  runProgram(script, into);
}

function check(into: string): void {
  const { cachedDataRejected } = compileProgram(into, readFileSync(path.join(into, codePath)));
  if (cachedDataRejected !== false) throw new Error(`V8 refuses the code of ${into}`);
}
