// Object storage in memory: one server with its buckets, seen through the charm's port. The
// contract tests run it and a real server through the same suite.

import {
  hints,
  ObjectStoreError,
  type ObjectStoreErrorCode,
} from '../../src/adapters/object-store-error.ts';
import type { ObjectStore, ObjectStoreSettings } from '../../src/ports.ts';

export interface FakeStorage {
  /** Texts by key, by bucket. */
  readonly buckets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What every call fails with. */
  readonly fault?: ObjectStoreErrorCode;
  /** Only this pair is let in; any pair when absent. */
  readonly keys?: { readonly accessKey: string; readonly secretKey: string };
  /** Where the server is and who vouches for it; everywhere and anybody when absent. */
  readonly address?: { readonly endpoint: string; readonly caChain: string };
}

/** Where the storage is kept; replaced as a whole. */
export interface FakeStorageCell {
  get(): FakeStorage;
  update(change: (now: FakeStorage) => FakeStorage): void;
}

/** One bucket of the storage. */
export function openFakeObjectStore(
  cell: FakeStorageCell,
  settings: ObjectStoreSettings,
): ObjectStore {
  const { bucket } = settings;
  const read = (): Readonly<Record<string, string>> | undefined => {
    const storage = cell.get();
    const code = refusalOf(storage, settings);
    if (code !== undefined) throw failure(settings, code);
    return storage.buckets[bucket];
  };
  const readExisting = (): Readonly<Record<string, string>> => {
    const texts = read();
    if (texts === undefined) throw failure(settings, 'no-bucket');
    return texts;
  };
  const write = (texts: Readonly<Record<string, string>>): void => {
    cell.update((now) => ({ ...now, buckets: { ...now.buckets, [bucket]: texts } }));
  };
  return {
    ensureBucket: async () => {
      if (read() === undefined) write({});
      await Promise.resolve();
    },
    get: async (key) => await Promise.resolve(readExisting()[key]),
    // A letter for each byte, so that encrypted objects can be kept, too.
    start: async (key, bytes) => {
      const text = readExisting()[key];
      const start = text === undefined ? undefined : Buffer.from(text, 'latin1').subarray(0, bytes);
      return await Promise.resolve(start === undefined ? undefined : new Uint8Array(start));
    },
    put: async (key, text) => {
      write({ ...readExisting(), [key]: text });
      await Promise.resolve();
    },
    list: async (folder) => {
      const names = Object.keys(readExisting())
        .filter((key) => key.startsWith(folder) && key !== folder)
        .map((key) => /^[^/]*\/?/.exec(key.slice(folder.length))?.[0] ?? '');
      return await Promise.resolve([...new Set(names)].toSorted());
    },
  };
}

/** In the order in which a real conversation fails. */
function refusalOf(
  { fault, keys, address }: FakeStorage,
  settings: ObjectStoreSettings,
): ObjectStoreErrorCode | undefined {
  if (fault !== undefined) return fault;
  if (address !== undefined && address.endpoint !== settings.endpoint) return 'unreachable';
  if (address !== undefined && address.caChain !== settings.caChain) return 'untrusted';
  if (keys !== undefined && keys.accessKey !== settings.accessKey.reveal()) return 'wrong-key';
  if (keys !== undefined && keys.secretKey !== settings.secretKey.reveal()) return 'wrong-secret';
  return undefined;
}

function failure(settings: ObjectStoreSettings, code: ObjectStoreErrorCode): ObjectStoreError {
  const fields = { bucket: settings.bucket };
  const hint = hints[code];
  return new ObjectStoreError(`cannot access bucket "${settings.bucket}": ${code}`, {
    code,
    fields,
    ...(hint === undefined ? {} : { hint }),
  });
}
