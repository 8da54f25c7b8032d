/** What every cluster is given by its installer: rights of the cloud's own components, and storage. */

import { settings } from './settings.ts';

const rbacVersion = 'rbac.authorization.k8s.io/v1';

/** One list with every object. */
export function renderManifests(): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifests }, undefined, 2)}\n`;
}

const verbs = {
  read: ['get', 'list', 'watch'],
  update: ['update', 'patch'],
  write: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
} as const;

const manifests = [
  bindRole('kubelet-client', {
    user: 'kube-apiserver-kubelet-client',
    role: 'system:kubelet-api-admin',
  }),
  role('coredns', [
    rule('', ['endpoints', 'services', 'pods', 'namespaces'], 'read'),
    rule('discovery.k8s.io', ['endpointslices'], 'read'),
  ]),
  bindRole('coredns', { user: 'coredns', role: 'coredns' }),
  role('provisioner', [
    rule('', ['persistentvolumes'], 'write'),
    rule('', ['persistentvolumeclaims', 'nodes', 'services'], 'read'),
    rule('', ['services', 'services/status'], 'update'),
    rule('', ['events'], 'write'),
    rule('storage.k8s.io', ['storageclasses', 'csinodes', 'volumeattachments'], 'read'),
  ]),
  bindRole('provisioner', { user: 'provisioner', role: 'provisioner' }),
  storageClass(settings.storage.className, { reclaimPolicy: 'Delete', isDefault: true }),
  storageClass(settings.storage.retainingClassName, { reclaimPolicy: 'Retain', isDefault: false }),
  {
    ...storageClass(settings.storage.sizedClassName, { reclaimPolicy: 'Delete', isDefault: false }),
    // Volumes are no larger than their claims.
    parameters: { size: 'enforced' },
  },
];

function rule(group: string, resources: readonly string[], access: 'read' | 'update' | 'write') {
  return { apiGroups: [group], resources, access };
}

function role(name: string, rules: readonly ReturnType<typeof rule>[]) {
  return {
    apiVersion: rbacVersion,
    kind: 'ClusterRole',
    metadata: { name: `local-cloud:${name}` },
    rules: rules.map(({ apiGroups, resources, access }) => ({
      apiGroups,
      resources,
      verbs: verbs[access],
    })),
  };
}

function bindRole(name: string, subject: { user: string; role: string }) {
  const roleName = subject.role.includes(':') ? subject.role : `local-cloud:${subject.role}`;
  return {
    apiVersion: rbacVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: `local-cloud:${name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: subject.user }],
  };
}

function storageClass(name: string, options: { reclaimPolicy: string; isDefault: boolean }) {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      annotations: { 'storageclass.kubernetes.io/is-default-class': `${options.isDefault}` },
    },
    provisioner: settings.storage.provisioner,
    reclaimPolicy: options.reclaimPolicy,
    volumeBindingMode: 'WaitForFirstConsumer',
  };
}
