/** Deploys this repository's charms the way its README says. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import * as v from 'valibot';

import type { Model } from './model.ts';

export const postgresql = 'postgresql-k8s';
export const s3Integrator = 's3-integrator';
/** Name of the secret with the storage keys; also how the demo knows a model for its own. */
export const s3Secret = 'demo-s3-keys';

export type Keys = Pick<S3Settings, 'accessKey' | 'secretKey'>;

export interface S3Settings {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly path: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Authority that signed the server's certificate. */
  readonly caPem?: string;
}

const dist = path.join(import.meta.dirname, '..', '..', 'dist');
const deployTimeoutMs = 180_000;

export async function deployPostgresql(
  model: Model,
  options: { readonly units: number; readonly image: string; readonly storage?: string },
): Promise<void> {
  const resource = `postgresql-image=${options.image}`;
  const args = [charmFile(postgresql), '-n', `${options.units}`, '--trust', '--resource', resource];
  if (options.storage !== undefined) args.push('--storage', options.storage);
  await model.run('deploy', args, { timeoutMs: deployTimeoutMs });
}

export async function deployS3Integrator(model: Model, settings: S3Settings): Promise<void> {
  await withKeyFile(settings, async (file) => {
    await model.run('add-secret', [s3Secret, '--file', file]);
  });
  await model.run('deploy', [charmFile(s3Integrator)], { timeoutMs: deployTimeoutMs });
  await model.run('grant-secret', [s3Secret, s3Integrator]);
  await configureS3(model, settings);
}

/** Sets where the storage is; empty settings are reset. */
export async function configureS3(
  model: Model,
  settings: Omit<S3Settings, 'accessKey' | 'secretKey'>,
) {
  const { stdout: secret } = await model.run('show-secret', [s3Secret, '--format=json']);
  const [id = ''] = Object.keys(v.parse(v.record(v.string(), v.unknown()), JSON.parse(secret)));
  const chain = settings.caPem === undefined ? '' : Buffer.from(settings.caPem).toString('base64');
  const values: Readonly<Record<string, string>> = {
    endpoint: settings.endpoint,
    region: settings.region,
    bucket: settings.bucket,
    path: settings.path,
    's3-uri-style': 'path',
    'tls-ca-chain': chain,
    credentials: `secret:${id}`,
  };
  const args = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  await model.run('config', [s3Integrator, ...args]);
}

/** Replaces the storage keys. */
export async function updateS3Keys(model: Model, keys: Keys): Promise<void> {
  await withKeyFile(keys, async (file) => {
    await model.run('update-secret', [s3Secret, '--file', file]);
  });
}

/** Keys go through a file that only we can read, never through an argument list. */
async function withKeyFile(keys: Keys, use: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 's3-keys-'));
  try {
    const file = path.join(folder, 'keys.yaml');
    // JSON is YAML, and quotes whatever a key may hold.
    const content = { 'access-key': keys.accessKey, 'secret-key': keys.secretKey };
    await writeFile(file, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function integrateS3(model: Model): Promise<void> {
  await model.run('integrate', [postgresql, s3Integrator]);
}

export async function scalePostgresql(model: Model, units: number): Promise<void> {
  await model.run('scale-application', [postgresql, `${units}`]);
}

function charmFile(charm: string): string {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  return path.join(dist, `${charm}_${architecture}.charm`);
}
