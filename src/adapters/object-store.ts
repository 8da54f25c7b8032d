// One bucket of an S3 server, through the S3 client, which is loaded when the first call is made:
// it is the most expensive package we have. Checksums are sent only where S3 requires them, since
// many servers made by others refuse the newer ones.

import { isNativeError } from 'node:util/types';

import type {
  BucketLocationConstraint,
  CreateBucketCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';

import { lazy } from '../../lib/base/lazy.ts';
import { defaultRegion } from '../core/names.ts';
import type { ObjectStore, ObjectStoreSettings } from '../ports.ts';
import { toCreationError, toObjectStoreError } from './object-store-error.ts';

const deadlines = {
  connectMs: 5_000,
  /** One attempt; what the charm reads and writes is small. */
  requestMs: 15_000,
  /** One call with all its attempts: within the patience of somebody who runs an action. */
  callMs: 40_000,
};

/** Network errors, throttling and status 5xx are tried again, which is safe for all our calls. */
const maxAttempts = 3;

/** A client for one bucket; sends nothing before the first call. */
export function openObjectStore(settings: ObjectStoreSettings): ObjectStore {
  const client = lazy(async () => await createClient(settings));
  const { bucket } = settings;

  const attempt = async <T>(purpose: string, call: Call<T>): Promise<T> => {
    try {
      return await call(await client(), { abortSignal: AbortSignal.timeout(deadlines.callMs) });
    } catch (error) {
      throw toObjectStoreError(purpose, settings, error);
    }
  };

  return {
    ensureBucket: async () => {
      await attempt(`access bucket "${bucket}"`, async (s3, options) => {
        const { CreateBucketCommand } = await import('@aws-sdk/client-s3');
        if (await hasBucket(s3, settings, options)) return;
        try {
          await s3.send(new CreateBucketCommand(describeBucket(settings)), options);
        } catch (error) {
          // Another unit made it at the same time.
          if (!isNamed(error, 'BucketAlreadyOwnedByYou')) throw toCreationError(settings, error);
        }
      });
    },
    get: async (key) =>
      await attempt(`read object "${key}"`, async (s3, options) => {
        const { GetObjectCommand } = await import('@aws-sdk/client-s3');
        try {
          const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), options);
          return await answer.Body?.transformToString('utf-8');
        } catch (error) {
          if (isNamed(error, 'NoSuchKey')) return undefined;
          throw error;
        }
      }),
    start: async (key, bytes) =>
      await attempt(`read object "${key}"`, async (s3, options) => {
        const { GetObjectCommand } = await import('@aws-sdk/client-s3');
        const request = { Bucket: bucket, Key: key, Range: `bytes=0-${bytes - 1}` };
        try {
          const answer = await s3.send(new GetObjectCommand(request), options);
          return await answer.Body?.transformToByteArray();
        } catch (error) {
          if (isNamed(error, 'NoSuchKey')) return undefined;
          // That is what servers say of an object without content.
          if (isNamed(error, 'InvalidRange')) return new Uint8Array();
          throw error;
        }
      }),
    put: async (key, text) => {
      await attempt(`write object "${key}"`, async (s3, options) => {
        const { PutObjectCommand } = await import('@aws-sdk/client-s3');
        const body = Buffer.from(text);
        const request = { Bucket: bucket, Key: key, Body: body, ContentLength: body.length };
        await s3.send(new PutObjectCommand(request), options);
      });
    },
    list: async (folder) =>
      await attempt(`list folder "${folder}"`, async (s3, options) => {
        const names: string[] = [];
        let page: string | undefined;
        do {
          const part = await listPage(s3, { bucket, folder, page }, options);
          names.push(...part.names);
          page = part.next;
        } while (page !== undefined);
        return names.toSorted();
      }),
  };
}

interface PageRequest {
  readonly bucket: string;
  readonly folder: string;
  readonly page: string | undefined;
}

/** One answer of at most a thousand names. */
async function listPage(
  client: S3Client,
  { bucket, folder, page }: PageRequest,
  options: CallOptions,
): Promise<{ readonly names: readonly string[]; readonly next: string | undefined }> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const answer = await client.send(
    new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: folder,
      Delimiter: '/',
      ...(page === undefined ? {} : { ContinuationToken: page }),
    }),
    options,
  );
  const keys = [
    ...(answer.Contents ?? []).map(({ Key }) => Key),
    ...(answer.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
  ];
  return {
    // Some servers keep an object for the folder itself.
    names: keys.flatMap((key) => key?.slice(folder.length) || []),
    next: answer.IsTruncated === true ? answer.NextContinuationToken : undefined,
  };
}

/** The address that the S3 client is given: Amazon's own is made that of the region. */
export function endpointFor(settings: Pick<ObjectStoreSettings, 'endpoint' | 'region'>): string {
  const url = URL.parse(settings.endpoint);
  const amazon = /^s3(?:[.-][a-z0-9-]+)?\.(?<suffix>amazonaws\.com(?:\.cn)?)$/u;
  const suffix = amazon.exec(url?.hostname ?? '')?.groups?.['suffix'];
  if (url === null || suffix === undefined || settings.region === '') return settings.endpoint;
  return `${url.protocol}//s3.${settings.region}.${suffix}`;
}

interface CallOptions {
  readonly abortSignal: AbortSignal;
}

type Call<T> = (client: S3Client, options: CallOptions) => Promise<T>;

async function createClient(settings: ObjectStoreSettings): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  return new S3Client({
    endpoint: endpointFor(settings),
    region: settings.region === '' ? defaultRegion : settings.region,
    forcePathStyle: settings.uriStyle === 'path',
    credentials: {
      accessKeyId: settings.accessKey.reveal(),
      secretAccessKey: settings.secretKey.reveal(),
    },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: deadlines.connectMs,
      requestTimeout: deadlines.requestMs,
      throwOnRequestTimeout: true,
      httpsAgent: { keepAlive: true, ...(settings.caChain ? { ca: settings.caChain } : {}) },
    },
  });
}

/**
 * Whether the bucket is there and open to us. Lists instead of asking for its head, which needs
 * the same permission: only answers with a body tell a wrong key from a missing permission.
 */
async function hasBucket(
  client: S3Client,
  settings: ObjectStoreSettings,
  options: CallOptions,
): Promise<boolean> {
  const { ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  try {
    const request = new ListObjectsV2Command({ Bucket: settings.bucket, MaxKeys: 1 });
    await client.send(request, options);
    return true;
  } catch (error) {
    if (isNamed(error, 'NoSuchBucket')) return false;
    throw error;
  }
}

/** The default one is the one that must not be named to make a bucket. */
function describeBucket({ bucket, region }: ObjectStoreSettings): CreateBucketCommandInput {
  if (region === defaultRegion || !isConstraint(region)) return { Bucket: bucket };
  return { Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } };
}

/** The client's type lists Amazon's regions; servers made by others have names of their own. */
function isConstraint(region: string): region is BucketLocationConstraint {
  return region !== '';
}

/** The client names its errors as the server does. */
function isNamed(error: unknown, name: string): boolean {
  return isNativeError(error) && error.name === name;
}
