// The same world seen by a unit that is not the leader, and by the application at the other side.

import { Secret } from '../../lib/base/secret.ts';
import { isLeader } from '../../lib/juju/tools/leader.ts';
import { relationGet, relationSet } from '../../lib/juju/tools/relation.ts';
import { secretAdd, secretGet, secretIds, secretInfoGet } from '../../lib/juju/tools/secret.ts';
import { applicationStatusGet, statusSet } from '../../lib/juju/tools/status.ts';
import type { Step } from './hook-tools.ts';

/** After `first`. */
export const followerSteps: readonly Step[] = [
  { name: 'leader', run: async (port) => await isLeader(port) },
  {
    name: 'peer app bag',
    run: async (port, { peers, app }) => await relationGet(port, peers, app),
  },
  {
    name: 'own app bag towards another application',
    run: async (port, { related, app }) => await relationGet(port, related, app),
  },
  {
    name: 'set own app bag',
    run: async (port, { peers }) => {
      await relationSet(port, { relation: peers, owner: 'application', values: { no: 'no' } });
    },
  },
  {
    name: 'secret of the application by label',
    run: async (port) => await secretGet(port, { label: 'contract-app' }),
  },
  {
    name: 'secret of the application by label, newest',
    run: async (port) => await secretGet(port, { label: 'contract-app', revision: 'refresh' }),
  },
  {
    name: 'about the secret of the application',
    run: async (port) => await secretInfoGet(port, { label: 'contract-app' }),
  },
  { name: 'own secrets', run: async (port) => (await secretIds(port)).length },
  {
    name: 'add a secret of the application',
    run: async (port) => {
      const content = { password: new Secret('no') };
      return await secretAdd(port, { owner: 'application', label: 'contract-no', content });
    },
  },
  { name: 'application status', run: async (port) => await applicationStatusGet(port) },
  {
    name: 'set application status',
    run: async (port) => {
      await statusSet(port, { of: 'application', status: 'active', message: '' });
    },
  },
];

/** After `first`, on the application that takes. */
export const consumerSteps: readonly Step[] = [
  {
    name: 'remote app bag',
    run: async (port, { related, relatedApp }) => await relationGet(port, related, relatedApp),
  },
  {
    name: 'granted secret, labelled',
    run: async (port, { related, relatedApp }) => {
      const { 'secret-uri': uri = '' } = await relationGet(port, related, relatedApp);
      return await secretGet(port, { uri, label: 'mine' });
    },
  },
  { name: 'by its new label', run: async (port) => await secretGet(port, { label: 'mine' }) },
  {
    name: 'about a consumed secret',
    run: async (port) => await secretInfoGet(port, { label: 'mine' }),
  },
  {
    name: 'newest revision',
    run: async (port) => await secretGet(port, { label: 'mine', revision: 'refresh' }),
  },
];
