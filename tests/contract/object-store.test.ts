// One suite for the object storage in memory and a real S3 server over TLS; then what only a real
// conversation can show, and answers that the real server does not give.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { Secret } from '../../lib/base/secret.ts';
import { openObjectStore } from '../../src/adapters/object-store.ts';
import type { ObjectStore, ObjectStoreSettings } from '../../src/ports.ts';
import { type FakeStorage, openFakeObjectStore } from '../support/fake-object-store.ts';
import { findFreePort } from '../support/free-port.ts';
import { recogniseNodeErrors } from '../support/node-errors.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

recogniseNodeErrors();

const keys = { accessKey: 'planted-access-key', secretKey: 'planted-secret-key' };
const nobody = 'https://localhost:1';

interface Lab {
  readonly settings: ObjectStoreSettings;
  open(settings: ObjectStoreSettings): ObjectStore;
  stop(): Promise<void>;
}

async function startReal(): Promise<Lab> {
  const server: S3Server = await startS3Server({ ...keys, region: 'eu-1' });
  const caChain = server.certificate.pem;
  return {
    settings: settingsFor({ endpoint: server.endpoint, caChain }),
    open: openObjectStore,
    stop: async () => {
      await server.stop();
    },
  };
}

async function startFake(): Promise<Lab> {
  const address = { endpoint: 'https://s3.fake', caChain: 'PEM' };
  let storage: FakeStorage = { buckets: {}, keys, address };
  const cell = {
    get: () => storage,
    update: (change: (now: FakeStorage) => FakeStorage) => {
      storage = change(storage);
    },
  };
  return await Promise.resolve({
    settings: settingsFor(address),
    open: (settings: ObjectStoreSettings) => openFakeObjectStore(cell, settings),
    stop: async () => {
      await Promise.resolve();
    },
  });
}

function settingsFor(part: Partial<ObjectStoreSettings>): ObjectStoreSettings {
  return {
    endpoint: nobody,
    region: 'eu-1',
    bucket: 'backups',
    uriStyle: 'path',
    accessKey: new Secret(keys.accessKey),
    secretKey: new Secret(keys.secretKey),
    ...part,
  };
}

const labs = [
  { summary: 'in memory', start: startFake },
  { summary: 'the real server', start: startReal },
];

