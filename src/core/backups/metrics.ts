// What a collector of metrics is told of the backups, in the text format of Prometheus. Pure.
// Source: Prometheus documentation, "Exposition formats".

import type { LastBackup } from './last-backup.ts';

interface Metric {
  readonly name: string;
  readonly kind: 'gauge' | 'counter';
  readonly help: string;
  readonly value: (last: LastBackup['backup']) => string | undefined;
}

const gauges: readonly Metric[] = [
  {
    name: 'last_success_timestamp_seconds',
    kind: 'gauge',
    help: 'When the newest backup that can be restored ended; 0 when there is none.',
    value: (last) => ` ${last?.stop ?? 0}`,
  },
  {
    name: 'last_duration_seconds',
    kind: 'gauge',
    help: 'How long it took.',
    value: (last) => (last === undefined ? undefined : ` ${last.stop - last.start}`),
  },
  {
    name: 'last_size_bytes',
    kind: 'gauge',
    help: 'Size of the database in it.',
    value: (last) => (last?.size === undefined ? undefined : ` ${last.size}`),
  },
  {
    name: 'last_type',
    kind: 'gauge',
    help: 'Its type, as a label.',
    value: (last) => (last === undefined ? undefined : `{type="${last.type}"} 1`),
  },
];

const failuresName = 'postgresql_backup_failures_total';

/** The whole file. */
export function renderBackupMetrics({ backup }: LastBackup, failures: number): string {
  const counter: Metric = {
    name: 'failures_total',
    kind: 'counter',
    help: 'Backups that this unit could not make, and scheduled ones that were refused.',
    value: () => ` ${failures}`,
  };
  return [...gauges, counter]
    .flatMap(({ name, kind, help, value }) => {
      const full = `postgresql_backup_${name}`;
      const sample = value(backup);
      if (sample === undefined) return [];
      return [`# HELP ${full} ${help}`, `# TYPE ${full} ${kind}`, `${full}${sample}`];
    })
    .map((line) => `${line}\n`)
    .join('');
}

/** What has been counted so far, from the file; none without one. */
export function failuresIn(text: string | undefined): number {
  return Number(new RegExp(`^${failuresName} (\\d+)$`, 'm').exec(text ?? '')?.[1] ?? 0);
}
