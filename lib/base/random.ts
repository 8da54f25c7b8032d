// Randomness as a port, so that scenarios can be repeated.

import { randomInt } from 'node:crypto';

export interface Random {
  /** A password of letters and digits from a cryptographic source. */
  password(length: number): string;
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export const systemRandom: Random = {
  password: (length) =>
    Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join(''),
};
