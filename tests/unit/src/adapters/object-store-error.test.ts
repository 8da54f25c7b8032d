// The S3 client's errors in our words, where no server can be made to give them soon.

import { expect, test } from '@jest/globals';

import { Secret } from '../../../../lib/base/secret.ts';
import { toObjectStoreError } from '../../../../src/adapters/object-store-error.ts';

const settings = {
  endpoint: 'https://s3.example.com',
  region: '',
  bucket: 'backups',
  uriStyle: 'path',
  accessKey: new Secret('access'),
  secretKey: new Secret('secret'),
} as const;

test.each(['AbortError', 'TimeoutError'])('%s means that nobody has answered', (name) => {
  const error = Object.assign(new Error('Request aborted'), { name });

  expect(toObjectStoreError('read object "x"', settings, error)).toMatchObject({
    code: 'unreachable',
    message: 'cannot read object "x": no answer in time',
    hint: 'Check the endpoint, and whether the storage server is up.',
  });
});

test.each(['ECONNRESET', 'EPIPE'])('a connection that is cut (%s) is no silence', (code) => {
  // The client calls it so, too.
  const error = Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code });

  expect(toObjectStoreError('read object "x"', settings, error)).toMatchObject({
    code: 'unreachable',
    message: 'cannot read object "x": socket hang up',
    hint: 'Check the endpoint, and whether the storage server is up.',
  });
});

test.each(['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull'])(
  '%s means that the storage is full',
  (name) => {
    const $metadata = { httpStatusCode: 507 };
    const error = Object.assign(new Error('No space left on device.'), { name, $metadata });

    expect(toObjectStoreError('write object "x"', settings, error)).toMatchObject({
      code: 'api',
      hint: 'Free space on the storage server, or raise its quota.',
    });
  },
);

test.each([
  [500, 'XMinioBackend', 'Storage backend has reached its minimum free drive threshold: disk full'],
  [500, 'InternalError', 'write /data/x: no space left on device'],
  [503, 'ServiceUnavailable', 'There is not enough space to store the object.'],
  [507, 'Unknown', 'UnknownError'],
])('so does a server with %i that says %s: %s', (httpStatusCode, name, text) => {
  const error = Object.assign(new Error(text), { name, $metadata: { httpStatusCode } });

  expect(toObjectStoreError('write object "x"', settings, error)).toMatchObject({
    code: 'api',
    hint: 'Free space on the storage server, or raise its quota.',
  });
});

test('a server that only says that it failed has the reason in its own log', () => {
  const $metadata = { httpStatusCode: 500 };
  const error = Object.assign(new Error('We encountered an internal error, please try again.'), {
    name: 'InternalError',
    $metadata,
  });

  expect(toObjectStoreError('write object "x"', settings, error)).toMatchObject({
    code: 'api',
    hint: 'See the log of the storage server, and whether it has space left.',
  });
});

test('a server that is too busy has no such hint', () => {
  const $metadata = { httpStatusCode: 503 };
  const error = Object.assign(new Error('Reduce your rate.'), { name: 'SlowDown', $metadata });

  expect(toObjectStoreError('write object "x"', settings, error)).toMatchObject({
    code: 'api',
    hint: undefined,
  });
});
