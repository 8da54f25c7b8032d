import { expect, test } from '@jest/globals';

import { renderKubeconfig } from '../../../cloud/kubeconfig.ts';

test('a kubeconfig carries the server, its authority and the user in itself', () => {
  const text = renderKubeconfig({
    user: 'kubelet',
    server: 'https://192.0.2.10:6443',
    authorityPem: 'authority',
    certificatePem: 'certificate',
    keyPem: 'key',
  });

  expect(JSON.parse(text)).toEqual({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'local',
        cluster: {
          server: 'https://192.0.2.10:6443',
          'certificate-authority-data': 'YXV0aG9yaXR5',
        },
      },
    ],
    users: [
      {
        name: 'kubelet',
        user: { 'client-certificate-data': 'Y2VydGlmaWNhdGU=', 'client-key-data': 'a2V5' },
      },
    ],
    contexts: [{ name: 'local', context: { cluster: 'local', user: 'kubelet' } }],
    'current-context': 'local',
  });
});
