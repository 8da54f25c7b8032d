// Reads that change nothing, and how the tools say no.

import { actionGet } from '../../lib/juju/tools/action.ts';
import { goalState, resourceGet } from '../../lib/juju/tools/application.ts';
import { configGet } from '../../lib/juju/tools/config.ts';
import { credentialGet } from '../../lib/juju/tools/credential.ts';
import { isLeader } from '../../lib/juju/tools/leader.ts';
import { networkGet, unitGet } from '../../lib/juju/tools/network.ts';
import { openedPorts } from '../../lib/juju/tools/ports.ts';
import {
  relationApp,
  relationGet,
  relationIds,
  relationList,
  relationModelGet,
} from '../../lib/juju/tools/relation.ts';
import { secretGet, secretIds, secretInfoGet } from '../../lib/juju/tools/secret.ts';
import { stateGet } from '../../lib/juju/tools/state.ts';
import { applicationStatusGet, unitStatusGet } from '../../lib/juju/tools/status.ts';
import { storageGet, storageList } from '../../lib/juju/tools/storage.ts';
import type { Step } from './hook-tools.ts';

export const readSteps: readonly Step[] = [
  { name: 'config', run: async (port) => await configGet(port) },
  { name: 'leader', run: async (port) => await isLeader(port) },
  { name: 'goal state', run: async (port) => await goalState(port) },
  { name: 'action parameters', run: async (port) => await actionGet(port) },
  { name: 'peer ids', run: async (port, { peers }) => await relationIds(port, peers.endpoint) },
  { name: 'ids of an unknown endpoint', run: async (port) => await relationIds(port, 'nowhere') },
  { name: 'peer units', run: async (port, { peers }) => await relationList(port, peers) },
  { name: 'peer application', run: async (port, { peers }) => await relationApp(port, peers) },
  { name: 'related units', run: async (port, { related }) => await relationList(port, related) },
  { name: 'related app', run: async (port, { related }) => await relationApp(port, related) },
  {
    name: 'a relation under the wrong endpoint',
    run: async (port, { peers }) => await relationList(port, { endpoint: 'nowhere', id: peers.id }),
  },
  {
    name: 'a relation that is not there',
    run: async (port, { peers }) => await relationList(port, { ...peers, id: 9999 }),
  },
  {
    name: 'own unit bag',
    run: async (port, { peers, unit }) => await relationGet(port, peers, unit),
  },
  { name: 'own app bag', run: async (port, { peers, app }) => await relationGet(port, peers, app) },
  {
    name: 'related app bag',
    run: async (port, { related, relatedApp }) => await relationGet(port, related, relatedApp),
  },
  {
    name: 'bag of a unit that is not there',
    run: async (port, { related, relatedApp }) =>
      await relationGet(port, related, `${relatedApp}/99`),
  },
  {
    name: 'bag of an app that is not there',
    run: async (port, { related }) => await relationGet(port, related, 'nobody'),
  },
  { name: 'remote model', run: async (port, { related }) => await relationModelGet(port, related) },
  { name: 'storage', run: async (port, { storage }) => await storageList(port, storage) },
  { name: 'storage of an unknown name', run: async (port) => await storageList(port, 'nowhere') },
  {
    name: 'storage location',
    run: async (port, { storage }) => {
      const [instance = 'none/0'] = await storageList(port, storage);
      return await storageGet(port, instance);
    },
  },
  { name: 'storage that is not there', run: async (port) => await storageGet(port, 'data/99') },
  { name: 'network', run: async (port, { peers }) => await networkGet(port, peers.endpoint) },
  {
    name: 'network of a relation',
    run: async (port, { related }) => await networkGet(port, related.endpoint, related),
  },
  { name: 'network of nowhere', run: async (port) => await networkGet(port, 'nowhere') },
  { name: 'private address', run: async (port) => await unitGet(port, 'private-address') },
  { name: 'public address', run: async (port) => await unitGet(port, 'public-address') },
  { name: 'ports', run: async (port) => await openedPorts(port) },
  { name: 'state', run: async (port) => await stateGet(port) },
  { name: 'unit status', run: async (port) => await unitStatusGet(port) },
  { name: 'application status', run: async (port) => await applicationStatusGet(port) },
  { name: 'own secrets', run: async (port) => await secretIds(port) },
  { name: 'unknown label', run: async (port) => await secretGet(port, { label: 'nothing' }) },
  {
    name: 'unknown label, newest',
    run: async (port) => await secretGet(port, { label: 'nothing', revision: 'refresh' }),
  },
  {
    name: 'unknown secret',
    run: async (port) => await secretGet(port, { uri: 'secret:9m4e2mr0ui3e8a215n4g' }),
  },
  { name: 'malformed secret', run: async (port) => await secretGet(port, { uri: 'secret:no' }) },
  {
    name: 'about an unknown label',
    run: async (port) => await secretInfoGet(port, { label: 'nothing' }),
  },
  { name: 'resource', run: async (port) => await resourceGet(port, 'workload-image') },
  { name: 'unknown resource', run: async (port) => await resourceGet(port, 'nothing') },
  {
    name: 'credential',
    run: async (port) => {
      const { type, name, authType, attributes } = await credentialGet(port);
      return { type, name, authType, attributes: Object.keys(attributes).toSorted() };
    },
  },
];
