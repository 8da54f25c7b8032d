// Typed builders of what Juju sends. The union is the charm framework's own (lib/juju/event.ts), so a
// new kind of event is missed by neither.

import type { JujuEvent, RelationChange } from '../../../lib/juju/event.ts';
import type { RelationState, SecretState, StorageState } from './state.ts';

/** One event, with the parameters when it is an action. */
export interface Trigger {
  readonly event: JujuEvent;
  readonly params: Readonly<Record<string, unknown>>;
}

export type LifecycleName =
  | 'install'
  | 'start'
  | 'config-changed'
  | 'upgrade-charm'
  | 'stop'
  | 'remove'
  | 'leader-elected'
  | 'update-status';

export function lifecycle(name: LifecycleName): Trigger {
  return trigger({ kind: 'lifecycle', name });
}

export const leaderElected = lifecycle('leader-elected');
export const configChanged = lifecycle('config-changed');
export const updateStatus = lifecycle('update-status');

export function relationCreated(of: RelationState): Trigger {
  return relationTrigger(of, 'created', {});
}

export function relationJoined(of: RelationState, unit: string): Trigger {
  return relationTrigger(of, 'joined', { remoteUnit: unit });
}

/** Without a unit: the remote application's databag has changed. */
export function relationChanged(of: RelationState, unit?: string): Trigger {
  return relationTrigger(of, 'changed', unit === undefined ? {} : { remoteUnit: unit });
}

/** `departing` is the own unit when it is the one that leaves. */
export function relationDeparted(
  of: RelationState,
  unit: string,
  departing: string = unit,
): Trigger {
  return relationTrigger(of, 'departed', { remoteUnit: unit, departingUnit: departing });
}

export function relationBroken(of: RelationState): Trigger {
  return relationTrigger(of, 'broken', {});
}

export function storageAttached(of: StorageState): Trigger {
  return storageTrigger(of, 'attached');
}

export function storageDetaching(of: StorageState): Trigger {
  return storageTrigger(of, 'detaching');
}

/** `rotate`, `expired` and `remove` go to the owner, `changed` to a reader. */
export function secretEvent(
  of: SecretState,
  change: 'changed' | 'rotate' | 'expired' | 'remove',
  revision?: number,
): Trigger {
  return trigger({
    kind: 'secret',
    name: `secret-${change}`,
    change,
    id: `secret:${of.id}`,
    ...(of.label === undefined ? {} : { label: of.label }),
    ...(revision === undefined ? {} : { revision }),
  });
}

export function pebbleReady(container: string): Trigger {
  return trigger({ kind: 'pebble-ready', name: `${container}-pebble-ready`, container });
}

export function pebbleNotice(container: string, key: string): Trigger {
  const name = `${container}-pebble-custom-notice`;
  return trigger({ kind: 'pebble-notice', name, container, noticeId: '1', noticeKey: key });
}

export function pebbleCheck(
  container: string,
  check: string,
  change: 'failed' | 'recovered',
): Trigger {
  return trigger({
    kind: 'pebble-check',
    name: `${container}-pebble-check-${change}`,
    container,
    change,
    check,
  });
}

export function action(name: string, params: Readonly<Record<string, unknown>> = {}): Trigger {
  return { event: { kind: 'action', name, id: '42' }, params };
}

function trigger(event: JujuEvent): Trigger {
  return { event, params: {} };
}

function relationTrigger(
  of: RelationState,
  change: RelationChange,
  units: { readonly remoteUnit?: string; readonly departingUnit?: string },
): Trigger {
  return trigger({
    kind: 'relation',
    name: `${of.endpoint}-relation-${change}`,
    change,
    relation: { endpoint: of.endpoint, id: of.id },
    remoteApp: of.remoteApp,
    ...units,
  });
}

function storageTrigger(of: StorageState, change: 'attached' | 'detaching'): Trigger {
  return trigger({
    kind: 'storage',
    name: `${of.name}-storage-${change}`,
    change,
    storage: of.name,
    index: of.index,
    location: of.location,
  });
}
