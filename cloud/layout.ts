/**
 * Where the local cloud keeps what. One folder per instance, outside every checkout, so that all of
 * them find the same cloud. Everything below `run` lives as long as the cloud; locks, logs and the
 * stores of unpacked images outlive it.
 */

import path from 'node:path';

import { type Environment, getCacheHome, getEnvironment } from './build/machine.ts';

export interface Layout {
  readonly instance: string;
  readonly root: string;
  readonly lockFile: string;
  readonly holderFile: string;
  readonly stateFile: string;
  readonly logs: string;
  /** Unpacked images, shared by all instances. */
  readonly imageStores: string;
  readonly run: string;
  readonly enterFile: string;
  readonly pids: string;
  readonly config: string;
  readonly certificates: string;
  readonly kubeconfigs: string;
  readonly containerd: string;
  readonly etcd: string;
  readonly kubelet: string;
  readonly podLogs: string;
  readonly volumes: string;
  readonly s3: string;
  readonly juju: string;
  /** Name of the folder below each cgroup hierarchy that holds the cloud's processes. */
  readonly cgroup: string;
}

const instancePattern = /^[a-z][a-z0-9-]{0,30}$/;

/** The layout of the instance that the environment names: `main` unless a test wants its own. */
export function getLayout(environment: Environment = getEnvironment()): Layout {
  const instance = environment['LOCAL_CLOUD_INSTANCE'] ?? 'main';
  if (!instancePattern.test(instance)) {
    throw new Error(
      `cannot use cloud instance "${instance}": lower-case letters, digits and dashes only`,
    );
  }
  return describeLayout(
    path.join(getCacheHome(environment), 'charmed-postgresql-k8s', 'cloud'),
    instance,
  );
}

export function describeLayout(clouds: string, instance: string): Layout {
  const root = path.join(clouds, instance);
  const run = path.join(root, 'run');
  return {
    instance,
    root,
    lockFile: path.join(root, 'lock'),
    holderFile: path.join(root, 'holder.json'),
    stateFile: path.join(root, 'state.json'),
    logs: path.join(root, 'logs'),
    imageStores: path.join(clouds, '.images'),
    run,
    enterFile: path.join(run, 'enter.sh'),
    pids: path.join(run, 'pids'),
    config: path.join(run, 'config'),
    certificates: path.join(run, 'certificates'),
    kubeconfigs: path.join(run, 'kubeconfigs'),
    containerd: path.join(run, 'containerd'),
    etcd: path.join(run, 'etcd'),
    kubelet: path.join(run, 'kubelet'),
    podLogs: path.join(run, 'pod-logs'),
    volumes: path.join(run, 'volumes'),
    s3: path.join(run, 's3'),
    juju: path.join(run, 'juju'),
    cgroup: `charmed-postgresql-cloud-${instance}`,
  };
}
