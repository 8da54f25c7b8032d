// Where the API server is and who we are, as Kubernetes tells every pod: two variables and three
// files. Kubernetes replaces the token's file about every hour, so it is read when it is needed
// and never kept beyond one dispatch.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface KubeCredentials {
  readonly token: string;
  /** PEM; absent when the system's authorities are to be trusted. */
  readonly ca?: string;
}

const mountedAt = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Address of the API server from a pod's environment; the Service's name when that is silent. */
export function inClusterUrl(environment: Readonly<Record<string, string | undefined>>): string {
  const host = environment['KUBERNETES_SERVICE_HOST'];
  if (host === undefined || host === '') return 'https://kubernetes.default.svc';
  const port = environment['KUBERNETES_SERVICE_PORT'] ?? '443';
  return `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Reads the service account as it is now; rejects when it is not mounted. */
export async function readServiceAccount(directory: string = mountedAt): Promise<KubeCredentials> {
  const [token, ca] = await Promise.all([
    readFile(join(directory, 'token'), 'utf8'),
    readFile(join(directory, 'ca.crt'), 'utf8'),
  ]);
  return { token: token.trim(), ca };
}

/** Namespace of the pod; Juju gives it the model's name. */
export async function readNamespace(directory: string = mountedAt): Promise<string> {
  return (await readFile(join(directory, 'namespace'), 'utf8')).trim();
}
