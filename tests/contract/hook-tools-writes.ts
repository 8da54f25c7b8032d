// Writes, and what the hook that made them sees of them.

import { Secret } from '../../lib/base/secret.ts';
import { actionLog, actionSet } from '../../lib/juju/tools/action.ts';
import { applicationVersionSet } from '../../lib/juju/tools/application.ts';
import { longestArgumentBytes } from '../../lib/juju/tools/call.ts';
import { jujuLog } from '../../lib/juju/tools/log.ts';
import { jujuReboot } from '../../lib/juju/tools/machine.ts';
import type { HookToolPort } from '../../lib/juju/tools/port.ts';
import { closePort, openedPorts, openPort } from '../../lib/juju/tools/ports.ts';
import { relationGet, relationSet } from '../../lib/juju/tools/relation.ts';
import {
  secretAdd,
  secretGet,
  secretGrant,
  secretIds,
  secretInfoGet,
  secretRemove,
  secretSet,
} from '../../lib/juju/tools/secret.ts';
import { stateDelete, stateGet, stateSet } from '../../lib/juju/tools/state.ts';
import { statusSet, unitStatusGet } from '../../lib/juju/tools/status.ts';
import { storageAdd } from '../../lib/juju/tools/storage.ts';
import type { Step } from './hook-tools.ts';

/** Texts that a parser of YAML or a command line could get wrong. */
export const nastyTexts: Readonly<Record<string, string>> = {
  'one-dash': '--file',
  'two-lines': 'first\nsecond: "quoted"\n',
  'only-true': 'true',
  'only-number': '0123',
  'only-tilde': '~',
  'only-space': ' ',
  'tab-and-bell': '\t\u0007',
  'line-breaks': 'a\r\nb\u0085c\u2028d\u2029e',
  'del-and-mark': '\u007f\ufeff\u00a0',
  'far-away': '🐘 größer 象',
  'back-slash': 'c:\\new\\\\x "q" \'s\' `t` #no {a: b} [c] & * ! | > %',
};

const secretContent = Object.fromEntries(
  Object.entries(nastyTexts).map(([key, text]) => [key, new Secret(text)]),
);

async function uriOf(port: HookToolPort, label: string): Promise<string> {
  return (await secretInfoGet(port, { label })).uri;
}

const relationSteps: readonly Step[] = [
  {
    name: 'set own unit bag',
    run: async (port, { peers, unit }) => {
      await relationSet(port, { relation: peers, owner: 'unit', values: nastyTexts });
      return await relationGet(port, peers, unit);
    },
  },
  {
    name: 'set own app bag',
    run: async (port, { related, app }) => {
      const values = { ...nastyTexts, gone: 'soon' };
      await relationSet(port, { relation: related, owner: 'application', values });
      return await relationGet(port, related, app);
    },
  },
  {
    name: 'remove a key, set nothing',
    run: async (port, { related, app }) => {
      const owner = 'application';
      await relationSet(port, { relation: related, owner, values: { gone: '', never: '' } });
      await relationSet(port, { relation: related, owner, values: {} });
      return await relationGet(port, related, app);
    },
  },
];

const secretSteps: readonly Step[] = [
  {
    name: 'add a secret of the application',
    run: async (port) =>
      await secretAdd(port, {
        owner: 'application',
        label: 'contract-app',
        description: 'for the contract',
        content: secretContent,
      }),
  },
  {
    name: 'read it by label in the same hook',
    run: async (port) => await secretGet(port, { label: 'contract-app', revision: 'refresh' }),
  },
  {
    name: 'know about it',
    run: async (port) => await secretInfoGet(port, { label: 'contract-app' }),
  },
  {
    name: 'same label again',
    run: async (port) =>
      await secretAdd(port, {
        owner: 'application',
        label: 'contract-app',
        content: { password: new Secret('other') },
      }),
  },
  {
    name: 'change it in the same hook',
    run: async (port) => {
      const uri = await uriOf(port, 'contract-app');
      const content = { ...secretContent, added: new Secret('later') };
      await secretSet(port, uri, { content });
      return await secretGet(port, { label: 'contract-app', revision: 'refresh' });
    },
  },
  {
    name: 'grant it',
    run: async (port, { related }) => {
      const uri = await uriOf(port, 'contract-app');
      await secretGrant(port, { uri, relation: related });
      await secretGrant(port, { uri, relation: related });
      const values = { 'secret-uri': uri };
      await relationSet(port, { relation: related, owner: 'application', values });
    },
  },
  {
    name: 'add a secret of the unit',
    run: async (port) => {
      const content = { password: new Secret('one') };
      return await secretAdd(port, { owner: 'unit', label: 'contract-unit', content });
    },
  },
  { name: 'count them', run: async (port) => (await secretIds(port)).length },
  {
    name: 'a key that is too short',
    run: async (port) => {
      const content = { ab: new Secret('hidden-value') };
      return await secretAdd(port, { owner: 'unit', label: 'contract-bad', content });
    },
  },
  {
    name: 'no content',
    run: async (port) =>
      await secretAdd(port, { owner: 'unit', label: 'contract-bad', content: {} }),
  },
];

