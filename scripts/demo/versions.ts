/** Which versions of everything the demo ran with. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import type { Server } from './database.ts';
import type { Juju } from './juju.ts';

const packageFile = path.join(import.meta.dirname, '..', '..', 'package.json');

export async function readVersions(
  juju: Juju,
  server: Server,
): Promise<Readonly<Record<string, string>>> {
  const manifest: unknown = JSON.parse(await readFile(packageFile, 'utf8'));
  const patroni = await server.program('patroni', ['--version']);
  const pgbackrest = await server.program('pgbackrest', ['version']);
  return {
    charm: v.parse(v.object({ version: v.string() }), manifest).version,
    juju: (await juju(['version'])).stdout.trim(),
    postgresql: await server.query('show server_version'),
    patroni: lastWord(patroni.stdout),
    pgbackrest: lastWord(pgbackrest.stdout),
    node: process.versions.node,
  };
}

function lastWord(text: string): string {
  return text.trim().split(/\s+/).at(-1) ?? '';
}
