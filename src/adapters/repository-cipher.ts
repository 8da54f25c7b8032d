// What the repository is encrypted with. The one in use goes on with what it was initialised with, which
// the application keeps in a secret of its own: whatever becomes of the operator's secret, WAL is
// archived. What the operator wants now counts for a repository that is new.

import { CodedError } from '../../lib/base/error.ts';
import { Secret } from '../../lib/base/secret.ts';
import type { S3Parameters } from '../../lib/interfaces/s3-fields.ts';
import { readGrantedSecret } from '../../lib/juju/granted-secret.ts';
import {
  type CipherFinding,
  type CipherRecord,
  cipherOption,
  formOf,
  isUsablePass,
  parseCipherRecord,
  passField,
  renderCipherRecord,
  startLength,
} from '../core/backups/cipher.ts';
import { isWellFormed } from '../core/config/validate.ts';
import { appSecretLabel } from '../core/names.ts';
import {
  cipherPassLost,
  cipherPassMissing,
  cipherPassWeak,
  cipherSecretMalformed,
  cipherSecretUnreadable,
} from '../core/status.ts';
import type { ObjectStore } from '../ports.ts';
import { hashPass, opens } from './cipher-pass.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { placeIn, useOf } from './repository-in-use.ts';

/** What the operator wants; `unusable` with the sentence for the status. */
export type CipherWish =
  | { readonly kind: 'usable'; readonly pass: Secret | undefined }
  | { readonly kind: 'unusable'; readonly problem: string };

/** Nobody knows the pass, so nothing can be read or written. */
export class CipherError extends CodedError {
  constructor(problem: string) {
    super(problem, { code: 'no-cipher-pass' });
  }
}

/** Field of the application's secret with the pass of the repository in use. */
const keptField = 'backup-cipher-pass';

/** Reads the option and its secret; a unit that has read it once is told when it changes. */
export async function readCipherWish(hook: PostgresqlHook): Promise<CipherWish> {
  const { [cipherOption]: uri = '' } = await hook.juju.config();
  if (uri === '') return { kind: 'usable', pass: undefined };
  if (typeof uri !== 'string' || !isWellFormed(cipherOption, uri)) {
    return { kind: 'unusable', problem: cipherSecretMalformed };
  }
  const content = await readGrantedSecret(hook.juju, uri);
  const { app } = hook.juju.context;
  if (content === undefined) return { kind: 'unusable', problem: cipherSecretUnreadable(app) };
  return wishOf(content[passField]?.reveal().trim() ?? '');
}

function wishOf(text: string): CipherWish {
  if (text === '') return { kind: 'unusable', problem: cipherPassMissing };
  if (!isUsablePass(text)) return { kind: 'unusable', problem: cipherPassWeak };
  return { kind: 'usable', pass: new Secret(text) };
}

/** What the repository in use was initialised with, if this is that one. */
export async function readCipherRecord(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<CipherRecord | undefined> {
  const place = placeIn(cluster, parameters);
  const record = parseCipherRecord((await cluster.appData()).repositoryCipher);
  if (record !== undefined) return record.place === place ? record : undefined;
  if ((await useOf(cluster, parameters)) !== 'this') return undefined;
  // A charm that knew of no encryption has left none, and no pass; one that nobody can read has one.
  const kept = await readKept(hook, cluster);
  return { place, ...(kept === undefined ? {} : { hash: hashIn(hook, place, kept) }) };
}

/** The pass to work with, `undefined` for none. Rejects with `CipherError`. */
export async function readCipherPass(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<Secret | undefined> {
  const record = await readCipherRecord(hook, cluster, parameters);
  if (record !== undefined) return await findRecorded(hook, cluster, record);
  const wish = await readCipherWish(hook);
  if (wish.kind === 'unusable') throw new CipherError(wish.problem);
  return wish.pass;
}

async function readKept(hook: PostgresqlHook, cluster: Cluster): Promise<Secret | undefined> {
  return (await hook.juju.secretByLabel(appSecretLabel(cluster.app)))?.[keptField];
}

/** From the application's secret, or, should that have lost it, from the operator's. */
async function findRecorded(
  hook: PostgresqlHook,
  cluster: Cluster,
  record: CipherRecord,
): Promise<Secret | undefined> {
  if (record.hash === undefined) return undefined;
  const kept = await readKept(hook, cluster);
  if (isRecorded(hook, record, kept)) return kept;
  const wish = await readCipherWish(hook);
  if (wish.kind === 'usable' && isRecorded(hook, record, wish.pass)) return wish.pass;
  throw new CipherError(cipherPassLost);
}

/** Whether the repository in use was initialised with this. */
export function isRecorded(
  hook: PostgresqlHook,
  record: CipherRecord,
  pass: Secret | undefined,
): boolean {
  return record.hash === (pass === undefined ? undefined : hashIn(hook, record.place, pass));
}

function hashIn(hook: PostgresqlHook, place: string, pass: Secret): string {
  return hashPass(pass, `${hook.juju.context.modelUuid} ${place}`);
}

/** Leader only: the repository has been initialised with this. */
export async function rememberCipher(
  hook: PostgresqlHook,
  cluster: Cluster,
  { parameters, pass }: { readonly parameters: S3Parameters; readonly pass: Secret | undefined },
): Promise<void> {
  const place = placeIn(cluster, parameters);
  const record = { place, ...(pass === undefined ? {} : { hash: hashIn(hook, place, pass) }) };
  const before = parseCipherRecord((await cluster.appData()).repositoryCipher);
  // What was wrong with another repository is over.
  const settled = before?.place === place ? {} : { 'cipher-problem': undefined };
  cluster.setApp({ 'repository-cipher': renderCipherRecord(record), ...settled });
  const label = appSecretLabel(cluster.app);
  const { [keptField]: kept, ...others } = (await hook.juju.secretByLabel(label)) ?? {};
  if (kept === undefined ? pass === undefined : kept.equals(pass)) return;
  const content = pass === undefined ? others : { ...others, [keptField]: pass };
  await hook.juju.setSecret({ label, owner: 'application', content });
}

/**
 * In what the repository differs from what is asked for; `undefined` when it can be worked with, or is
 * empty. Reads the beginnings of its information files, whosever they are. Rejects with
 * `ObjectStoreError`.
 */
export async function findMismatch(
  store: ObjectStore,
  { path }: Pick<S3Parameters, 'path'>,
  pass: Secret | undefined,
): Promise<CipherFinding> {
  const root = `${path.replace(/\/+$/, '')}/`.replace(/^\/+/, '');
  for (const kind of ['archive', 'backup']) {
    const folders = await store.list(`${root}${kind}/`);
    for (const folder of folders.filter((name) => name.endsWith('/'))) {
      const finding = await judgeFile(store, `${root}${kind}/${folder}${kind}.info`, pass);
      if (finding !== undefined) return finding;
    }
  }
  return undefined;
}

/** A file that is gone is read from its copy by pgBackRest, too. */
async function judgeFile(
  store: ObjectStore,
  key: string,
  pass: Secret | undefined,
): Promise<CipherFinding> {
  const start =
    (await store.start(key, startLength)) ?? (await store.start(`${key}.copy`, startLength));
  if (start === undefined) return undefined;
  switch (formOf(start)) {
    case 'plain':
      return pass === undefined ? undefined : 'plain';
    case 'encrypted':
      if (pass === undefined) return 'encrypted';
      return opens(start, pass) ? undefined : 'other-pass';
    case 'unknown':
      return 'unknown';
  }
}
