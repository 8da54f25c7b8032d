import { expect, test } from '@jest/globals';

import { identities, identityNames } from '../../../cloud/certificates.ts';
import { describeKey } from '../../../cloud/cloud.ts';
import { componentNames, describeComponents } from '../../../cloud/components.ts';
import { renderConfigFiles } from '../../../cloud/config-files.ts';
import { describeLayout } from '../../../cloud/layout.ts';
import { settings } from '../../../cloud/settings.ts';

const layout = describeLayout('/clouds', 'trial');
const components = describeComponents({ layout, binDir: '/programs' });

const artifacts = {
  key: 'one',
  binDir: '/programs',
  images: { pause: '/p.tar', jujud: '/j.tar', charmBase: '/c.tar', workload: '/w.tar' },
  imageNames: { pause: 'pause:1', jujud: 'jujud:1', charmBase: ['base:1'], workload: 'work:1' },
};

function argumentsOf(name: string): readonly string[] {
  return components.find((component) => component.name === name)?.command ?? [];
}

test('every component is described once, in the order of starting', () => {
  expect(components.map(({ name }) => name)).toEqual(componentNames);
});

test('the API server authorises nodes and users, and talks to the kubelet with certificates', () => {
  const command = argumentsOf('kube-apiserver');

  expect(command).toContain('--authorization-mode=Node,RBAC');
  expect(command).toContain('--enable-admission-plugins=NodeRestriction');
  expect(command).toContain(
    '--kubelet-client-certificate=/clouds/trial/run/certificates/kubelet-client.crt',
  );
  expect(command).toContain(
    '--kubelet-certificate-authority=/clouds/trial/run/certificates/ca.crt',
  );
});

test('the keys of the S3 server are in a file and not among its arguments', () => {
  const command = argumentsOf('s3');

  expect(command).toContain('/clouds/trial/run/s3/keys.sh');
  expect(
    command.filter((word) => word.startsWith('--access') || word.startsWith('--secret')),
  ).toEqual([]);
});

test('the kubelet lets in only who the API server vouches for, and keeps its cgroups together', () => {
  const files = renderConfigFiles({ layout, pauseImage: 'pause:1' });

  expect(JSON.parse(files['kubelet.json'] ?? '')).toMatchObject({
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true } },
    authorization: { mode: 'Webhook' },
    cgroupRoot: '/charmed-postgresql-cloud-trial',
  });
});

test('pods get their addresses from a record that goes away with the cloud', () => {
  const files = renderConfigFiles({ layout, pauseImage: 'pause:1' });

  expect(JSON.parse(files['cni/10-local.conflist'] ?? '')).toMatchObject({
    plugins: [
      {
        type: 'ptp',
        ipam: { dataDir: '/clouds/trial/run/cni', ranges: [[{ subnet: settings.pods.range }]] },
      },
      { type: 'portmap' },
    ],
  });
});

test('a certificate is for a server, for a client or for both, never for nothing', () => {
  const useless = identityNames.filter((name) => {
    const identity = identities[name];
    return identity.client === undefined && identity.servesAs === undefined;
  });

  expect(useless).toEqual([]);
});

test('only the administrator is above the rules', () => {
  const masters = identityNames.filter((name) =>
    identities[name].subject.includes('system:masters'),
  );

  expect(masters).toEqual(['admin']);
});

test('the key is that of the parts, whatever folder they are in', () => {
  const key = describeKey(artifacts);

  expect(key).toMatch(/^[0-9a-f]{16}$/);
  expect(describeKey({ ...artifacts, binDir: '/elsewhere' })).toBe(key);
  expect(describeKey({ ...artifacts, key: 'two' })).not.toBe(key);
});
