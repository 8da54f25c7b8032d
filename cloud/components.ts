/**
 * The programs that make up the node, as data: what each is called and how it is started, in the
 * order of starting. Nothing here runs anything. The same list, rendered for made-up folders, is
 * part of the cloud's key: a changed flag means another cloud.
 */

import path from 'node:path';

import { certificateFiles } from './certificates.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import type { Layout } from './layout.ts';
import { settings } from './settings.ts';

export interface Component {
  readonly name: ComponentName;
  readonly command: readonly string[];
}

export const componentNames = [
  'etcd',
  'kube-apiserver',
  'containerd',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'coredns',
  'provisioner',
  's3',
] as const;

export type ComponentName = (typeof componentNames)[number];

export const containerdSocket = '/run/containerd/containerd.sock';

const etcdUrl = 'http://127.0.0.1:2379';
const etcdPeerUrl = 'http://127.0.0.1:2380';

export interface Installation {
  readonly layout: Layout;
  /** One folder with every program. */
  readonly binDir: string;
}

/** Every component with its command. Programs named without a folder come with Debian packages. */
export function describeComponents(installation: Installation): readonly Component[] {
  return componentNames.map((name) => ({ name, command: commands[name](installation) }));
}

const commands: Readonly<Record<ComponentName, (installation: Installation) => readonly string[]>> =
  {
    etcd: ({ layout }) => [
      'etcd',
      `--data-dir=${layout.etcd}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${etcdPeerUrl}`,
      `--initial-advertise-peer-urls=${etcdPeerUrl}`,
      `--initial-cluster=default=${etcdPeerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],

    'kube-apiserver': ({ layout, binDir }) => {
      const server = certificateFiles(layout, 'kube-apiserver');
      const kubeletClient = certificateFiles(layout, 'kubelet-client');
      const authority = certificateFiles(layout, 'ca');
      const tokens = certificateFiles(layout, 'service-accounts');
      return [
        path.join(binDir, 'kube-apiserver'),
        `--etcd-servers=${etcdUrl}`,
        '--bind-address=0.0.0.0',
        `--advertise-address=${settings.node.address}`,
        `--secure-port=${settings.api.port}`,
        `--tls-cert-file=${server.certificate}`,
        `--tls-private-key-file=${server.key}`,
        `--cert-dir=${layout.certificates}`,
        `--client-ca-file=${authority.certificate}`,
        `--kubelet-certificate-authority=${authority.certificate}`,
        `--kubelet-client-certificate=${kubeletClient.certificate}`,
        `--kubelet-client-key=${kubeletClient.key}`,
        '--kubelet-preferred-address-types=InternalIP',
        `--service-account-issuer=https://kubernetes.default.svc.${settings.dns.clusterDomain}`,
        `--service-account-signing-key-file=${tokens.key}`,
        `--service-account-key-file=${tokens.key}`,
        `--service-cluster-ip-range=${settings.services.range}`,
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--allow-privileged=true',
        '--profiling=false',
      ];
    },

    containerd: ({ layout }) => [
      'containerd',
      `--config=${path.join(layout.config, 'containerd.toml')}`,
    ],

    'kube-controller-manager': ({ layout, binDir }) => {
      const authority = certificateFiles(layout, 'ca');
      return [
        path.join(binDir, 'kube-controller-manager'),
        `--kubeconfig=${kubeconfigFile(layout, 'kube-controller-manager')}`,
        `--service-account-private-key-file=${certificateFiles(layout, 'service-accounts').key}`,
        `--root-ca-file=${authority.certificate}`,
        `--cluster-signing-cert-file=${authority.certificate}`,
        `--cluster-signing-key-file=${authority.key}`,
        `--cert-dir=${layout.certificates}`,
        '--bind-address=127.0.0.1',
        '--use-service-account-credentials=true',
        // With an election the process would end when the API server is away for a while.
        '--leader-elect=false',
        `--flex-volume-plugin-dir=${path.join(layout.kubelet, 'volume-plugins')}`,
        '--controllers=*,-node-ipam-controller,-service-lb-controller,-node-route-controller',
        '--profiling=false',
      ];
    },

    'kube-scheduler': ({ layout, binDir }) => [
      path.join(binDir, 'kube-scheduler'),
      `--kubeconfig=${kubeconfigFile(layout, 'kube-scheduler')}`,
      `--cert-dir=${layout.certificates}`,
      '--bind-address=127.0.0.1',
      '--leader-elect=false',
      '--profiling=false',
    ],

    kubelet: ({ layout, binDir }) => [
      path.join(binDir, 'kubelet'),
      `--config=${path.join(layout.config, 'kubelet.json')}`,
      `--kubeconfig=${kubeconfigFile(layout, 'kubelet')}`,
      `--root-dir=${layout.kubelet}`,
      `--cert-dir=${layout.certificates}`,
      `--hostname-override=${settings.node.name}`,
      `--node-ip=${settings.node.address}`,
    ],

    'kube-proxy': ({ layout, binDir }) => [
      path.join(binDir, 'kube-proxy'),
      `--kubeconfig=${kubeconfigFile(layout, 'kube-proxy')}`,
      `--hostname-override=${settings.node.name}`,
      `--cluster-cidr=${settings.pods.range}`,
      '--proxy-mode=iptables',
      '--conntrack-max-per-core=0',
      '--oom-score-adj=0',
    ],

    coredns: ({ layout, binDir }) => [
      path.join(binDir, 'coredns'),
      '-conf',
      path.join(layout.config, 'Corefile'),
    ],

    provisioner: ({ layout, binDir }) => [
      path.join(binDir, 'provisioner'),
      `-kubeconfig=${kubeconfigFile(layout, 'provisioner')}`,
      `-node=${settings.node.name}`,
      `-volumes=${layout.volumes}`,
      `-addresses=${settings.services.balancers}`,
    ],

    s3: ({ layout, binDir }) => {
      const server = certificateFiles(layout, 's3');
      // The keys come from a file: arguments are there for everybody to see.
      return [
        'sh',
        '-c',
        '. "$0" && exec "$@"',
        path.join(layout.s3, 'keys.sh'),
        path.join(binDir, 'versitygw'),
        '--region',
        settings.s3.region,
        '--port',
        `${settings.s3.address}:443`,
        '--cert',
        server.certificate,
        '--key',
        server.key,
        '--virtual-domain',
        settings.s3.name,
        '--health',
        '/health',
        '--quiet',
        'posix',
        path.join(layout.s3, 'data'),
      ];
    },
  };
