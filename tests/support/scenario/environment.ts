// The environment that Juju makes of an event: everything that it always sets, also what is empty,
// then the event's own part. Nothing else of the machine is in it.
// Source: Juju's hook environment.

import { present } from '../../../lib/base/present.ts';
import type { JujuEvent, RelationEvent, SecretEvent } from '../../../lib/juju/event.ts';
import type { Trigger } from './events.ts';
import type { State } from './state.ts';

/** The environment of the charm process. */
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
      return relationVariables(event);
    case 'storage':
      return {
        JUJU_STORAGE_ID: `${event.storage}/${event.index}`,
        JUJU_STORAGE_KIND: 'filesystem',
        JUJU_STORAGE_LOCATION: event.location ?? '',
      };
    case 'secret':
      return secretVariables(event);
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

function relationVariables(event: RelationEvent): Readonly<Record<string, string>> {
  const { endpoint, id } = event.relation;
  return {
    JUJU_RELATION: endpoint,
    JUJU_RELATION_ID: `${endpoint}:${id}`,
    JUJU_REMOTE_APP: event.remoteApp ?? '',
    JUJU_REMOTE_UNIT: event.remoteUnit ?? '',
    ...present({ JUJU_DEPARTING_UNIT: event.departingUnit }),
  };
}

function secretVariables({
  id,
  label = '',
  revision,
}: SecretEvent): Readonly<Record<string, string>> {
  return {
    JUJU_SECRET_ID: id,
    JUJU_SECRET_LABEL: label,
    ...present({ JUJU_SECRET_REVISION: revision?.toString() }),
  };
}
