// What earlier hooks committed, changes to it, and the end of it.

import { Secret } from '../../lib/base/secret.ts';
import { openedPorts } from '../../lib/juju/tools/ports.ts';
import { relationGet } from '../../lib/juju/tools/relation.ts';
import {
  secretGet,
  secretIds,
  secretInfoGet,
  secretRemove,
  secretRevoke,
  secretSet,
} from '../../lib/juju/tools/secret.ts';
import { stateGet } from '../../lib/juju/tools/state.ts';
import { unitStatusGet } from '../../lib/juju/tools/status.ts';
import type { Step } from './hook-tools.ts';

const changed = { password: new Secret('two') };

/** After `first`. */
export const secondSteps: readonly Step[] = [
  {
    name: 'committed state',
    run: async (port) =>
      Object.fromEntries(
        Object.entries(await stateGet(port)).map(([key, text]) => [key, text.slice(0, 100)]),
      ),
  },
  {
    name: 'committed secret',
    run: async (port) => await secretGet(port, { label: 'contract-app', revision: 'refresh' }),
  },
  { name: 'about it', run: async (port) => await secretInfoGet(port, { label: 'contract-app' }) },
  {
    name: 'change, then read plainly, peek, refresh',
    run: async (port) => {
      const { uri } = await secretInfoGet(port, { label: 'contract-unit' });
      await secretSet(port, uri, { content: changed });
      return {
        plain: await secretGet(port, { label: 'contract-unit' }),
        peek: await secretGet(port, { label: 'contract-unit', revision: 'peek' }),
        refresh: await secretGet(port, { label: 'contract-unit', revision: 'refresh' }),
      };
    },
  },
  {
    name: 'change attributes only',
    run: async (port) => {
      const { uri } = await secretInfoGet(port, { label: 'contract-app' });
      await secretSet(port, uri, { description: 'changed', rotate: 'monthly', expire: '24h' });
      return await secretInfoGet(port, { label: 'contract-app' });
    },
  },
];

/** After `second` and `abandon`: what was abandoned is lost, all but the status. */
export const thirdSteps: readonly Step[] = [
  {
    name: 'own unit bag',
    run: async (port, { peers, unit }) => await relationGet(port, peers, unit),
  },
  {
    name: 'own app bag',
    run: async (port, { related, app }) => await relationGet(port, related, app),
  },
  { name: 'state', run: async (port) => Object.keys(await stateGet(port)).toSorted() },
  { name: 'ports', run: async (port) => await openedPorts(port) },
  {
    name: 'abandoned secret',
    run: async (port) =>
      await secretGet(port, { label: 'contract-abandoned', revision: 'refresh' }),
  },
  {
    name: 'secret with an abandoned change: plain, peek, refresh',
    run: async (port) => ({
      plain: await secretGet(port, { label: 'contract-unit' }),
      peek: await secretGet(port, { label: 'contract-unit', revision: 'peek' }),
      refresh: await secretGet(port, { label: 'contract-unit', revision: 'refresh' }),
    }),
  },
  { name: 'status', run: async (port) => await unitStatusGet(port) },
  {
    name: 'revoke and remove',
    run: async (port, { related }) => {
      const application = await secretInfoGet(port, { label: 'contract-app' });
      await secretRevoke(port, { uri: application.uri, relation: related });
      await secretRemove(port, application.uri);
      const unit = await secretInfoGet(port, { label: 'contract-unit' });
      await secretRemove(port, unit.uri, 1);
      return (await secretIds(port)).length;
    },
  },
  {
    name: 'read what is about to go',
    run: async (port) => await secretGet(port, { label: 'contract-app', revision: 'refresh' }),
  },
];