const otherSteps: readonly Step[] = [
  {
    name: 'set state',
    run: async (port) => {
      await stateSet(port, { ...nastyTexts, gone: 'soon', 'a/b c': 'x'.repeat(65_536) });
      await stateDelete(port, 'gone');
      await stateDelete(port, 'never');
      const { 'a/b c': long = '', ...rest } = await stateGet(port);
      return { ...rest, long: long.length };
    },
  },
  {
    name: 'state that is too long',
    run: async (port) => {
      await stateSet(port, { long: 'x'.repeat(65_537) });
    },
  },
  {
    name: 'ports before they are open',
    run: async (port) => {
      await openPort(port, '5432/tcp');
      await openPort(port, '8008');
      await closePort(port, '9999/tcp');
      const open = await openedPorts(port);
      await closePort(port, '8008');
      return { open, afterClosing: await openedPorts(port) };
    },
  },
  {
    name: 'a range of ports',
    run: async (port) => {
      await openPort(port, '6000-6010/tcp');
    },
  },
  {
    name: 'status, and what the hook sees of it',
    run: async (port) => {
      const before = await unitStatusGet(port);
      const message = '-- "contract"\nsecond line';
      await statusSet(port, { of: 'unit', status: 'maintenance', message });
      return { before, after: await unitStatusGet(port) };
    },
  },
  {
    name: 'status of the application',
    run: async (port) => {
      await statusSet(port, { of: 'application', status: 'active', message: '' });
    },
  },
  {
    name: 'version',
    run: async (port) => {
      await applicationVersionSet(port, '-17.4 (contract)');
    },
  },
  {
    name: 'action results',
    run: async (port) => {
      await actionSet(port, { plain: '-x', 'tree.leaf': 'a=b\nc', 'tree.other-leaf': '' });
    },
  },
  {
    name: 'a reserved result',
    run: async (port) => {
      await actionSet(port, { stdout: 'x' });
    },
  },
  {
    name: 'a malformed result',
    run: async (port) => {
      await actionSet(port, { Wrong_Key: 'x' });
    },
  },
  {
    name: 'action progress',
    run: async (port) => {
      await actionLog(port, '--half "way"');
    },
  },
  {
    name: 'log lines',
    run: async (port) => {
      await jujuLog(port, 'DEBUG', '--first line\nsecond line');
      await jujuLog(port, 'INFO', 'x'.repeat(longestArgumentBytes));
    },
  },
  {
    name: 'a line that is too long',
    run: async (port) => {
      await jujuLog(port, 'INFO', 'x'.repeat(longestArgumentBytes + 1));
    },
  },
  {
    name: 'reboot',
    run: async (port) => {
      await jujuReboot(port, 'after-hook');
    },
  },
  {
    name: 'a tool that is not there',
    run: async (port) => await port({ tool: 'no-such-tool', args: [] }),
  },
];

export const firstSteps: readonly Step[] = [...relationSteps, ...secretSteps, ...otherSteps];

/** The process exits with 1 after these. */
export const abandonSteps: readonly Step[] = [
  {
    name: 'write everything',
    run: async (port, { peers, related }) => {
      const values = { abandoned: 'yes' };
      await relationSet(port, { relation: peers, owner: 'unit', values });
      await relationSet(port, { relation: related, owner: 'application', values });
      await stateSet(port, values);
      await openPort(port, '1234/tcp');
      const content = { password: new Secret('abandoned') };
      await secretAdd(port, { owner: 'application', label: 'contract-abandoned', content });
      await secretSet(port, await uriOf(port, 'contract-unit'), { content });
      await statusSet(port, { of: 'unit', status: 'waiting', message: 'abandoned' });
    },
  },
];

/** In a later hook than the secret: Juju 4.1's betas lose grants given together with it. */
export const grantAgainSteps: readonly Step[] = [
  {
    name: 'grant again',
    run: async (port, { related }) => {
      await secretGrant(port, { uri: await uriOf(port, 'contract-app'), relation: related });
    },
  },
];

/** Juju takes it and then refuses the commit: on Kubernetes units get no further storage. */
export const storageSteps: readonly Step[] = [
  {
    name: 'add storage',
    run: async (port, { storage }) => {
      await storageAdd(port, storage, 1);
    },
  },
];

/** Juju 4.1 takes it: whether older ones commit the removal of what they never had is not known. */
export const removePendingSteps: readonly Step[] = [
  {
    name: 'add and remove',
    run: async (port) => {
      const content = { password: new Secret('never') };
      const uri = await secretAdd(port, { owner: 'application', label: 'contract-never', content });
      await secretRemove(port, uri);
    },
  },
];
