import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { createProgress, type Progress, StepError } from '../../../cloud/build/progress.ts';

let folder: string;
let logFile: string;
let printed: string;
let progress: Progress;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'progress-'));
  logFile = path.join(folder, 'logs', 'step.log');
  printed = '';
  progress = createProgress({
    isTerminal: false,
    write: (text) => {
      printed += text;
    },
  });
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('a finished step is one line with its time', async () => {
  const result = await progress.step('Pebble', logFile, async () => await Promise.resolve(7));

  expect(result).toBe(7);
  expect(printed).toMatch(/^ok {4}\d\.\d s {2}Pebble\n$/);
});

test('a failed step names itself, its log and the last twenty lines of it', async () => {
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`);
  const failing = progress.step('Pebble', logFile, async () => {
    await appendFile(logFile, `${lines.join('\n')}\n`);
    throw new Error('exit code 1');
  });

  await expect(failing).rejects.toThrow(StepError);
  const tail = lines.slice(10).map((line) => `  | ${line}`);
  await expect(failing).rejects.toThrow(
    [`cannot finish step "Pebble": exit code 1`, `  log: ${logFile}`, ...tail].join('\n'),
  );
});

test('a step starts with an empty log', async () => {
  await progress.step('first', logFile, async () => await appendFile(logFile, 'old\n'));
  const failing = progress.step('second', logFile, async () => {
    await appendFile(logFile, 'new\n');
    throw new Error('broken');
  });

  await expect(failing).rejects.toThrow(`  log: ${logFile}\n  | new`);
});

test('the failure of a step inside a step is reported once', async () => {
  const failing = progress.step('outer', logFile, async () => {
    await progress.step('inner', logFile, async () => await Promise.reject(new Error('broken')));
  });

  await expect(failing).rejects.toThrow(/^cannot finish step "inner": broken/);
});
