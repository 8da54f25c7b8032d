// What Patroni prints is one file for as long as the pod lives, to which a PostgreSQL that does not start adds
// with each attempt: it stays small, and keeps its end, by which the charm knows why.

import { appendFile, mkdir, open, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';
import { execa } from 'execa';

import { repository } from '../../scripts/charms.ts';
import { makeTemporaryFolder } from '../support/child-server.ts';

const mebibyte = 1024 * 1024;
const program = `
import sys
sys.path.insert(0, sys.argv[1])
import server_log
server_log.limit_logs(sys.argv[2], sys.argv[3])
print(server_log.find_refusal(sys.argv[2]))
`;

interface Given {
  readonly logs: string;
  readonly output: string;
  /** Lets the watcher look, and gives why PostgreSQL did not start, as it sees it. */
  readonly look: () => Promise<string>;
}

async function withLogs(play: (given: Given) => Promise<void>): Promise<void> {
  const folder = await makeTemporaryFolder('logs');
  const [logs, data] = [path.join(folder.path, 'logs'), path.join(folder.path, 'pgdata')];
  const watcher = path.join(repository, 'src/static/watcher');
  try {
    await mkdir(logs);
    await play({
      logs,
      output: path.join(logs, 'patroni-output.log'),
      look: async () => (await execa('python3', ['-B', '-c', program, watcher, logs, data])).stdout,
    });
  } finally {
    await folder.remove();
  }
}

const refusal = '2026-01-31 12:00:00 UTC [42]: user= FATAL:  could not access file "nothere"\n';

test('output that has grown large loses its beginning, while it is written to', async () => {
  await withLogs(async ({ logs, output, look }) => {
    await writeFile(output, 'the beginning\n');
    await truncate(output, 17 * mebibyte);
    await appendFile(output, `${refusal}2026-01-31 12:00:00 Patroni goes on\n`);
    await writeFile(path.join(logs, 'patroni.log.1'), '');
    await truncate(path.join(logs, 'patroni.log.1'), 505 * mebibyte);
    const writer = await open(output, 'a');
    try {
      expect(await look()).toBe('could not access file "nothere"');

      await writer.write('and on\n');
      const text = await readFile(output, 'utf8');
      expect(text.length).toBeLessThan(32 * 1024);
      expect(text).not.toContain('the beginning');
      expect(text.endsWith(`${refusal}2026-01-31 12:00:00 Patroni goes on\nand on\n`)).toBe(true);
      // For its sake no other log went.
      expect(await stat(path.join(logs, 'patroni.log.1'))).toBeDefined();
    } finally {
      await writer.close();
    }
  });
});

test('output of a usual size stays as it is', async () => {
  await withLogs(async ({ output, look }) => {
    await writeFile(output, 'the beginning\n');
    await truncate(output, 16 * mebibyte);

    expect(await look()).toBe('None');
    expect((await stat(output)).size).toBe(16 * mebibyte);
  });
});
