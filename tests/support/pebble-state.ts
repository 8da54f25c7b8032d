// The state of one container's Pebble as plain data: what goes into a scenario and what comes out.
// Every field has a sensible default, so a scenario names only what matters to it. States that the
// fake gives back are in normal form (all parent directories listed, keys sorted), and so are those
// that `pebbleState` builds: two of them are the same exactly when they are deeply equal.

import type {
  CheckInfo,
  Layer,
  LayerService,
  Notice,
  ServiceInfo,
} from '../../lib/pebble/pebble.ts';

export interface PebbleState {
  /** When false, every call is refused as if the socket were missing. */
  readonly canConnect: boolean;
  /** In the order of their precedence, lowest first. */
  readonly layers: readonly LabelledLayer[];
  /** By name; a service of the plan that is not listed was never started. */
  readonly services: Readonly<Record<string, ServiceState>>;
  /** By absolute path; `/` is always there. */
  readonly files: Readonly<Record<string, FileEntry>>;
  /** By name; a check of the plan that is not listed is up. */
  readonly checks: Readonly<Record<string, Pick<CheckInfo, 'status' | 'failures'>>>;
  readonly notices: readonly Notice[];
  /** Last lines of output by service. */
  readonly logs: Readonly<Record<string, readonly string[]>>;
  /** Users of the image with the name of their primary group. */
  readonly users: Readonly<Record<string, string>>;
}

export interface LabelledLayer {
  readonly label: string;
  readonly layer: Layer;
}

export interface ServiceState {
  readonly current: ServiceInfo['current'];
  /** The configuration that it runs with; that of the plan when absent. */
  readonly config?: LayerService;
  /** When given, an attempt to start it fails with this output. */
  readonly startFailure?: string;
}

export type FileEntry = FileContent | DirectoryEntry;

export interface FileContent {
  readonly type: 'file';
  /** Text whenever the bytes are UTF-8. */
  readonly content: string | Uint8Array;
  readonly mode: string;
  readonly user: string;
  readonly group: string;
}

export interface DirectoryEntry {
  readonly type: 'directory';
  readonly mode: string;
  readonly user: string;
  readonly group: string;
}

/** A running container with an empty plan and no files, except for what is given. */
export function pebbleState(given: Partial<PebbleState> = {}): PebbleState {
  return normalise({
    canConnect: true,
    layers: [],
    services: {},
    files: {},
    checks: {},
    notices: [],
    logs: {},
    users: { root: 'root', postgres: 'postgres', _daemon_: '_daemon_' },
    ...given,
  });
}

/** A regular file, readable by all and owned by root unless told otherwise. */
export function fileEntry(
  content: string | Uint8Array,
  ownership: Partial<Pick<FileContent, 'mode' | 'user' | 'group'>> = {},
): FileContent {
  return {
    type: 'file',
    content: toText(content),
    mode: '0644',
    user: 'root',
    group: 'root',
    ...ownership,
  };
}

/** A directory, 0755 and owned by root unless told otherwise. */
export function directoryEntry(
  ownership: Partial<Pick<DirectoryEntry, 'mode' | 'user' | 'group'>> = {},
): DirectoryEntry {
  return { type: 'directory', mode: '0755', user: 'root', group: 'root', ...ownership };
}

/** Lists missing parent directories and sorts. */
export function normalise(state: PebbleState): PebbleState {
  const files = new Map<string, FileEntry>(Object.entries(state.files));
  files.set('/', files.get('/') ?? directoryEntry());
  for (const path of Object.keys(state.files)) {
    for (let parent = parentOf(path); !files.has(parent); parent = parentOf(parent)) {
      files.set(parent, directoryEntry());
    }
  }
  return {
    ...state,
    files: sortKeys(Object.fromEntries(files)),
    services: sortKeys(state.services),
    checks: sortKeys(state.checks),
    logs: sortKeys(state.logs),
    users: sortKeys(state.users),
  };
}

/** The directory that holds a path; that of `/` is `/`. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** The text when the bytes are UTF-8, otherwise the bytes. */
export function toText(content: string | Uint8Array): string | Uint8Array {
  if (typeof content === 'string') return content;
  const text = Buffer.from(content).toString('utf8');
  return Buffer.from(text, 'utf8').equals(content) ? text : content;
}

function sortKeys<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