describe.each(labs)('object storage: $summary', ({ start }) => {
  let lab: Lab;
  const open = (part: Partial<ObjectStoreSettings> = {}) => lab.open({ ...lab.settings, ...part });

  beforeAll(async () => {
    lab = await start();
  }, 600_000);

  afterAll(async () => {
    await lab?.stop();
  });

  test('a bucket is made once, and is still there afterwards', async () => {
    const store = open();

    await store.ensureBucket();
    await store.put('kept', 'yes');
    await store.ensureBucket();

    expect(await store.get('kept')).toBe('yes');
  });

  test('an object that is not there is absent', async () => {
    await open().ensureBucket();

    expect(await open().get('no/such/object')).toBeUndefined();
  });

  const objects = [
    { summary: 'in a folder', key: 'path/backup/stanza/latest', text: 'Date\nModel\n' },
    { summary: 'with characters beyond ASCII', key: 'ü/é 1+2&3=4%.txt', text: 'ü – 😀' },
    { summary: 'without content', key: 'empty', text: '' },
    { summary: 'of a megabyte', key: 'large', text: 'x'.repeat(1024 * 1024) },
  ];

  test.each(objects)('an object $summary comes back as it went', async ({ key, text }) => {
    const store = open();
    await store.ensureBucket();

    await store.put(key, text);

    expect((await store.get(key)) === text).toBe(true);
  });

  test('an object is replaced as a whole', async () => {
    const store = open();
    await store.ensureBucket();

    await store.put('twice', 'the longer first text');
    await store.put('twice', 'second');

    expect(await store.get('twice')).toBe('second');
  });

  test('the beginning of an object is read byte by byte', async () => {
    const store = open();
    await store.ensureBucket();
    await store.put('begun', 'Salted__ and so on');
    await store.put('short', 'ab');
    await store.put('empty', '');

    const read = async (key: string) => {
      const start = await store.start(key, 8);
      return start === undefined ? undefined : String.fromCharCode(...start);
    };

    expect(await read('begun')).toBe('Salted__');
    expect(await read('short')).toBe('ab');
    expect(await read('empty')).toBe('');
    expect(await read('no/such/object')).toBeUndefined();
  });

  test('two buckets know nothing of each other', async () => {
    await open({ bucket: 'one-bucket' }).ensureBucket();
    await open({ bucket: 'another-bucket' }).ensureBucket();

    await open({ bucket: 'one-bucket' }).put('key', 'text');

    expect(await open({ bucket: 'another-bucket' }).get('key')).toBeUndefined();
  });

  test('a folder lists what is in it, with its folders, and nothing beside or below', async () => {
    const store = open({ bucket: 'listed' });
    await store.ensureBucket();
    const keys = [
      'a/b/one',
      'a/b/ü 2&.txt',
      'a/b/deep/er/three',
      'a/b/deep/four',
      'a/bc/five',
      'x',
    ];
    for (const key of keys) await store.put(key, 'text');

    expect(await store.list('a/b/')).toEqual(['deep/', 'one', 'ü 2&.txt']);
    expect(await store.list('')).toEqual(['a/', 'x']);
    expect(await store.list('no/such/')).toEqual([]);
  });

  test('a folder of more than a thousand objects is listed to its end', async () => {
    const store = open({ bucket: 'large-folder' });
    await store.ensureBucket();
    const names = Array.from({ length: 1005 }, (_, index) => String(index).padStart(4, '0'));
    for (let first = 0; first < names.length; first += 15) {
      const some = names.slice(first, first + 15);
      await Promise.all(some.map(async (name) => await store.put(`many/${name}`, '')));
    }

    expect(await store.list('many/')).toEqual(names);
  });

  const failures = [
    { code: 'wrong-key', part: { accessKey: new Secret('another-key') } },
    { code: 'wrong-secret', part: { secretKey: new Secret('planted-secret-kez') } },
    { code: 'untrusted', part: { caChain: undefined } },
    { code: 'unreachable', part: { endpoint: nobody } },
  ];

  test.each(failures)('$code is told, without a key in the error', async ({ code, part }) => {
    // `undefined` stands for a setting that is absent.
    const { caChain, ...settings } = { ...lab.settings, ...part };
    const store = lab.open({ ...settings, ...(caChain === undefined ? {} : { caChain }) });

    const calls = [
      store.ensureBucket(),
      store.get('key'),
      store.put('key', 'text'),
      store.list(''),
    ];
    for (const outcome of await Promise.allSettled(calls)) {
      const error: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
      expect(error).toMatchObject({ code, fields: { bucket: 'backups' } });
      expectNoKeys(error);
    }
  });

  test('a bucket that is not there is told from an object that is not', async () => {
    const store = open({ bucket: 'no-such-bucket' });

    await expect(store.get('key')).rejects.toMatchObject({ code: 'no-bucket' });
    await expect(store.put('key', 'text')).rejects.toMatchObject({ code: 'no-bucket' });
    await expect(store.list('folder/')).rejects.toMatchObject({ code: 'no-bucket' });
  });
});

