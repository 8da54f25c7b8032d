// A stanza whose creation was cut short: by a storage that went away, or a pod that was lost. pgBackRest
// writes the information file of the archive and then that of the backups, and refuses whatever has only
// one of them, since it may have lost the other. Where there is nothing else, nothing has been lost.

import * as v from 'valibot';

import type { Pebble } from '../../lib/pebble/pebble.ts';
import { createStanza, PgbackrestError, run } from './pgbackrest.ts';

/** The same as `createStanza`, and begins anew where one has been made by half. */
export async function completeStanza(pebble: Pebble, stanza: string): Promise<void> {
  try {
    await createStanza(pebble, stanza);
  } catch (error) {
    if (!isFileMissing(error)) throw error;
    const files = await listFiles(pebble, stanza);
    if (files.length === 0 || !files.every((path) => informationFile.test(path))) throw error;
    for (const path of files) await run(pebble, ['repo-rm', path], { timeoutMs });
    await createStanza(pebble, stanza);
  }
}

const informationFile = /^(archive|backup)\/[^/]+\/\1\.info(\.copy)?$/;
const timeoutMs = 60_000;

/** What pgBackRest ends with when a file of the repository is not there. */
const fileMissing = 55;

function isFileMissing(error: unknown): boolean {
  return error instanceof PgbackrestError && error.fields['exitCode'] === fileMissing;
}

const listingSchema = v.record(v.string(), v.looseObject({ type: v.string() }));

async function listFiles(pebble: Pebble, stanza: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const folder of [`archive/${stanza}`, `backup/${stanza}`]) {
    const { stdout } = await run(pebble, ['repo-ls', folder, '--recurse', '--output=json'], {
      timeoutMs,
    });
    const entries = Object.entries(v.parse(listingSchema, JSON.parse(stdout)));
    files.push(
      ...entries.flatMap(([name, { type }]) => (type === 'file' ? `${folder}/${name}` : [])),
    );
  }
  return files;
}
