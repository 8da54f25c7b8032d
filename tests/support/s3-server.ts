// A real S3 server over TLS: Versity's gateway on a folder of its own.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { ensureProgram } from './binaries.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
import { makeTemporaryFolder, startChildServer } from './child-server.ts';
import { canConnect, findFreePort } from './free-port.ts';

export interface S3Server {
  /** `https://localhost:port` */
  readonly endpoint: string;
  readonly certificate: Certificate;
  stop(): Promise<void>;
}

export interface S3ServerOptions {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly region: string;
}

/** Starts a server that knows one pair of keys. */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const command = await ensureProgram('versitygw');
  const folder = await makeTemporaryFolder('s3');
  const certificate = await makeCertificate(folder.path);
  const [data, sidecar] = [join(folder.path, 'data'), join(folder.path, 'sidecar')];
  await mkdir(data);
  await mkdir(sidecar);
  const port = await findFreePort();
  const server = await startChildServer({
    command,
    args: [
      '--region',
      options.region,
      '--port',
      `127.0.0.1:${port}`,
      '--health',
      '/health',
      '--cert',
      certificate.certificateFile,
      '--key',
      certificate.keyFile,
      '--quiet',
      // Not every temporary folder has extended attributes, where it would keep its notes.
      'posix',
      '--sidecar',
      sidecar,
      data,
    ],
    spawn: {
      env: { ROOT_ACCESS_KEY: options.accessKey, ROOT_SECRET_KEY: options.secretKey },
    },
    isReady: async () => await canConnect(port),
    // It would wait for connections that clients keep open.
    stopSignal: 'SIGKILL',
  });
  return {
    endpoint: `https://localhost:${port}`,
    certificate,
    stop: async () => {
      await server.stop();
      await folder.remove();
    },
  };
}
