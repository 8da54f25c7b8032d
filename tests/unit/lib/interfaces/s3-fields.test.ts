import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Secret } from '../../../../lib/base/secret.ts';
import { parsePemChain } from '../../../../lib/interfaces/pem-chain.ts';
import { parseS3Fields, type S3Parameters } from '../../../../lib/interfaces/s3-fields.ts';

const one = '-----BEGIN CERTIFICATE-----\nMIIBone=\n-----END CERTIFICATE-----\n';
const two = '-----BEGIN CERTIFICATE-----\nMIIBtwo=\n-----END CERTIFICATE-----\n';
const least = { bucket: 'backups', 'access-key': 'AKIA', 'secret-key': 'hush' };

function parametersOf(bag: Readonly<Record<string, string>>): S3Parameters {
  const reading = parseS3Fields(bag);
  if (reading.kind !== 'ready') throw new Error(`not ready: ${JSON.stringify(reading)}`);
  return reading.parameters;
}

test('the least that a provider can give is completed with defaults', () => {
  expect(parametersOf(least)).toEqual({
    bucket: 'backups',
    accessKey: new Secret('AKIA'),
    secretKey: new Secret('hush'),
    endpoint: 'https://s3.amazonaws.com',
    path: '/',
    uriStyle: 'host',
    deleteOlderThanDays: 9_999_999,
    attributes: [],
  });
});

test('everything is read, without blanks and slashes around it', () => {
  const parameters = parametersOf({
    bucket: ' /backups/ ',
    'access-key': ' AKIA\n',
    'secret-key': '\thush ',
    endpoint: ' https://minio:9000// ',
    path: '//deep/er/ ',
    region: ' eu-1 ',
    's3-uri-style': 'path',
    's3-api-version': '4',
    'storage-class': 'STANDARD',
    'delete-older-than-days': '30',
    'tls-ca-chain': JSON.stringify([one.trim(), two]),
    attributes: '["a=1","b=2"]',
    data: '{"bucket":"relation-1"}',
    'lib-version': '1.0',
  });

  expect(parameters).toEqual({
    bucket: 'backups',
    accessKey: new Secret('AKIA'),
    secretKey: new Secret('hush'),
    endpoint: 'https://minio:9000',
    path: '/deep/er',
    region: 'eu-1',
    uriStyle: 'path',
    apiVersion: '4',
    storageClass: 'STANDARD',
    deleteOlderThanDays: 30,
    tlsCaChain: one + two,
    attributes: ['a=1', 'b=2'],
  });
  expect([parameters.accessKey.reveal(), parameters.secretKey.reveal()]).toEqual(['AKIA', 'hush']);
});

const texts = [
  { text: '12345678', summary: 'digits' },
  { text: 'true', summary: 'a word of JSON' },
  { text: '"quoted"', summary: 'quotes' },
  { text: '[1]', summary: 'brackets' },
];

test.each(texts)('a key of $summary stays the text that it is', ({ text }) => {
  expect(parametersOf({ ...least, 'access-key': text }).accessKey.reveal()).toBe(text);
});

const incomplete = [
  { bag: {}, missing: ['bucket', 'access-key', 'secret-key'] },
  { bag: { ...least, bucket: ' / ' }, missing: ['bucket'] },
  { bag: { ...least, 'access-key': ' ' }, missing: ['access-key'] },
  { bag: { bucket: 'b', 's3-uri-style': 'nonsense' }, missing: ['access-key', 'secret-key'] },
];

test.each(incomplete)('$missing is missing', ({ bag, missing }) => {
  expect(parseS3Fields(bag)).toEqual({ kind: 'missing', missing });
});

test('keys of a secret go before those of the data bag', () => {
  const keys = { accessKey: new Secret('FROM-SECRET'), secretKey: new Secret('secret') };

  const reading = parseS3Fields(least, keys);

  expect(reading.kind === 'ready' && reading.parameters.accessKey.reveal()).toBe('FROM-SECRET');
});

test('all problems are found at once, and no key is among them', () => {
  const reading = parseS3Fields({
    ...least,
    endpoint: 'https://AKIA:hush@:bad:',
    's3-uri-style': 'virtual',
    's3-api-version': '5',
    'delete-older-than-days': '0',
    'tls-ca-chain': '["nonsense"]',
  });

  expect(reading).toEqual({
    kind: 'invalid',
    problems: [
      'endpoint is not an http or https URL: "https://:bad:"',
      's3-uri-style is neither host nor path: "virtual"',
      's3-api-version is neither 2 nor 4: "5"',
      'delete-older-than-days is not a number from 1 to 9999999',
      'tls-ca-chain holds no PEM certificates',
    ],
  });
});

const lines = ['bucket', 'path', 'region', 'endpoint', 'access-key', 'secret-key'] as const;

test.each(lines)('%s of two lines is none, and is not repeated', (name) => {
  for (const [start, end] of [
    ['https://first', 'second'],
    ['https://first\t', 'second'],
    ['https://first\r', 'second\u0000third'],
  ]) {
    const bag = { ...least, [name]: `${start}\n${end}` };

    expect(parseS3Fields(bag)).toEqual({
      kind: 'invalid',
      problems: [`${name} has a line break, or another control character, in its middle`],
    });
  }
});

test('a key of two lines in a secret is none either', () => {
  const keys = { accessKey: new Secret('AKIA'), secretKey: new Secret('hush\nhush') };

  expect(parseS3Fields(least, keys)).toEqual({
    kind: 'invalid',
    problems: ['secret-key has a line break, or another control character, in its middle'],
  });
});

const retentions = ['-1', '1.5', '10000000', '1e3', '0x10', 'forever'];

test.each(retentions)('%s is no number of days', (days) => {
  expect(parseS3Fields({ ...least, 'delete-older-than-days': days }).kind).toBe('invalid');
});

const chains = [
  { summary: 'a list of PEM', text: JSON.stringify([one, two]) },
  { summary: 'a list with one text for both', text: JSON.stringify([one + two]) },
  { summary: 'a list of base64', text: JSON.stringify([one, two].map(packed)) },
  { summary: 'plain PEM', text: one + two },
  { summary: 'base64 of the whole', text: packed(one + two) },
  { summary: 'PEM with text around it', text: JSON.stringify([`# first\r\n${one}`, `x\n${two}y`]) },
];

test.each(chains)('a chain of authorities is understood as $summary', ({ text }) => {
  expect(parametersOf({ ...least, 'tls-ca-chain': text }).tlsCaChain).toBe(one + two);
});

test('base64 is understood whatever its line width', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), (width) => {
      const lines = packed(one + two).match(new RegExp(`.{1,${width}}`, 'gu')) ?? [];

      expect(parsePemChain(lines.join('\n'))).toEqual([one, two]);
    }),
  );
});

test('a private key is no certificate', () => {
  expect(
    parsePemChain('-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n'),
  ).toBeUndefined();
});

test('whatever a provider writes, reading it never fails', () => {
  const names = [
    'bucket',
    'path',
    'endpoint',
    'tls-ca-chain',
    'attributes',
    's3-uri-style',
  ] as const;
  const bags = fc.dictionary(fc.constantFrom(...names), fc.string());
  fc.assert(
    fc.property(bags, (bag) => {
      expect(['missing', 'invalid', 'ready']).toContain(parseS3Fields({ ...least, ...bag }).kind);
    }),
  );
});

function packed(text: string): string {
  return Buffer.from(text).toString('base64');
}
