// The information files of the repository, encrypted as pgBackRest does it: a stanza is made of them, and
// can be read with the pass that made them only.

import { createCipheriv, createHash } from 'node:crypto';

import type { ObjectStoreWorld } from './world.ts';

/** What the configuration file says of the repository. */
export interface RepositoryConfig {
  readonly bucket: string;
  /** Without slashes around it. */
  readonly path: string;
  readonly pass: string | undefined;
}

/** `undefined` for a configuration without S3. */
export function repositoryConfig(config: string): RepositoryConfig | undefined {
  const valueOf = (key: string): string | undefined =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(config)?.[1];
  const bucket = valueOf('repo1-s3-bucket');
  if (bucket === undefined) return undefined;
  const path = (valueOf('repo1-path') ?? '').replaceAll(/^\/+|\/+$/g, '');
  return { bucket, path, pass: valueOf('repo1-cipher-pass') };
}

const text = '[backrest]\nbackrest-format=5\n\n[db]\ndb-id=1\n';
const salt = Buffer.from('saltsalt');

/** An information file, a letter for each byte. */
export function infoFile(pass: string | undefined): string {
  if (pass === undefined) return text;
  const rounds = [1, 2, 3].reduce<readonly Buffer[]>((made) => {
    const last = made.at(-1) ?? Buffer.alloc(0);
    return [...made, createHash('sha1').update(last).update(pass).update(salt).digest()];
  }, []);
  const key = Buffer.concat(rounds);
  const cipher = createCipheriv('aes-256-cbc', key.subarray(0, 32), key.subarray(32, 48));
  const parts = [Buffer.from('Salted__'), salt, cipher.update(text), cipher.final()];
  return Buffer.concat(parts).toString('latin1');
}

function objectsOf({ path }: RepositoryConfig, stanza: string): readonly string[] {
  return ['archive', 'backup'].map((kind) => `${path}/${kind}/${stanza}/${kind}.info`);
}

/** What pgBackRest says instead of reading the stanza; `undefined` when it can, or there is none. */
export function unreadableReason(
  storage: ObjectStoreWorld,
  config: RepositoryConfig | undefined,
  stanza: string,
): string | undefined {
  if (config === undefined) return undefined;
  const texts = objectsOf(config, stanza).flatMap(
    (key) => storage.buckets[config.bucket]?.[key] ?? [],
  );
  if (texts.every((one) => one === infoFile(config.pass))) return undefined;
  const isPlain = texts.some((one) => one === text);
  return isPlain ? '[CryptoError] cipher header invalid' : '[FormatError] key/value found outside';
}

/** The bucket with the stanza in it. */
export function withInfoFiles(
  storage: ObjectStoreWorld,
  config: RepositoryConfig | undefined,
  stanza: string,
): ObjectStoreWorld {
  const bucket = config === undefined ? undefined : storage.buckets[config.bucket];
  if (config === undefined || bucket === undefined) return storage;
  const files = objectsOf(config, stanza).map((key) => [key, infoFile(config.pass)] as const);
  const objects = { ...bucket, ...Object.fromEntries(files) };
  return { ...storage, buckets: { ...storage.buckets, [config.bucket]: objects } };
}
