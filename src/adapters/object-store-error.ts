// What can go wrong with object storage, and how the S3 client's errors are read. Server errors
// carry what was signed and network errors the address; neither is kept as a cause, because the
// key pair must not be found in anything that is logged.

import { isNativeError } from 'node:util/types';

import { CodedError } from '../../lib/base/error.ts';
import { toHttpError } from '../../lib/base/http.ts';
import { fullHint, hintOfAnswer } from '../core/backups/storage-hints.ts';
import type { ObjectStoreSettings } from '../ports.ts';

export type ObjectStoreErrorCode =
  | 'unreachable'
  | 'untrusted'
  | 'wrong-key'
  | 'wrong-secret'
  | 'forbidden'
  | 'no-bucket'
  | 'api';

/** Fields: bucket; of an answer also its `status` and `reason` (the server's own code). */
export class ObjectStoreError extends CodedError {
  declare readonly code: ObjectStoreErrorCode;
}

/** The S3 client's error as ours. What is no failure of the conversation is given back as it is. */
export function toObjectStoreError(
  purpose: string,
  settings: ObjectStoreSettings,
  error: unknown,
): unknown {
  if (!isNativeError(error) || error instanceof ObjectStoreError) return error;
  const status = statusOf(error);
  if (status !== undefined) {
    const code = answerCodes[error.name] ?? (status === 403 ? 'forbidden' : 'api');
    const hint = answerHints[error.name] ?? hints[code] ?? hintOfAnswer(status, error.message);
    return describe(error, settings, { purpose, code, status, reason: error.name, hint });
  }
  // Without a system's code there was no failure of the network either.
  if (!isNetworkError(error)) return error;
  const code = networkCode(settings, error);
  return describe(error, settings, { purpose, code, reason: code, hint: hints[code] });
}

const creationHint = 'Create the bucket, or allow the access key to do so.';

/** The same when the bucket is not there and cannot be made. */
export function toCreationError(settings: ObjectStoreSettings, error: unknown): unknown {
  const told = toObjectStoreError(`create bucket "${settings.bucket}"`, settings, error);
  if (!(told instanceof ObjectStoreError) || told.code !== 'forbidden') return told;
  const { code, fields, message } = told;
  return new ObjectStoreError(message, { code, fields, hint: creationHint });
}

interface Description {
  readonly purpose: string;
  readonly code: ObjectStoreErrorCode;
  readonly status?: number;
  readonly reason: string;
  readonly hint: string | undefined;
}

function describe(
  error: Error,
  settings: ObjectStoreSettings,
  { purpose, code, status, reason, hint }: Description,
): ObjectStoreError {
  // After a semicolon Node.js advises people who write programs.
  const told = code === 'untrusted' ? error.message.split(';')[0] : error.message;
  const said = isTimeout(error) ? 'no answer in time' : told;
  return new ObjectStoreError(
    `cannot ${purpose}: ${withoutKeys(settings, said || error.name).slice(0, 200)}`,
    {
      code,
      fields: { bucket: settings.bucket, status, reason },
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

/** One sentence for the operator, by what went wrong. */
export const hints: Readonly<Record<ObjectStoreErrorCode, string | undefined>> = {
  unreachable: 'Check the endpoint, and whether the storage server is up.',
  untrusted: "Set tls-ca-chain to the authority that signed the storage server's certificate.",
  'wrong-key': 'Check the access key.',
  'wrong-secret': 'Check the secret key.',
  forbidden: 'Allow the access key to list, read and write in the bucket.',
  'no-bucket': 'Check the name of the bucket.',
  api: undefined,
};

/** The same for answers that have no code of their own among ours. */
const answerHints: Readonly<Record<string, string>> = {
  AuthorizationHeaderMalformed: 'Check the region.',
  PermanentRedirect: 'Check the region.',
  IllegalLocationConstraintException: 'Check the region.',
  InvalidBucketName: 'Check the name of the bucket.',
  BucketAlreadyExists: 'Choose another bucket: this one belongs to somebody else.',
  QuotaExceeded: fullHint,
  // MinIO and Versity's gateway.
  XMinioStorageFull: fullHint,
  InsufficientStorage: fullHint,
};

/** The server's own codes that mean what one of ours says. */
const answerCodes: Readonly<Record<string, ObjectStoreErrorCode>> = {
  InvalidAccessKeyId: 'wrong-key',
  InvalidToken: 'wrong-key',
  InvalidSecurity: 'wrong-key',
  // Versity's gateway.
  XAdminUserNotFound: 'wrong-key',
  SignatureDoesNotMatch: 'wrong-secret',
  AccessDenied: 'forbidden',
  AllAccessDisabled: 'forbidden',
  AccountProblem: 'forbidden',
  NoSuchBucket: 'no-bucket',
};

function networkCode(settings: ObjectStoreSettings, error: Error): ObjectStoreErrorCode {
  const request = { method: 'GET', url: settings.endpoint, timeoutMs: 0 } as const;
  return toHttpError(request, error).code === 'untrusted' ? 'untrusted' : 'unreachable';
}

function isNetworkError(error: Error): boolean {
  return isTimeout(error) || ('code' in error && typeof error.code === 'string');
}

/** Of one attempt, or of the whole call. The client calls connections that are cut so, too. */
function isTimeout(error: Error): boolean {
  if (!['TimeoutError', 'AbortError'].includes(error.name)) return false;
  return !('code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'));
}

function statusOf(error: Error): number | undefined {
  if (!('$metadata' in error) || !isRecord(error.$metadata)) return undefined;
  const status = error.$metadata['httpStatusCode'];
  return typeof status === 'number' ? status : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function withoutKeys(settings: ObjectStoreSettings, text: string): string {
  return [settings.accessKey, settings.secretKey].reduce(
    (kept, key) => kept.replaceAll(key.reveal(), '<secret>'),
    text,
  );
}
