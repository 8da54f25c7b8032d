import { expect, test } from '@jest/globals';

import { parseSettings } from '../../../../charms/s3-integrator/src/settings.ts';

// Signed by itself, for the name `localhost`; nobody has its key any more.
const certificate = `-----BEGIN CERTIFICATE-----
MIIBmDCCAT+gAwIBAgIUed2WuIOzUG1R0JnNLns6D+6ff3QwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MB4XDTI2MTEyMTExMTgzNloXDTI2MTEyNjEx
MTgzNlowFDESMBAGA1UEAwwJbG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAE6az2QVUQyIuzxJdhG/XQm/ykCVtnC2DlMMgGdtJ3+3thIi05r864j1kl
ZhvV72E3Vr1O+kvzkBEuR77OyzywSqNvMG0wHQYDVR0OBBYEFLyUcBnKIYCRP5sG
X9LsAyZw+z8+MB8GA1UdIwQYMBaAFLyUcBnKIYCRP5sGX9LsAyZw+z8+MA8GA1Ud
EwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAoGCCqGSM49
BAMCA0cAMEQCIC1XnzLQ9a2Wg0W/SFFk6A+wkyStRgNwdCR78drMawNAAiB0uP/s
aruR5xaolCIEm+1jJNS9MiSpn51qFtGQoQj1XQ==
-----END CERTIFICATE-----
`;

test('nothing configured is nothing wrong', () => {
  expect(parseSettings({ bucket: '', endpoint: '  ' })).toEqual({ kind: 'valid', location: {} });
});

const packings = [
  { summary: 'PEM', text: certificate },
  { summary: 'PEM in base64', text: Buffer.from(certificate).toString('base64') },
];

test.each(packings)('authorities are taken as $summary', ({ text }) => {
  expect(parseSettings({ 'tls-ca-chain': `\n${text}\n` })).toEqual({
    kind: 'valid',
    location: { tlsCaChain: [certificate] },
  });
});

test('a certificate that has lost a piece is found', () => {
  const broken = certificate.replace('MII', 'MIA');

  expect(parseSettings({ 'tls-ca-chain': certificate + broken })).toEqual({
    kind: 'invalid',
    problems: ['tls-ca-chain holds a broken certificate'],
  });
});

const retentions = [
  { config: { 'delete-older-than-days': 7 }, days: 7 },
  { config: { 'experimental-delete-older-than-days': 9 }, days: 9 },
  { config: { 'delete-older-than-days': 7, 'experimental-delete-older-than-days': 9 }, days: 7 },
];

test.each(retentions)('$config keeps backups for $days days', ({ config, days }) => {
  expect(parseSettings(config)).toEqual({ kind: 'valid', location: { deleteOlderThanDays: days } });
});

test('attributes are a list', () => {
  expect(parseSettings({ attributes: ' a=1,, b=2 ,' })).toEqual({
    kind: 'valid',
    location: { attributes: ['a=1', 'b=2'] },
  });
});

const buckets = ['ab', 'a/b', '-abc', 'abc-', 'a b c', 'x'.repeat(64)];

test.each(buckets)('"%s" is no bucket', (bucket) => {
  expect(parseSettings({ bucket }).kind).toBe('invalid');
});
