/** How clients of the API server find it and prove who they are. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { certificateFiles, type IdentityName } from './certificates.ts';
import { writeWhole } from './files.ts';
import type { Layout } from './layout.ts';
import { apiServerUrl } from './settings.ts';

export const kubeconfigUsers = [
  'admin',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubelet',
  'coredns',
  'provisioner',
] as const satisfies readonly IdentityName[];

export type KubeconfigUser = (typeof kubeconfigUsers)[number];

export interface KubeconfigParts {
  readonly user: string;
  readonly server: string;
  readonly authorityPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

export function kubeconfigFile(layout: Layout, user: KubeconfigUser): string {
  return path.join(layout.kubeconfigs, `${user}.json`);
}

/** The text of a kubeconfig that carries everything in itself. JSON is YAML too. */
export function renderKubeconfig(parts: KubeconfigParts): string {
  const cluster = {
    server: parts.server,
    'certificate-authority-data': encode(parts.authorityPem),
  };
  const user = {
    'client-certificate-data': encode(parts.certificatePem),
    'client-key-data': encode(parts.keyPem),
  };
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster }],
    users: [{ name: parts.user, user }],
    contexts: [{ name: 'local', context: { cluster: 'local', user: parts.user } }],
    'current-context': 'local',
  };
  return `${JSON.stringify(kubeconfig, undefined, 2)}\n`;
}

/** Writes the kubeconfig of every user from the certificates. */
export async function writeKubeconfigs(layout: Layout): Promise<void> {
  const authorityPem = await readFile(certificateFiles(layout, 'ca').certificate, 'utf8');
  for (const user of kubeconfigUsers) {
    const files = certificateFiles(layout, user);
    const certificatePem = await readFile(files.certificate, 'utf8');
    const keyPem = await readFile(files.key, 'utf8');
    const parts = { user, server: apiServerUrl, authorityPem, certificatePem, keyPem };
    await writeWhole(kubeconfigFile(layout, user), renderKubeconfig(parts));
  }
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}
