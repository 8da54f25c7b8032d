/** What `juju status` says, as data, and what is missing until a model has settled. Pure. */

import * as v from 'valibot';

export interface UnitStatus {
  readonly name: string;
  readonly workload: string;
  readonly message: string;
  readonly agent: string;
  readonly leader: boolean;
}

export interface ModelStatus {
  /** Units by name of their application. */
  readonly applications: Readonly<Record<string, readonly UnitStatus[]>>;
}

const unitSchema = v.object({
  'workload-status': v.optional(
    v.object({ current: v.optional(v.string(), ''), message: v.optional(v.string(), '') }),
    {},
  ),
  'juju-status': v.optional(v.object({ current: v.optional(v.string(), '') }), {}),
  leader: v.optional(v.boolean(), false),
});

const statusSchema = v.object({
  applications: v.optional(
    v.record(v.string(), v.object({ units: v.optional(v.record(v.string(), unitSchema), {}) })),
    {},
  ),
});

export function parseStatus(json: string): ModelStatus {
  const { applications } = v.parse(statusSchema, JSON.parse(json));
  const byName = Object.entries(applications).map(
    ([name, { units }]) => [name, toUnits(units)] as const,
  );
  return { applications: Object.fromEntries(byName) };
}

function toUnits(units: Readonly<Record<string, v.InferOutput<typeof unitSchema>>>): UnitStatus[] {
  return Object.entries(units).map(([name, unit]) => ({
    name,
    workload: unit['workload-status'].current ?? '',
    message: unit['workload-status'].message ?? '',
    agent: unit['juju-status'].current ?? '',
    leader: unit.leader,
  }));
}

/** How many units each application must have. */
export type Expected = Readonly<Record<string, number>>;

/** What keeps the model from being settled; `undefined` when all units are there, active and idle. */
export function describeUnsettled(status: ModelStatus, expected: Expected): string | undefined {
  const reasons = Object.entries(expected).flatMap(([app, count]) => {
    const units = status.applications[app] ?? [];
    return [
      ...(units.length === count ? [] : [`${app} has ${units.length} of ${count} units`]),
      ...units.filter((unit) => !isQuiet(unit)).map(describeUnit),
      ...(units.some(({ leader }) => leader) ? [] : [`${app} has no leader`]),
    ];
  });
  return reasons.length === 0 ? undefined : reasons.join('; ');
}

function isQuiet(unit: UnitStatus): boolean {
  return unit.workload === 'active' && unit.agent === 'idle' && !isDegraded(unit);
}

/** A primary that waits for replicas which are not there calls itself active, too. */
function isDegraded({ message }: UnitStatus): boolean {
  return message.includes('(degraded)');
}

function describeUnit(unit: UnitStatus): string {
  const { name, workload, message, agent } = unit;
  if (workload === 'active' && !isDegraded(unit)) return `${name} ${agent}`;
  return message === '' ? `${name} ${workload}` : `${name} ${workload}: ${message}`;
}
