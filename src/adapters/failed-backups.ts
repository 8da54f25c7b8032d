// Backups that pgBackRest does not list: those that failed or were interrupted, and one that runs.
// They are folders in the object storage, some with a log that the charm has put there.

import { present } from '../../lib/base/present.ts';
import type { S3Parameters } from '../../lib/interfaces/s3-fields.ts';
import { type StanzaInfo, typeOfLabel } from '../core/backups/backup-list.ts';
import {
  type FailedBackup,
  type OddFolder,
  oddFolders,
  parseRequestNote,
  type RunningBackup,
  runningBackup,
  typeInLog,
} from '../core/backups/repository-state.ts';
import type { ObjectStore } from '../ports.ts';
import type { PostgresqlHook } from './cluster.ts';
import { reasonOf } from './pgbackrest.ts';
import { objectKey, openRepositoryStore } from './repository.ts';
import { type BackupActivity, progressOf } from './running-backup.ts';

/** Names in the folder of each stanza. Read before `info`, so that no backup ends in between. */
export type StanzaFolders = ReadonlyMap<string, readonly string[]>;

export async function readFolders(
  hook: PostgresqlHook,
  parameters: S3Parameters,
): Promise<StanzaFolders> {
  const store = openRepositoryStore(hook, parameters);
  const folders = new Map<string, readonly string[]>();
  for (const name of await store.list(objectKey(parameters, 'backup/'))) {
    const stanza = name.replace(/\/$/, '');
    if (stanza !== name) {
      folders.set(stanza, await store.list(objectKey(parameters, `backup/${name}`)));
    }
  }
  return folders;
}

export interface Unlisted {
  readonly failed: readonly FailedBackup[];
  readonly running?: RunningBackup;
}

export interface UnlistedQuestion {
  readonly parameters: S3Parameters;
  readonly folders: StanzaFolders;
  readonly stanzas: readonly StanzaInfo[];
  /** The stanza of this cluster, and whether a backup is made for it now. */
  readonly own: string;
  readonly activity: BackupActivity;
}

export async function readUnlisted(
  hook: PostgresqlHook,
  question: UnlistedQuestion,
): Promise<Unlisted> {
  const { parameters, folders, stanzas, own, activity } = question;
  const store = openRepositoryStore(hook, parameters);
  const failed: FailedBackup[] = [];
  let newest: OddFolder | undefined;
  for (const [stanza, names] of folders) {
    const { open, ended } = sortOut(stanza, names, question);
    if (stanza === own) newest = open;
    failed.push(...(await describeAll(store, ended, { parameters, stanza })));
  }
  if (activity !== 'running') return { failed };
  const stanza = stanzas.find(({ name }) => name === own);
  const note = parseRequestNote(await store.get(objectKey(parameters, `backup/${own}/latest`)));
  const facts = { stanza: own, folder: newest, note, known: stanza?.backups ?? [] };
  const running = runningBackup({ ...facts, ...present({ percent: progressOf(stanza) }) });
  return { failed, ...present({ running }) };
}

interface Sorted {
  readonly open: OddFolder | undefined;
  readonly ended: readonly OddFolder[];
}

/** Of another cluster, and of an own one that cannot be asked, the newest may be running. */
function sortOut(
  stanza: string,
  names: readonly string[],
  { stanzas, own, activity }: UnlistedQuestion,
): Sorted {
  const known = stanzas.find(({ name }) => name === stanza)?.backups ?? [];
  const asked = stanza === own ? activity : 'unknown';
  const odd = oddFolders(names, known, { running: asked === 'running' });
  const open = asked === 'none' ? undefined : odd.find(({ kind }) => kind === 'unfinished');
  return { open, ended: odd.filter((folder) => folder !== open) };
}

/** Logs are a request each: of more than these the reason is not looked up. */
const mostLogs = 20;

async function describeAll(
  store: ObjectStore,
  folders: readonly OddFolder[],
  { parameters, stanza }: { readonly parameters: S3Parameters; readonly stanza: string },
): Promise<readonly FailedBackup[]> {
  const read = folders.slice(0, mostLogs).map(async (folder) => {
    const key = objectKey(parameters, `backup/${stanza}/${folder.name}/backup.log`);
    return describeFailure(stanza, folder, await store.get(key));
  });
  const others = folders.slice(mostLogs).map((folder) => describeFailure(stanza, folder));
  return [...(await Promise.all(read)), ...others];
}

const reasonWithoutLog = { failed: 'see its backup.log', unfinished: 'interrupted' } as const;

function describeFailure(stanza: string, folder: OddFolder, log?: string): FailedBackup {
  const { id, name, kind } = folder;
  // The charm's own headings are no reason.
  const said = log?.replaceAll(/^Std(?:out|err):$/gm, '');
  const error =
    said === undefined ? reasonWithoutLog[kind] : reasonOf({ stdout: said, stderr: '' });
  const type = kind === 'failed' ? typeInLog(log ?? '') : typeOfLabel(name);
  return { id, stanza, folder: name, error, ...present({ type }) };
}
