// Whether a repository is encrypted, and with what: what the operator gives, what is remembered of the
// repository in use, and how the beginning of its files looks. Pure.

import * as v from 'valibot';

import { parseStored } from '../stored.ts';

export const cipherOption = 'backup_cipher_secret';
/** Field of the operator's secret. */
export const passField = 'cipher-pass';
export const leastPassLength = 32;

/** Whether pgBackRest's file can hold it, and nobody can guess it easily. */
export function isUsablePass(pass: string): boolean {
  return pass.length >= leastPassLength && !/[\p{C}\p{Zl}\p{Zp}]/u.test(pass);
}

const recordSchema = v.object({ place: v.string(), hash: v.optional(v.string()) });

/** What the repository of this identity was initialised with; without a hash it is not encrypted. */
export type CipherRecord = v.InferOutput<typeof recordSchema>;

export function parseCipherRecord(text: string | undefined): CipherRecord | undefined {
  return parseStored(recordSchema, text);
}

export function renderCipherRecord({ place, hash }: CipherRecord): string {
  return JSON.stringify(hash === undefined ? { place } : { place, hash });
}

/** In what a repository differs from what is asked for. */
export type CipherMismatch = 'plain' | 'encrypted' | 'other-pass';

/** `unknown`: it has a file that is neither, which is left to pgBackRest to judge. */
export type CipherFinding = CipherMismatch | 'unknown' | undefined;

/** Every information file begins with these letters, which in an encrypted one cannot be seen. */
export const infoStart = '[backrest]';

/** Bytes that have to be read of a file: a salt in its frame, and two blocks. */
export const startLength = 48;

/** Source: openssl-enc(1), pgBackRest user guide. */
export function formOf(start: Uint8Array): 'plain' | 'encrypted' | 'unknown' {
  const text = String.fromCharCode(...start);
  if (text.startsWith('Salted__')) return 'encrypted';
  return text.startsWith(infoStart) ? 'plain' : 'unknown';
}
