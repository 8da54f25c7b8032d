// The Pebble service of pgBackRest's server, through which the other members' pgBackRest reads this
// one. It reads its configuration once: whoever changes that stops it first, so that a hook that is
// killed leaves a stopped server, which is started, and never one with yesterday's settings.

import { isPebbleError } from '../../lib/pebble/errors.ts';
import type { ServiceInfo } from '../../lib/pebble/pebble.ts';
import {
  backupServerLabel,
  backupServerService,
  renderBackupServerLayer,
} from '../core/render/pebble-layer.ts';
import type { PostgresqlHook } from './cluster.ts';

/** Says whether it runs. */
export async function startBackupServer(hook: PostgresqlHook): Promise<boolean> {
  const { pebble } = hook.ports;
  if (await isServing(hook)) return true;
  await pebble.addLayer(backupServerLabel, renderBackupServerLayer());
  try {
    await pebble.start(backupServerService);
    return true;
  } catch (error) {
    // The member works without it; a backup that needs it will say that it does not answer.
    if (!isPebbleError(error, 'change-failed')) throw error;
    hook.log('ERROR', error.message);
    return false;
  }
}

export async function stopBackupServer(hook: PostgresqlHook): Promise<void> {
  const current = await stateOf(hook);
  // Pebble would start again what ended by itself.
  if (current === 'active' || current === 'backoff') {
    await hook.ports.pebble.stop(backupServerService);
  }
}

/** Whether it serves, as Pebble sees it. */
export async function isServing(hook: PostgresqlHook): Promise<boolean> {
  return (await stateOf(hook)) === 'active';
}

async function stateOf(hook: PostgresqlHook): Promise<ServiceInfo['current'] | undefined> {
  const [service] = await hook.ports.pebble.services([backupServerService]);
  return service?.current;
}
