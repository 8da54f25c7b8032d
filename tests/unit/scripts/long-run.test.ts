import { once } from 'node:events';
import path from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { execa } from 'execa';

const root = path.join(import.meta.dirname, '..', '..', '..');

/** Starts a program in the frame; its body sees `args`, `run` and `forever()`. */
function start(body: string) {
  const code = `
    import { runLong } from './scripts/long-run.ts';
    const forever = () => new Promise(() => setInterval(() => undefined, 1000));
    await runLong({ name: 'probe', usage: 'usage: probe\\n', main: async (args, run) => { ${body} } });
  `;
  return execa(process.execPath, ['--input-type=module', '-e', code], {
    cwd: root,
    reject: false,
    timeout: 20_000,
  });
}

describe('runLong', () => {
  test('clears away at the end, the latest first, and keeps standard output for results', async () => {
    const ended = await start(`
      run.atEnd(async () => { run.say('first'); });
      run.atEnd(async () => { run.say('second'); });
      process.stdout.write('result');
    `);

    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toBe('result');
    expect(ended.stderr).toMatch(/second\n.*first$/);
  });

  test('an error becomes one line and the usage, after which everything is cleared away', async () => {
    const ended = await start(`
      run.atEnd(async () => { run.say('cleared'); });
      throw new Error('no such thing');
    `);

    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/^probe: no such thing\nusage: probe\n.*cleared$/);
  });

  test('what cannot be cleared away is said, and the rest is cleared away', async () => {
    const ended = await start(`
      run.atEnd(async () => { run.say('cleared'); });
      run.atEnd(async () => { throw new Error('stuck'); });
    `);

    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/not cleared away: stuck\n.*cleared$/);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'after %s, also twice, everything is cleared away once and nothing goes on',
    async (signal) => {
      const running = start(`
        run.atEnd(async () => {
          const refused = await run.juju(['status']).catch((error) => error.message);
          run.say(refused);
        });
        run.say('ready');
        await forever();
      `);
      await once(running.stderr, 'data');
      running.kill(signal);
      running.kill(signal);
      const ended = await running;

      expect(ended.exitCode).toBe(130);
      expect(ended.stderr.match(/clearing away/g)).toHaveLength(1);
      expect(ended.stderr).toMatch(/cannot go on: the run has been interrupted$/);
    },
  );
});
