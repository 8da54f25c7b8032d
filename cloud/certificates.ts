/**
 * The cloud's own certificate authority and the certificates that it signs: one identity per
 * component, as Kubernetes wants it. Made by `openssl`, new for each cloud, readable by root alone.
 */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { execa } from 'execa';

import { writeWhole } from './files.ts';
import type { Layout } from './layout.ts';
import { settings } from './settings.ts';

export interface Identity {
  /** As `openssl` writes a subject: organisation for the group, common name for the user. */
  readonly subject: string;
  /** Names and addresses that the certificate is good for; none for a client. */
  readonly servesAs?: readonly string[];
  readonly client?: true;
}

const clusterDomain = settings.dns.clusterDomain;

export const identityNames = [
  'admin',
  'kube-apiserver',
  'kubelet-client',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubelet',
  'coredns',
  'provisioner',
  's3',
] as const;

export type IdentityName = (typeof identityNames)[number];

export const identities: Readonly<Record<IdentityName, Identity>> = {
  admin: { subject: '/O=system:masters/CN=admin', client: true },
  'kube-apiserver': {
    subject: '/CN=kube-apiserver',
    servesAs: [
      `IP:${settings.node.address}`,
      'IP:127.0.0.1',
      `IP:${settings.services.apiAddress}`,
      'DNS:kubernetes',
      'DNS:kubernetes.default',
      'DNS:kubernetes.default.svc',
      `DNS:kubernetes.default.svc.${clusterDomain}`,
    ],
  },
  'kubelet-client': { subject: '/CN=kube-apiserver-kubelet-client', client: true },
  'kube-controller-manager': { subject: '/CN=system:kube-controller-manager', client: true },
  'kube-scheduler': { subject: '/CN=system:kube-scheduler', client: true },
  'kube-proxy': { subject: '/CN=system:kube-proxy', client: true },
  kubelet: {
    subject: `/O=system:nodes/CN=system:node:${settings.node.name}`,
    servesAs: [`IP:${settings.node.address}`, `DNS:${settings.node.name}`],
    client: true,
  },
  coredns: { subject: '/CN=coredns', client: true },
  provisioner: { subject: '/CN=provisioner', client: true },
  s3: {
    subject: `/CN=${settings.s3.name}`,
    servesAs: [`DNS:${settings.s3.name}`, `DNS:*.${settings.s3.name}`, `IP:${settings.s3.address}`],
  },
};

export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** Where a certificate and its key are. `service-accounts` is a key alone. */
export function certificateFiles(
  layout: Layout,
  name: IdentityName | 'ca' | 'service-accounts',
): CertificateFiles {
  return {
    certificate: path.join(layout.certificates, `${name}.crt`),
    key: path.join(layout.certificates, `${name}.key`),
  };
}

/** Makes the authority, the key that signs tokens, and a certificate for each identity. */
export async function createCertificates(layout: Layout, logFile: string): Promise<void> {
  await mkdir(layout.certificates, { recursive: true, mode: 0o700 });
  const config = path.join(layout.certificates, 'openssl.cnf');
  await writeWhole(config, '[req]\ndistinguished_name = name\n[name]\n');
  const openssl = async (args: readonly string[]): Promise<void> => {
    const output = { file: logFile, append: true } as const;
    await execa('openssl', args, { stdin: 'ignore', stdout: output, stderr: output });
  };
  await openssl(['genrsa', '-out', certificateFiles(layout, 'service-accounts').key, '2048']);
  await openssl(authorityArguments(layout, config));
  for (const name of identityNames) {
    const files = certificateFiles(layout, name);
    await openssl(leafArguments(layout, { config, files, identity: identities[name] }));
  }
}

function authorityArguments(layout: Layout, config: string): readonly string[] {
  return [
    ...requestArguments(config, certificateFiles(layout, 'ca'), '/CN=local-cloud'),
    ...extension('basicConstraints=critical,CA:TRUE'),
    ...extension('keyUsage=critical,keyCertSign,cRLSign'),
    ...extension('subjectKeyIdentifier=hash'),
  ];
}

interface LeafRequest {
  readonly config: string;
  readonly files: CertificateFiles;
  readonly identity: Identity;
}

function leafArguments(
  layout: Layout,
  { config, files, identity }: LeafRequest,
): readonly string[] {
  const authority = certificateFiles(layout, 'ca');
  const usages = [
    ...(identity.servesAs === undefined ? [] : ['serverAuth']),
    ...(identity.client === undefined ? [] : ['clientAuth']),
  ];
  return [
    ...requestArguments(config, files, identity.subject),
    '-CA',
    authority.certificate,
    '-CAkey',
    authority.key,
    ...extension('basicConstraints=critical,CA:FALSE'),
    ...extension('keyUsage=critical,digitalSignature'),
    ...extension(`extendedKeyUsage=${usages.join(',')}`),
    ...extension('subjectKeyIdentifier=hash'),
    ...extension('authorityKeyIdentifier=keyid:always'),
    ...(identity.servesAs === undefined
      ? []
      : extension(`subjectAltName=${identity.servesAs.join(',')}`)),
  ];
}

function requestArguments(
  config: string,
  files: CertificateFiles,
  subject: string,
): readonly string[] {
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const output = ['-keyout', files.key, '-out', files.certificate];
  return ['req', '-config', config, '-x509', ...kind, ...output, '-days', '3650', '-subj', subject];
}

function extension(text: string): readonly string[] {
  return ['-addext', text];
}
