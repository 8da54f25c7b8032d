/** Writes to the cloud's object storage, as somebody else would. */

import path from 'node:path';

import { run, type S3Info } from '../../../cloud/client.ts';

export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly content: string;
}

const writer = path.join(import.meta.dirname, 'bucket-writer.ts');

/** The server's name means something inside the cloud only, so the client runs there. */
export async function putObject(info: S3Info, object: StoredObject): Promise<void> {
  const input = JSON.stringify({ info, object });
  await run(process.execPath, [writer], { input, timeoutMs: 60_000 });
}
