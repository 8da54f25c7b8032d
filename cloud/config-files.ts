/** The configuration files of the components, rendered from the layout and the settings alone. */

import path from 'node:path';

import { certificateFiles } from './certificates.ts';
import { containerdSocket } from './components.ts';
import { writeWhole } from './files.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import type { Layout } from './layout.ts';
import { settings } from './settings.ts';

export interface ConfigOptions {
  readonly layout: Layout;
  readonly pauseImage: string;
}

/** Name and text of each file of the `config` folder. */
export function renderConfigFiles(options: ConfigOptions): Readonly<Record<string, string>> {
  return {
    'containerd.toml': renderContainerd(options),
    'kubelet.json': renderKubelet(options.layout),
    'cni/10-local.conflist': renderNetwork(options.layout),
    'resolv.conf': `nameserver ${settings.node.address}\n`,
    Corefile: renderDns(options.layout),
  };
}

export async function writeConfigFiles(options: ConfigOptions): Promise<void> {
  for (const [name, text] of Object.entries(renderConfigFiles(options))) {
    await writeWhole(path.join(options.layout.config, name), text);
  }
}

/** Sockets are below `/run`, which is the node's own: paths of sockets must be short. */
function renderContainerd({ layout, pauseImage }: ConfigOptions): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = ${quoted(path.join(layout.containerd, 'root'))}
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = ${quoted(containerdSocket)}
[plugins."io.containerd.internal.v1.opt"]
  path = ${quoted(path.join(layout.containerd, 'opt'))}
[${cri}]
  sandbox_image = ${quoted(pauseImage)}
  restrict_oom_score_adj = true
  disable_apparmor = true
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
  [${cri}.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [${cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = ${quoted(path.join(layout.config, 'cni'))}
`;
}

function renderKubelet(layout: Layout): string {
  const server = certificateFiles(layout, 'kubelet');
  return renderJson({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: certificateFiles(layout, 'ca').certificate },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: server.certificate,
    tlsPrivateKeyFile: server.key,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${layout.cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
    clusterDNS: [settings.node.address],
    clusterDomain: settings.dns.clusterDomain,
    resolvConf: path.join(layout.config, 'resolv.conf'),
    podLogsDir: layout.podLogs,
    volumePluginDir: path.join(layout.kubelet, 'volume-plugins'),
    evictionHard: {
      'nodefs.available': '1%',
      'imagefs.available': '1%',
      'memory.available': '100Mi',
    },
    // Images are only here: one that is removed to make room never comes back.
    imageGCHighThresholdPercent: 100,
  });
}

/** Each pod has a link of its own to the node, so that even neighbours talk through services. */
function renderNetwork(layout: Layout): string {
  const ipam = {
    type: 'host-local',
    dataDir: path.join(layout.run, 'cni'),
    ranges: [[{ subnet: settings.pods.range }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  return renderJson({
    cniVersion: '1.0.0',
    name: 'local',
    plugins: [
      { type: 'ptp', ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  });
}

/** Nothing is asked outside: a name of neither domain is refused at once. */
function renderDns(layout: Layout): string {
  const { clusterDomain, cloudDomain } = settings.dns;
  return `${clusterDomain} in-addr.arpa {
  bind ${settings.node.address}
  errors
  cache 5
  kubernetes ${clusterDomain} in-addr.arpa {
    kubeconfig ${kubeconfigFile(layout, 'coredns')} local
    pods insecure
    ttl 5
  }
}
${cloudDomain} {
  bind ${settings.node.address}
  errors
  hosts {
    ${settings.s3.address} ${settings.s3.name}
  }
}
`;
}

function renderJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** A TOML string; its rules for ordinary paths are those of JSON. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
