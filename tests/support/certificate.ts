// A certificate for a server on this machine, which vouches for itself. Made by openssl, which
// every system that can run these tests has.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { execa } from 'execa';

export interface Certificate {
  /** PEM; also the authority to trust. */
  readonly pem: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** For `localhost` and 127.0.0.1, in the given folder. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const [certificateFile, keyFile] = [join(folder, 'server.pem'), join(folder, 'server.key')];
  await execa('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    keyFile,
    '-out',
    certificateFile,
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
  ]);
  return { pem: await readFile(certificateFile, 'utf8'), certificateFile, keyFile };
}
