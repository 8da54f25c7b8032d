/**
 * What the caller wants, read once from the environment: `make demo KEEP=1 CLOUD=existing …` hands
 * its variables on. Pure.
 */

import { DemoError } from './failure.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface S3Target {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly caFile?: string;
}

export type Where =
  | { readonly kind: 'local' }
  /** The current controller of the user's own Juju client, with the user's own storage. */
  | { readonly kind: 'existing'; readonly s3: S3Target };

export interface Options {
  readonly where: Where;
  /** Leave the model, and the cloud, as they are at the end. */
  readonly keep: boolean;
  readonly image: string;
}

const localImage = 'docker.io/local/charmed-postgresql:17';

export function parseOptions(environment: Environment): Options {
  const read = (name: string): string => environment[name]?.trim() ?? '';
  return {
    where: parseWhere(read),
    keep: !['', '0', 'no'].includes(read('KEEP')),
    image: read('POSTGRESQL_IMAGE') === '' ? localImage : read('POSTGRESQL_IMAGE'),
  };
}

function parseWhere(read: (name: string) => string): Where {
  const cloud = read('CLOUD');
  if (cloud === '' || cloud === 'local') return { kind: 'local' };
  if (cloud !== 'existing') {
    throw new DemoError(`cannot run the demo on CLOUD="${cloud}"`, {
      hint: 'Leave CLOUD away for the local cloud, or use CLOUD=existing for your own controller.',
    });
  }
  const needed = ['S3_ENDPOINT', 'S3_ACCESS_KEY', 'S3_SECRET_KEY', 'S3_BUCKET', 'POSTGRESQL_IMAGE'];
  const missing = needed.filter((name) => read(name) === '');
  if (missing.length > 0) {
    throw new DemoError(`cannot run the demo on your own cloud: ${missing.join(', ')} not set`, {
      hint:
        'Say where backups go (S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY; S3_REGION and ' +
        'S3_CA_FILE if they are needed) and which image the cluster can pull (POSTGRESQL_IMAGE).',
    });
  }
  const caFile = read('S3_CA_FILE');
  const s3 = {
    endpoint: read('S3_ENDPOINT'),
    region: read('S3_REGION'),
    bucket: read('S3_BUCKET'),
    accessKey: read('S3_ACCESS_KEY'),
    secretKey: read('S3_SECRET_KEY'),
    ...(caFile === '' ? {} : { caFile }),
  };
  return { kind: 'existing', s3 };
}
