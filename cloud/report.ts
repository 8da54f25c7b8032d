/** What `status` tells: gathered into plain data, and rendered for people. */

import { certificateFiles } from './certificates.ts';
import { listCgroups } from './cgroups.ts';
import { findComponent } from './component-process.ts';
import { type ControllerReport, reportController } from './controller.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import type { Layout } from './layout.ts';
import { findHolder } from './lock.ts';
import { s3KeysFile } from './object-storage.ts';
import { findRunningCloud, type RunningCloud } from './running.ts';
import { apiServerUrl, settings } from './settings.ts';
import { loadState } from './state.ts';

export interface ComponentReport {
  readonly name: string;
  readonly running: boolean;
  readonly pid?: number;
  readonly memoryBytes?: number;
}

export interface CloudReport {
  /** `half`: a part of it is there, or dead; `up` or `down` mends that. */
  readonly state: 'up' | 'half' | 'down';
  readonly instance: string;
  /** The process that changes the cloud right now. */
  readonly changing?: { readonly pid: number; readonly doing: string };
  readonly key?: string;
  readonly since?: string;
  readonly node?: { readonly name: string; readonly address: string; readonly pid: number };
  readonly components: readonly ComponentReport[];
  readonly controller?: { readonly name: string } & ControllerReport;
  readonly kubernetes?: { readonly url: string; readonly kubeconfig: string };
  readonly s3?: {
    readonly url: string;
    readonly region: string;
    readonly keys: string;
    readonly ca: string;
  };
  readonly logs: string;
}

export async function describeCloud(layout: Layout): Promise<CloudReport> {
  const holder = await findHolder(layout);
  const base = {
    instance: layout.instance,
    logs: layout.logs,
    ...(holder === undefined ? {} : { changing: { pid: holder.pid, doing: holder.doing } }),
  };
  const running = await findRunningCloud(layout);
  if (running === undefined) {
    const remains =
      (await loadState(layout)) !== undefined || (await listCgroups(layout.cgroup)).length > 0;
    return { ...base, state: remains ? 'half' : 'down', components: [] };
  }
  return { ...base, ...(await describeRunning(running)) };
}

type RunningReport = Omit<CloudReport, 'instance' | 'logs' | 'changing'>;

async function describeRunning({ state, inside }: RunningCloud): Promise<RunningReport> {
  const { layout } = inside;
  const components = await Promise.all(
    state.components.map(async ({ name }): Promise<ComponentReport> => {
      const found = await findComponent(inside, name);
      if (found === undefined) return { name, running: false };
      return { name, running: true, pid: found.pid, memoryBytes: found.memoryBytes };
    }),
  );
  const isComplete = state.phase === 'up' && components.every(({ running }) => running);
  const controller = await reportController(inside);
  return {
    state: isComplete ? 'up' : 'half',
    key: state.key,
    since: state.since,
    node: { name: settings.node.name, address: settings.node.address, pid: inside.node.pid },
    components,
    controller: { name: settings.juju.controller, ...controller },
    kubernetes: { url: apiServerUrl, kubeconfig: kubeconfigFile(layout, 'admin') },
    s3: {
      url: settings.s3.endpoint,
      region: settings.s3.region,
      keys: s3KeysFile(layout),
      ca: certificateFiles(layout, 'ca').certificate,
    },
  };
}

/** The report as lines of text. */
export function renderReport(report: CloudReport): string {
  const lines = [
    renderHeadline(report),
    ...(report.changing === undefined
      ? []
      : [`being changed by process ${report.changing.pid} (${report.changing.doing})`]),
    ...renderComponents(report.components),
    ...renderController(report.controller),
    ...(report.kubernetes === undefined
      ? []
      : [`Kubernetes  ${report.kubernetes.url}  kubeconfig ${report.kubernetes.kubeconfig}`]),
    ...(report.s3 === undefined
      ? []
      : [`S3          ${report.s3.url}  keys ${report.s3.keys}  CA ${report.s3.ca}`]),
    `logs        ${report.logs}`,
  ];
  return `${lines.join('\n')}\n`;
}

function renderHeadline(report: CloudReport): string {
  const since = report.since === undefined ? '' : ` since ${report.since}, key ${report.key}`;
  const remedy = report.state === 'half' ? ' (mend it with: cloud/up)' : '';
  return `the local cloud is ${report.state === 'half' ? 'half up' : report.state}${since}${remedy}`;
}

function renderComponents(components: readonly ComponentReport[]): readonly string[] {
  const total = components.reduce((sum, { memoryBytes }) => sum + (memoryBytes ?? 0), 0);
  const lines = components.map(({ name, pid, memoryBytes }) => {
    if (pid === undefined || memoryBytes === undefined) return `  ${name.padEnd(24)} dead`;
    return `  ${name.padEnd(24)} process ${`${pid}`.padStart(7)} ${renderMegabytes(memoryBytes)}`;
  });
  return total === 0 ? lines : [...lines, `  ${'together'.padEnd(40)} ${renderMegabytes(total)}`];
}

function renderController(controller: CloudReport['controller']): readonly string[] {
  if (controller === undefined) return [];
  if (controller.kind === 'silent')
    return [`Juju        controller ${controller.name} does not answer`];
  const models = controller.models.map(({ name, status }) => `${name} (${status})`);
  return [
    `Juju        controller ${controller.name} ${controller.version}, models ${models.join(', ')}`,
  ];
}

function renderMegabytes(bytes: number): string {
  return `${Math.round(bytes / 1_000_000)} MB`.padStart(8);
}
