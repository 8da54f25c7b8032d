// What is reckoned with a pass of the repository: whether it opens a file, and a hash by which it is
// known again.

import { createDecipheriv, createHash, scryptSync } from 'node:crypto';

import type { Secret } from '../../lib/base/secret.ts';
import { infoStart } from '../core/backups/cipher.ts';

const frameLength = 16;
const saltStart = 8;
const blockLength = 16;
const keyLength = 32;

/**
 * Whether an encrypted information file, of which the first bytes are given, becomes readable with this
 * pass. pgBackRest encrypts as `openssl enc -aes-256-cbc -md sha1` does.
 */
export function opens(start: Uint8Array, pass: Secret): boolean {
  const block = start.subarray(frameLength, frameLength + blockLength);
  if (block.length < blockLength) return false;
  const material = deriveKey(pass, start.subarray(saltStart, frameLength));
  const key = material.subarray(0, keyLength);
  const iv = material.subarray(keyLength, keyLength + blockLength);
  const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  return decipher.update(block).toString('latin1').startsWith(infoStart);
}

/** OpenSSL's EVP_BytesToKey with SHA-1 and one round. */
function deriveKey(pass: Secret, salt: Uint8Array): Buffer {
  let last = Buffer.alloc(0);
  let material = last;
  while (material.length < keyLength + blockLength) {
    last = createHash('sha1').update(last).update(pass.reveal()).update(salt).digest();
    material = Buffer.concat([material, last]);
  }
  return material;
}

// Less than what guards logins: the pass is long, and each hook that writes the file waits for it.
const scryptCost = { N: 8192, r: 8, p: 1 };
const hashLength = 24;

/** Hash that may be shown; the salt only has to be another for every cluster and repository. */
export function hashPass(pass: Secret, salt: string): string {
  return scryptSync(pass.reveal(), salt, hashLength, scryptCost).toString('hex');
}
