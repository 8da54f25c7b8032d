/**
 * An authority with certificates for members, put where the charm looks for them, and told to it, as a
 * relation to a provider of certificates would. Made by openssl.
 */

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { execa } from 'execa';

import type { Model } from '../../../scripts/demo/model.ts';
import { type Member, runInPod } from '../../../scripts/faults/sql.ts';

/** In the folder of the test. */
export interface Authority {
  readonly pem: string;
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** Text in PEM. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export type CertificateFiles = Readonly<Record<keyof Certificates, string>>;

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export async function makeAuthority(folder: string, name: string): Promise<Authority> {
  const [certificateFile, keyFile] = [path.join(folder, `${name}.pem`), path.join(folder, name)];
  const files = ['-keyout', keyFile, '-out', certificateFile];
  const uses = ['-addext', 'keyUsage=critical,keyCertSign'];
  const subject = ['-days', '2', '-subj', `/CN=${name}`];
  await execa('openssl', ['req', '-x509', ...newKey, ...files, ...subject, ...uses]);
  return { pem: await readFile(certificateFile, 'utf8'), certificateFile, keyFile };
}

/** For a server and a client of this name. */
export async function issue(authority: Authority, host: string): Promise<Certificates> {
  const at = (ending: string) => `${authority.keyFile}-${host}.${ending}`;
  const request = ['-keyout', at('key'), '-out', at('csr'), '-subj', `/CN=${host}`];
  await execa('openssl', ['req', '-new', ...newKey, ...request]);
  const extensions = [
    `subjectAltName=DNS:${host}`,
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
  ];
  await writeFile(at('ext'), `${extensions.join('\n')}\n`);
  const signer = ['-CA', authority.certificateFile, '-CAkey', authority.keyFile, '-CAcreateserial'];
  const files = ['-in', at('csr'), '-extfile', at('ext'), '-out', at('pem')];
  await execa('openssl', ['x509', '-req', ...files, ...signer, '-days', '2']);
  return {
    ca: authority.pem,
    cert: await readFile(at('pem'), 'utf8'),
    key: await readFile(at('key'), 'utf8'),
  };
}

/** Writes them into the workload, for the server's user alone. */
export async function place(
  member: Member,
  certificates: Certificates,
  files: CertificateFiles,
): Promise<void> {
  const { ca, cert, key } = certificates;
  for (const [file, input] of [
    [files.ca, ca],
    [files.cert, cert],
    [files.key, key],
  ] as const) {
    const folder = `install -d -o postgres -g postgres ${path.dirname(file)}`;
    const script = `set -e; test -d ${path.dirname(file)} || ${folder}
umask 077; cat > ${file}; chown postgres:postgres ${file}`;
    await runInPod(member, { script, input });
  }
}

/** The unit's own word that it has certificates. */
export async function announce(model: Model, unit: string, value: 'enabled' | ''): Promise<void> {
  const script = `relation-set -r "$(relation-ids database-peers)" tls=${value}`;
  await model.run('exec', ['--unit', unit, '--', script]);
}
