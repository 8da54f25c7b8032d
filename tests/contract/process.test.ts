// Real processes: what Execa and the kernel make of our calls.

import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { ProcessError, runProcess } from '../../lib/base/process.ts';
import { createHookToolPort } from '../../lib/juju/tools/process-port.ts';

const timeoutMs = 20_000;

describe('a process', () => {
  test('gives output and exit code, whatever they are', async () => {
    const result = await runProcess({
      command: 'sh',
      args: ['-c', 'printf "a\\n"; printf "b\\n" >&2; exit 3'],
      timeoutMs,
    });

    expect(result).toEqual({ exitCode: 3, stdout: 'a\n', stderr: 'b\n' });
  });

  test('reads what it is given, and nothing otherwise', async () => {
    const given = await runProcess({ command: 'cat', args: [], stdin: 'größe\n', timeoutMs });
    const nothing = await runProcess({ command: 'cat', args: [], timeoutMs });

    expect([given.stdout, nothing.stdout]).toEqual(['größe\n', '']);
  });

  test('gets its arguments as they are, its folder and its additions to the environment', async () => {
    const result = await runProcess({
      command: 'sh',
      args: ['-c', 'printf "%s|%s|%s" "$1" "$PWD" "$ADDED"', 'sh', '$(false) "x" *'],
      cwd: '/',
      env: { ADDED: 'yes' },
      timeoutMs,
    });

    expect(result.stdout).toBe('$(false) "x" *|/|yes');
  });

  const failures = [
    { summary: 'that does not exist', command: 'no-such-command', args: [], code: 'missing' },
    { summary: 'that is a folder', command: '/tmp', args: [], code: 'not-permitted' },
    {
      summary: 'with an argument that is too long',
      command: 'true',
      args: ['x'.repeat(131_072)],
      code: 'too-large',
    },
    { summary: 'that kills itself', command: 'sh', args: ['-c', 'kill -9 $$'], code: 'killed' },
  ] as const;
  for (const { summary, command, args, code } of failures) {
    test(`${summary} is an error "${code}"`, async () => {
      const error = await caught({ command, args, timeoutMs });

      expect([error.code, error.fields]).toEqual([code, { command }]);
    });
  }

  test('that takes too long is ended', async () => {
    const error = await caught({ command: 'sleep', args: ['60'], timeoutMs: 50 });

    expect([error.code, error.message]).toEqual([
      'timeout',
      'cannot run "sleep": no end within 50 ms',
    ]);
  });
});

describe('a private file', () => {
  let folder: string;
  let spy: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'private-file-'));
    spy = path.join(folder, 'spy');
    const script =
      '#!/bin/sh\nstat -c "%a" "$2" "$(dirname "$2")"\ncat "$2"\necho "$1 $3"\nexit $4\n';
    await writeFile(spy, script, { mode: 0o755 });
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  for (const exitCode of [0, 1]) {
    test(`can be read by nobody else and is gone after exit code ${exitCode}`, async () => {
      const before = await leftovers();

      const result = await createHookToolPort()({
        tool: spy,
        args: ['--label', String(exitCode)],
        privateFile: 'hidden\n',
      });

      expect(result).toEqual({
        exitCode,
        stdout: '600\n700\nhidden\n--file --label\n',
        stderr: '',
      });
      expect(await leftovers()).toEqual(before);
    });
  }

  test('is gone when the tool could not be started', async () => {
    const before = await leftovers();

    const running = createHookToolPort()({ tool: 'no-such-tool', args: [], privateFile: 'hidden' });

    await expect(running).rejects.toThrow('cannot run "no-such-tool"');
    expect(await leftovers()).toEqual(before);
  });
});

async function leftovers(): Promise<readonly string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('hook-tool-')).toSorted();
}

async function caught(call: Parameters<typeof runProcess>[0]): Promise<ProcessError> {
  try {
    await runProcess(call);
  } catch (error) {
    if (error instanceof ProcessError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
