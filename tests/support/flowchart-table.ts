// The one table of the flowcharts: which handlers walk each of them, and whether every edge must be
// walked by some scenario. A chart becomes complete when its handler and its scenarios exist.

export interface ChartEntry {
  /** Name in the charm's table of handlers: `leader-elected`, `action:create-backup`. */
  readonly handler: string;
  /** Where the handler comes into the chart; its start unless given. */
  readonly entry?: string;
}

export interface ChartRow {
  /** File in docs/flowcharts without `.mmd`. */
  readonly chart: string;
  readonly charm: 'postgresql-k8s' | 'pgbouncer-k8s';
  readonly handlers: readonly ChartEntry[];
  /** Complete: `scripts/flowcharts.ts --check` fails for an edge that no scenario walks. */
  readonly complete: boolean;
  /** Edges that cannot be walked yet, as they are drawn, each with the reason. */
  readonly excused?: Readonly<Record<string, string>>;
}

export const chartTable: readonly ChartRow[] = [
  {
    chart: 'leader-elected',
    charm: 'postgresql-k8s',
    handlers: [{ handler: 'leader-elected' }],
    complete: true,
  },
  {
    chart: 'postgresql-pebble-ready',
    charm: 'postgresql-k8s',
    handlers: [{ handler: 'postgresql-pebble-ready' }],
    complete: true,
  },
  {
    chart: 'peer-relation-changed',
    charm: 'postgresql-k8s',
    handlers: [{ handler: 'database-peers-relation-changed' }],
    complete: true,
  },
  {
    chart: 'peer-relation-departed',
    charm: 'postgresql-k8s',
    handlers: [{ handler: 'database-peers-relation-departed' }],
    complete: true,
  },
  {
    chart: 's3-credentials-changed',
    charm: 'postgresql-k8s',
    handlers: [
      { handler: 's3-parameters-relation-changed' },
      { handler: 'secret-changed' },
      { handler: 'certificates-relation-changed', entry: 'is_tls_disabled_or_single_unit_cluster' },
      { handler: 'certificates-relation-broken', entry: 'is_tls_disabled_or_single_unit_cluster' },
    ],
    complete: true,
  },
  {
    chart: 'create-backup',
    charm: 'postgresql-k8s',
    handlers: [{ handler: 'action:create-backup' }],
    complete: true,
  },
  {
    chart: 'list-backups',
    charm: 'postgresql-k8s',
    handlers: [{ handler: 'action:list-backups' }],
    complete: true,
  },
  {
    chart: 'restore',
    charm: 'postgresql-k8s',
    handlers: [{ handler: 'action:restore' }],
    complete: true,
  },
  {
    chart: 'pgb-peer-relation-created',
    charm: 'pgbouncer-k8s',
    handlers: [{ handler: 'pgb-peers-relation-created' }],
    complete: false,
  },
  {
    chart: 'pgb-peer-relation-changed',
    charm: 'pgbouncer-k8s',
    handlers: [{ handler: 'pgb-peers-relation-changed' }],
    complete: false,
  },
];

export interface FoundChart {
  readonly row: ChartRow;
  readonly entry?: string;
}

/** The chart that a handler walks, if it has one. */
export function chartOf(handler: string): FoundChart | undefined {
  for (const row of chartTable) {
    const found = row.handlers.find((one) => one.handler === handler);
    if (found !== undefined)
      return { row, ...(found.entry === undefined ? {} : { entry: found.entry }) };
  }
  return undefined;
}
