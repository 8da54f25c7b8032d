/** The S3 server: its folder and root keys, made new for each cloud, and how clients find it. */

import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { certificateFiles } from './certificates.ts';
import { writeWhole } from './files.ts';
import type { Layout } from './layout.ts';
import { settings } from './settings.ts';

export interface S3Info {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The authority that signed the server's certificate. */
  readonly caPem: string;
}

const keysSchema = v.object({ accessKey: v.string(), secretKey: v.string() });

export function s3KeysFile(layout: Layout): string {
  return path.join(layout.s3, 'keys.json');
}

/** Makes the folder of buckets and the keys, the latter once more as what the server's shell reads. */
export async function createS3Keys(layout: Layout): Promise<void> {
  await mkdir(path.join(layout.s3, 'data'), { recursive: true });
  const accessKey = `cloud${randomBytes(8).toString('hex')}`;
  const secretKey = randomBytes(24).toString('hex');
  const text = `export ROOT_ACCESS_KEY=${accessKey}\nexport ROOT_SECRET_KEY=${secretKey}\n`;
  await writeWhole(path.join(layout.s3, 'keys.sh'), text);
  await writeWhole(s3KeysFile(layout), `${JSON.stringify({ accessKey, secretKey })}\n`);
}

export async function loadS3Info(layout: Layout): Promise<S3Info> {
  const keys = v.parse(keysSchema, JSON.parse(await readFile(s3KeysFile(layout), 'utf8')));
  const caPem = await readFile(certificateFiles(layout, 'ca').certificate, 'utf8');
  return { endpoint: settings.s3.endpoint, region: settings.s3.region, ...keys, caPem };
}
