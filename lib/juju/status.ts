// Unit status: handlers contribute candidates, the most severe one is set, and only when Juju shows
// another.
//
// Asking Juju (status-get) costs one hook tool call, as much as setting blindly would; but a quiet
// hook then writes nothing to the controller, and `juju status` goes on telling since when the unit
// has been in its state. Remembering the last status in the unit's state would save the question,
// and be wrong where Juju itself sets a status (install, stop) and after a failed hook, which loses
// what it remembered and keeps the status that it set.

import { cut } from '../base/cut.ts';
import type { Status } from './juju.ts';
import { onceOnly } from './once.ts';
import type { HookToolPort } from './tools/port.ts';
import { applicationStatusGet, type JujuStatus, statusSet, unitStatusGet } from './tools/status.ts';

const severities: Readonly<Record<Status['level'], number>> = {
  blocked: 4,
  maintenance: 3,
  waiting: 2,
  active: 1,
};

/** The most severe candidate, among equals the first one; `undefined` when there is none. */
export function foldStatuses(candidates: readonly Status[]): Status | undefined {
  return candidates.reduce<Status | undefined>(
    (worst, each) =>
      worst === undefined || severities[each.level] > severities[worst.level] ? each : worst,
    undefined,
  );
}

export interface UnitStatus {
  /** What Juju shows; `undefined` for what only Juju sets (`unknown`, `error`). */
  readonly get: () => Promise<Status | undefined>;
  /** Sets at once, unless Juju shows the same. The message is cut when it is too long for anybody. */
  readonly set: (status: Status) => Promise<void>;
}

// Nobody reads more in a table, and the kernel takes no argument of any length.
const longestMessage = 1000;

export function createUnitStatus(port: HookToolPort): UnitStatus {
  const get = onceOnly(async () => {
    return toStatus(await unitStatusGet(port));
  });
  return {
    get,
    set: async (status) => {
      const { level } = status;
      const message = cut(status.message, longestMessage);
      const shown = await get();
      if (shown?.level === level && shown.message === message) return;
      await statusSet(port, { of: 'unit', status: level, message });
      get.set({ level, message });
    },
  };
}

/** Those of all units of the application; leader only. */
export async function readUnitStatuses(
  port: HookToolPort,
): Promise<Readonly<Record<string, Status>>> {
  const { units } = await applicationStatusGet(port);
  return Object.fromEntries(
    Object.entries(units).flatMap(([unit, each]) => {
      const status = toStatus(each);
      return status === undefined ? [] : [[unit, status] as const];
    }),
  );
}

function toStatus({ status, message }: JujuStatus): Status | undefined {
  const level = toLevel(status);
  return level === undefined ? undefined : { level, message };
}

function toLevel(text: string): Status['level'] | undefined {
  const levels = ['blocked', 'maintenance', 'waiting', 'active'] as const;
  return levels.find((level) => level === text);
}
