// Typed builders of what Juju sends, and the environment that Juju would make of it. The union is
// the charm framework's own (lib/juju/event.ts), so a new kind of event is missed by neither.

import type { JujuEvent, RelationChange } from '../../../lib/juju/event.ts';
import type { RelationState, SecretState, State, StorageState } from './state.ts';

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
export function relationDeparted(of: RelationState, unit: string, departing: string = unit): Trigger {
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

export function pebbleCheck(container: string, check: string, change: 'failed' | 'recovered'): Trigger {
  return trigger({ kind: 'pebble-check', name: `${container}-pebble-check-${change}`, container, change, check });
}

export function action(name: string, params: Readonly<Record<string, unknown>> = {}): Trigger {
  return { event: { kind: 'action', name, id: '42' }, params };
}

/** The environment of the charm process; everything that Juju always sets, then the event's part. */
export function environmentOf<W>(state: State<W>, of: Trigger): Readonly<Record<string, string>> {
  const isAction = of.event.kind === 'action';
  const charmDir = `/var/lib/juju/agents/unit-${state.unit.replace('/', '-')}/charm`;
  return {
    CHARM_DIR: charmDir,
    CLOUD_API_VERSION: '',
    JUJU_AGENT_SOCKET_ADDRESS: '@/var/lib/juju/agents/agent.socket',
    JUJU_AGENT_SOCKET_NETWORK: 'unix',
    JUJU_API_ADDRESSES: '10.152.183.2:17070',
    JUJU_AVAILABILITY_ZONE: '',
    JUJU_CHARM_DIR: charmDir,
    JUJU_CHARM_HTTPS_PROXY: '',
    JUJU_CHARM_HTTP_PROXY: '',
    JUJU_CHARM_NO_PROXY: '',
    JUJU_CONTEXT_ID: `${state.unit}-${of.event.name}-1`,
    JUJU_DISPATCH_PATH: `${isAction ? 'actions' : 'hooks'}/${of.event.name}`,
    JUJU_HOOK_NAME: isAction ? '' : of.event.name,
    JUJU_MACHINE_ID: '',
    JUJU_MODEL_NAME: state.model.name,
    JUJU_MODEL_UUID: state.model.uuid,
    JUJU_PRINCIPAL_UNIT: '',
    JUJU_UNIT_NAME: state.unit,
    JUJU_VERSION: state.jujuVersion,
    LANG: 'C.UTF-8',
    PATH: `/var/lib/juju/tools/unit-${state.unit.replace('/', '-')}:/usr/bin:/bin`,
    ...variablesOf(of.event),
  };
}

function variablesOf(event: JujuEvent): Readonly<Record<string, string>> {
  switch (event.kind) {
    case 'lifecycle':
      return {};
    case 'relation':
      return {
        JUJU_RELATION: event.relation.endpoint,
        JUJU_RELATION_ID: `${event.relation.endpoint}:${event.relation.id}`,
        JUJU_REMOTE_APP: event.remoteApp ?? '',
        JUJU_REMOTE_UNIT: event.remoteUnit ?? '',
        ...(event.departingUnit === undefined ? {} : { JUJU_DEPARTING_UNIT: event.departingUnit }),
      };
    case 'storage':
      return {
        JUJU_STORAGE_ID: `${event.storage}/${event.index}`,
        JUJU_STORAGE_KIND: 'filesystem',
        JUJU_STORAGE_LOCATION: event.location ?? '',
      };
    case 'secret':
      return {
        JUJU_SECRET_ID: event.id,
        JUJU_SECRET_LABEL: event.label ?? '',
        ...(event.revision === undefined ? {} : { JUJU_SECRET_REVISION: String(event.revision) }),
      };
    case 'pebble-ready':
      return { JUJU_WORKLOAD_NAME: event.container };
    case 'pebble-notice':
      return {
        JUJU_NOTICE_ID: event.noticeId,
        JUJU_NOTICE_KEY: event.noticeKey,
        JUJU_NOTICE_TYPE: 'custom',
        JUJU_WORKLOAD_NAME: event.container,
      };
    case 'pebble-check':
      return { JUJU_PEBBLE_CHECK_NAME: event.check, JUJU_WORKLOAD_NAME: event.container };
    case 'action':
      return {
        JUJU_ACTION_NAME: event.name,
        JUJU_ACTION_TAG: `action-${event.id}`,
        JUJU_ACTION_UUID: event.id,
      };
  }
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
