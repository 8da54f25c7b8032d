// credential-get: needs `juju trust`; on Kubernetes since Juju 3.6.10. The answer holds secrets.

import { Secret } from '../../base/secret.ts';
import { readJson } from './call.ts';
import { isRecord, textAt, toRecord } from './json.ts';
import type { HookToolPort } from './port.ts';

export interface CloudSpec {
  readonly type: string;
  readonly name: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly authType?: string;
  readonly attributes: Readonly<Record<string, Secret>>;
  readonly caCertificates: readonly string[];
}

/** The cloud that the model lives on and how to log in there. */
export async function credentialGet(port: HookToolPort): Promise<CloudSpec> {
  const tool = 'credential-get';
  const record = toRecord(tool, await readJson(port, { tool, args: [] }));
  const credential = isRecord(record['credential']) ? record['credential'] : {};
  const attributes = isRecord(credential['attrs']) ? credential['attrs'] : {};
  const certificates = record['cacertificates'];
  const region = textAt(record, 'region');
  const endpoint = textAt(record, 'endpoint');
  const authType = textAt(credential, 'auth-type');
  return {
    type: textAt(record, 'type') ?? '',
    name: textAt(record, 'name') ?? '',
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(authType === undefined ? {} : { authType }),
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([key, value]) => [key, new Secret(String(value))]),
    ),
    caCertificates: Array.isArray(certificates)
      ? certificates.filter((each) => typeof each === 'string')
      : [],
  };
}
