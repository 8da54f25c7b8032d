// Whether this unit leads, as Juju last said. Its answer holds for half a minute, and a hook may take
// hours: what was written for the application meanwhile is then not this unit's to write any more, and Juju
// would refuse it and fail the hook.

import type { Clock } from '../base/clock.ts';
import { onceOnly } from './once.ts';
import { isLeader } from './tools/leader.ts';
import type { HookToolPort } from './tools/port.ts';

// Juju says half a minute; the tools that write take some time, too.
const leaseMs = 20_000;

export interface Leadership {
  readonly isLeader: (options?: { readonly fresh: boolean }) => Promise<boolean>;
  /** Whether this unit led in this dispatch, and does not any more. Asks again when an answer is old. */
  readonly isLost: () => Promise<boolean>;
}

export function createLeadership(port: HookToolPort, clock: Clock | undefined): Leadership {
  let told: { readonly leads: boolean; readonly atMs: number } | undefined;
  let hasLed = false;
  const nowMs = () => clock?.nowMs() ?? 0;
  const ask = async (): Promise<boolean> => {
    const leads = await isLeader(port);
    told = { leads, atMs: nowMs() };
    hasLed ||= leads;
    return leads;
  };
  const known = onceOnly(ask);
  return {
    isLeader: async (options) => {
      if (options?.fresh === true) known.set(await ask());
      return await known();
    },
    isLost: async () => {
      if (told === undefined || !hasLed) return false;
      const holds = nowMs() - told.atMs < leaseMs;
      return !(told.leads && !holds ? await ask() : told.leads);
    },
  };
}
