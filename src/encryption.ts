// Encryption of the repository when its option or the operator's secret changes. A repository stays as it
// was initialised: what is asked for otherwise is refused with what to do, and everything goes on.

import type { S3Parameters } from '../lib/interfaces/s3-fields.ts';
import { type Cluster, isRestoring, type PostgresqlHook } from './adapters/cluster.ts';
import { ObjectStoreError } from './adapters/object-store-error.ts';
import {
  openRepositoryStore,
  readRepository,
  renewRepositoryConfig,
} from './adapters/repository.ts';
import {
  type CipherWish,
  findMismatch,
  isRecorded,
  readCipherRecord,
  readCipherWish,
  rememberCipher,
} from './adapters/repository-cipher.ts';
import { s3CredentialsChanged } from './backups.ts';
import { type CipherMismatch, cipherOption, parseCipherRecord } from './core/backups/cipher.ts';
import { cipherMismatch } from './core/status.ts';
import { quietly } from './quietly.ts';

/** Keys of the application's databag: why the option is not followed, and for what value that was found out. */
const [problemKey, judgedKey] = ['cipher-problem', 'cipher-judged'] as const;

/**
 * update-status only looks again at what was wrong, since grants and removed stanzas fire no event, and at
 * an option that nobody has looked at: an outage or a restore was in the way.
 */
export async function followEncryption(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const app = await cluster.appData();
  const { cipherProblem, cipherJudged, stanza } = app;
  const option = await readOption(hook);
  const settled = cipherProblem === undefined && option === cipherJudged;
  if (hook.event.name === 'update-status' && settled) return;
  // Every unit reads it, so that Juju tells each when it changes.
  const wish = await readCipherWish(hook);
  if (await hook.juju.isLeader()) {
    const problem = await judgeWish(hook, cluster, wish);
    if (problem !== undefined && problem !== cipherProblem) hook.log('ERROR', problem);
    cluster.setApp({
      [problemKey]: problem,
      [judgedKey]: isRestoring(app) ? cipherJudged : option,
    });
  } else if (stanza === undefined) {
    // The leader makes the repository anew, and waits for the WAL of the primary.
    await renewRepositoryConfig(hook, cluster);
  }
}

async function readOption(hook: PostgresqlHook): Promise<string | undefined> {
  const { [cipherOption]: value = '' } = await hook.juju.config();
  return value === '' ? undefined : String(value);
}

async function judgeWish(
  hook: PostgresqlHook,
  cluster: Cluster,
  wish: CipherWish,
): Promise<string | undefined> {
  if (wish.kind === 'unusable') return wish.problem;
  const app = await cluster.appData();
  if (isRestoring(app)) return app.cipherProblem;
  const reading = await readRepository(hook);
  if (reading.kind !== 'ready') return undefined;
  const { parameters } = reading;
  const record = await readCipherRecord(hook, cluster, parameters);
  // What is wrong with a repository that has never been in use is found when it is initialised.
  if (record === undefined) return undefined;
  if (isRecorded(hook, record, wish.pass)) {
    if (parseCipherRecord(app.repositoryCipher) === undefined) {
      await rememberCipher(hook, cluster, { parameters, pass: wish.pass });
    }
    return undefined;
  }
  const known = record.hash === undefined ? 'plain' : 'other-pass';
  const mismatch = await look(hook, { parameters, wish, known });
  if (mismatch !== undefined) return cipherMismatch(mismatch);
  // The stanza has been removed, or made anew by hand: the repository is initialised as a new one.
  cluster.setApp({ stanza: undefined, 'repository-cipher': undefined });
  await s3CredentialsChanged(quietly(hook));
  return undefined;
}

interface Question {
  readonly parameters: S3Parameters;
  readonly wish: CipherWish & { readonly kind: 'usable' };
  /** What is known without asking. */
  readonly known: CipherMismatch;
}

async function look(
  hook: PostgresqlHook,
  { parameters, wish, known }: Question,
): Promise<CipherMismatch | undefined> {
  const unseen = wish.pass === undefined ? 'encrypted' : known;
  try {
    const store = openRepositoryStore(hook, parameters);
    const found = await findMismatch(store, parameters, wish.pass);
    return found === 'unknown' ? unseen : found;
  } catch (error) {
    if (error instanceof ObjectStoreError) return unseen;
    throw error;
  }
}