describe('answers of other servers', () => {
  test('a wrong region leads to a hint', async () => {
    const server = await startS3Server({ ...keys, region: 'eu-1' });
    const { endpoint, certificate } = server;

    const wrong = openObjectStore(
      settingsFor({ endpoint, caChain: certificate.pem, region: 'eu-2' }),
    ).ensureBucket();

    await expect(wrong).rejects.toMatchObject({ code: 'api', hint: 'Check the region.' });
    await server.stop();
  }, 60_000);

  const answers = [
    { summary: 'no permission', status: 403, name: 'AccessDenied', code: 'forbidden' },
    { summary: 'no permission, in other words', status: 403, name: 'Quota', code: 'forbidden' },
    {
      summary: 'a key that is unknown',
      status: 403,
      name: 'InvalidAccessKeyId',
      code: 'wrong-key',
    },
    { summary: 'a signature', status: 403, name: 'SignatureDoesNotMatch', code: 'wrong-secret' },
    { summary: 'an impossible name', status: 400, name: 'InvalidBucketName', code: 'api' },
  ];

  test.each(answers)('$summary has the code $code', async ({ status, name, code }) => {
    const server = await startCanned(() => ({ status, body: errorBody(name) }));

    const error = await openObjectStore(settingsFor({ endpoint: server.endpoint }))
      .put('key', 'text')
      .catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({ code, fields: { bucket: 'backups', status, reason: name } });
    expectNoKeys(error);
    expect(server.requests).toHaveLength(1);
    await server.stop();
  });

  test('a server that is overloaded is asked three times', async () => {
    const server = await startCanned(() => ({ status: 503, body: errorBody('SlowDown') }));

    const error = openObjectStore(settingsFor({ endpoint: server.endpoint })).get('key');

    await expect(error).rejects.toMatchObject({ code: 'api', fields: { reason: 'SlowDown' } });
    expect(server.requests).toHaveLength(3);
    await server.stop();
  });

  test('a page that is not from S3 is an error of the interface', async () => {
    const server = await startCanned(() => ({ status: 404, body: '<html>nginx</html>' }));

    const error = openObjectStore(settingsFor({ endpoint: server.endpoint })).ensureBucket();

    await expect(error).rejects.toMatchObject({ code: 'api', fields: { status: 404 } });
    await server.stop();
  });

  const regions = [
    { region: 'eu-west-1', body: /<LocationConstraint>eu-west-1<\/LocationConstraint>/ },
    { region: 'us-east-1', body: /^$/ },
    { region: '', body: /^$/ },
  ];

  test.each(regions)(
    'a bucket in region "$region" is made where it belongs',
    async ({ region, body }) => {
      const server = await startCanned(({ method }) =>
        method === 'GET'
          ? { status: 404, body: errorBody('NoSuchBucket') }
          : { status: 200, body: '' },
      );

      await openObjectStore(settingsFor({ endpoint: server.endpoint, region })).ensureBucket();

      expect(server.requests.map(({ line }) => line)).toEqual([
        'GET /backups/?list-type=2&max-keys=1',
        'PUT /backups/',
      ]);
      expect(server.requests[1]?.body).toMatch(body);
      await server.stop();
    },
  );

  test('a bucket that another unit has just made is fine', async () => {
    const server = await startCanned(({ method }) => {
      const name = method === 'GET' ? 'NoSuchBucket' : 'BucketAlreadyOwnedByYou';
      return { status: method === 'GET' ? 404 : 409, body: errorBody(name) };
    });

    await openObjectStore(settingsFor({ endpoint: server.endpoint })).ensureBucket();

    await server.stop();
  });

  test('a bucket that the keys may not make is named, with what to do', async () => {
    const server = await startCanned(({ method }) =>
      method === 'GET'
        ? { status: 404, body: errorBody('NoSuchBucket') }
        : { status: 403, body: errorBody('AccessDenied') },
    );

    const error = openObjectStore(settingsFor({ endpoint: server.endpoint })).ensureBucket();

    await expect(error).rejects.toMatchObject({
      code: 'forbidden',
      message: expect.stringMatching(/^cannot create bucket "backups": /),
      hint: 'Create the bucket, or allow the access key to do so.',
    });
    await server.stop();
  });

  test('no checksum is sent that the server did not ask for', async () => {
    const server = await startCanned(() => ({ status: 200, body: '' }));

    await openObjectStore(settingsFor({ endpoint: server.endpoint })).put('key', 'text');

    expect(server.requests[0]?.headers.filter((name) => name.includes('checksum'))).toEqual([]);
    await server.stop();
  });

  test('with host style the bucket stands before the server', async () => {
    const server = await startCanned(() => ({ status: 200, body: 'text' }));
    const endpoint = server.endpoint.replace('127.0.0.1', 'localhost');

    const error = openObjectStore(settingsFor({ endpoint, uriStyle: 'host' })).get('key');

    // Where names below localhost are resolved it answers, elsewhere its name is in the error.
    const outcome = await error.catch((thrown: unknown) => String(thrown));
    expect(outcome).toMatch(/^text$|backups\.localhost/);
    await server.stop();
  });
});

function expectNoKeys(error: unknown): void {
  const shown =
    error instanceof Error ? `${error.message}${error.stack}${JSON.stringify(error)}` : '';
  for (const key of [...Object.values(keys), 'another-key', 'planted-secret-kez']) {
    expect(shown).not.toContain(key);
  }
  expect(error).not.toHaveProperty('cause');
}

function errorBody(name: string): string {
  const said = `${keys.accessKey} and ${keys.secretKey} are not welcome`;
  return `<?xml version="1.0"?><Error><Code>${name}</Code><Message>${said}</Message></Error>`;
}

interface Canned {
  readonly endpoint: string;
  readonly requests: readonly {
    readonly line: string;
    readonly headers: readonly string[];
    readonly body: string;
  }[];
  stop(): Promise<void>;
}

async function startCanned(
  answer: (request: IncomingMessage) => { readonly status: number; readonly body: string },
): Promise<Canned> {
  const requests: Canned['requests'][number][] = [];
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      const line = `${request.method} ${request.url}`;
      requests.push({ line, headers: Object.keys(request.headers), body });
      const { status, body: text } = answer(request);
      response.writeHead(status, { 'content-type': 'application/xml' }).end(text);
    });
  });
  const port = await findFreePort();
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    endpoint: `http://127.0.0.1:${port}`,
    requests,
    stop: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}
