// Password verifiers computed on this side, so that a password in clear never travels in a
// statement and so never reaches the server's log, statistics or activity views.
// Source: RFC 5802, RFC 7677, RFC 4013; PostgreSQL manual, `pg_authid`.

import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

import type { Secret } from '../base/secret.ts';
import { PostgresError } from './error.ts';

export interface ScramOptions {
  /** 16 random bytes unless told. */
  readonly salt?: Uint8Array;
  /** PostgreSQL's own default unless told. */
  readonly iterations?: number;
}

const defaultIterations = 4096;

/** What PostgreSQL stores for a password: `SCRAM-SHA-256$<iterations>:<salt>$<keys>`. */
export function scramVerifier(password: Secret, options: ScramOptions = {}): string {
  const { salt = randomBytes(16), iterations = defaultIterations } = options;
  const clear = prepare(password.reveal());
  if (clear === '') {
    throw new PostgresError('cannot set password: it is empty', { code: 'sql' });
  }
  const salted = pbkdf2Sync(clear, salt, iterations, 32, 'sha256');
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest('base64');
  const serverKey = hmac(salted, 'Server Key').toString('base64');
  const saltText = Buffer.from(salt).toString('base64');
  return `SCRAM-SHA-256$${iterations}:${saltText}$${storedKey}:${serverKey}`;
}

/** Whether a stored verifier was made from this password; other kinds never were. */
export function matchesVerifier(verifier: string, password: Secret): boolean {
  const groups = /^SCRAM-SHA-256\$(?<iterations>\d+):(?<salt>[^$]+)\$/u.exec(verifier)?.groups;
  if (groups === undefined) return false;
  const { iterations = '', salt = '' } = groups;
  const made = scramVerifier(password, {
    salt: Buffer.from(salt, 'base64'),
    iterations: Number(iterations),
  });
  const [left, right] = [Buffer.from(made), Buffer.from(verifier)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Joiners, selectors and marks that RFC 3454, table B.1, takes out. */
const mappedToNothing =
  /\u00AD|\u034F|\u1806|[\u180B-\u180D]|[\u200B-\u200D]|\u2060|[\uFE00-\uFE0F]|\uFEFF/gu;

/** SASLprep without its prohibitions: where those apply, both sides take the text as it is. */
function prepare(password: string): string {
  return password
    .replaceAll(/[\u00A0\u1680\u2000-\u200B\u202F\u205F\u3000]/gu, ' ')
    .replaceAll(mappedToNothing, '')
    .normalize('NFKC');
}
