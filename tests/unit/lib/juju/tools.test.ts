import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse } from 'yaml';

import { ProcessError } from '../../../../lib/base/process.ts';
import { Secret } from '../../../../lib/base/secret.ts';
import { HookToolError } from '../../../../lib/juju/error.ts';
import { actionFail, actionGet, actionLog, actionSet } from '../../../../lib/juju/tools/action.ts';
import {
  applicationVersionSet,
  goalState,
  resourceGet,
} from '../../../../lib/juju/tools/application.ts';
import { configGet } from '../../../../lib/juju/tools/config.ts';
import { credentialGet } from '../../../../lib/juju/tools/credential.ts';
import { renderTexts } from '../../../../lib/juju/tools/json.ts';
import { isLeader } from '../../../../lib/juju/tools/leader.ts';
import { jujuLog } from '../../../../lib/juju/tools/log.ts';
import { jujuReboot } from '../../../../lib/juju/tools/machine.ts';
import { networkGet, unitGet } from '../../../../lib/juju/tools/network.ts';
import type { HookToolPort } from '../../../../lib/juju/tools/port.ts';
import { closePort, openedPorts, openPort } from '../../../../lib/juju/tools/ports.ts';
import {
  relationApp,
  relationGet,
  relationIds,
  relationList,
  relationModelGet,
  relationSet,
} from '../../../../lib/juju/tools/relation.ts';
import {
  secretAdd,
  secretGet,
  secretGrant,
  secretId,
  secretIds,
  secretInfoGet,
  secretRemove,
  secretRevoke,
  secretSet,
} from '../../../../lib/juju/tools/secret.ts';
import { stateDelete, stateGet, stateSet } from '../../../../lib/juju/tools/state.ts';
import {
  applicationStatusGet,
  statusSet,
  unitStatusGet,
} from '../../../../lib/juju/tools/status.ts';
import { storageAdd, storageGet, storageList } from '../../../../lib/juju/tools/storage.ts';
import { anyText } from '../../../support/arbitrary-text.ts';
import { failure, scriptHookTools } from '../../../support/scripted-hook-tools.ts';

const db = { endpoint: 'db', id: 7 };
const uri = 'secret:9m4e2mr0ui3e8a215n4g';

interface Row {
  readonly summary: string;
  readonly run: (port: HookToolPort) => Promise<unknown>;
  readonly call: string;
  readonly prints?: string;
  readonly gives?: unknown;
}

const rows: readonly Row[] = [
  {
    summary: 'relation-ids sorts by number',
    run: async (port) => await relationIds(port, 'db'),
    call: 'relation-ids db',
    prints: '["db:10","db:7"]',
    gives: [db, { endpoint: 'db', id: 10 }],
  },
  {
    summary: 'relation-list gives the units',
    run: async (port) => await relationList(port, db),
    call: 'relation-list -r db:7',
    prints: '["shop/0"]',
    gives: ['shop/0'],
  },
  {
    summary: 'relation-list gives the application',
    run: async (port) => await relationApp(port, db),
    call: 'relation-list --app -r db:7',
    prints: '"shop"',
    gives: 'shop',
  },
  {
    summary: 'relation-get reads a unit',
    run: async (port) => await relationGet(port, db, 'shop/0'),
    call: 'relation-get -r db:7 - shop/0',
    prints: '{"a":"1"}',
    gives: { a: '1' },
  },
  {
    summary: 'relation-get reads an application that Juju knows nothing of',
    run: async (port) => await relationGet(port, db, 'shop'),
    call: 'relation-get -r db:7 --app - shop',
    prints: 'null',
    gives: {},
  },
  {
    summary: 'relation-set writes the unit',
    run: async (port) => {
      await relationSet(port, { relation: db, owner: 'unit', values: { a: '' } });
    },
    call: 'relation-set -r db:7 --file - < {"a":""}',
  },
  {
    summary: 'relation-set writes the application',
    run: async (port) => {
      await relationSet(port, { relation: db, owner: 'application', values: { a: '1' } });
    },
    call: 'relation-set -r db:7 --app --file - < {"a":"1"}',
  },
  {
    summary: 'relation-model-get gives the other model',
    run: async (port) => await relationModelGet(port, db),
    call: 'relation-model-get -r db:7',
    prints: '{"uuid":"u"}',
    gives: 'u',
  },
  {
    summary: 'secret-add passes content through a file',
    run: async (port) =>
      await secretAdd(port, {
        owner: 'unit',
        label: 'l',
        description: 'd',
        rotate: 'monthly',
        expire: '24h',
        content: { password: new Secret('x') },
      }),
    call: 'secret-add --label l --description d --expire 24h --rotate monthly --owner unit << {"password":"x"}',
    prints: `${uri}\n`,
    gives: uri,
  },
  {
    summary: 'secret-set passes content through a file',
    run: async (port) => {
      await secretSet(port, uri, { content: { password: new Secret('y') } });
    },
    call: `secret-set ${uri} << {"password":"y"}`,
  },
  {
    summary: 'secret-set may change attributes alone',
    run: async (port) => {
      await secretSet(port, uri, { label: 'other' });
    },
    call: `secret-set --label other ${uri}`,
  },
  {
    summary: 'secret-get reads the newest by label',
    run: async (port) => {
      const content = await secretGet(port, { label: 'l', revision: 'refresh' });
      return content['password']?.reveal();
    },
    call: 'secret-get --refresh --label l',
    prints: '{"password":"x"}',
    gives: 'x',
  },
  {
    summary: 'secret-get labels what it reads by URI',
    run: async (port) => {
      const content = await secretGet(port, { uri, label: 'l', revision: 'peek' });
      return content['password']?.reveal();
    },
    call: `secret-get --peek --label l ${uri}`,
    prints: '{"password":"x"}',
    gives: 'x',
  },
  {
    summary: 'secret-info-get tells what is known',
    run: async (port) => await secretInfoGet(port, { label: 'l' }),
    call: 'secret-info-get --label l',
    prints:
      '{"9m4e2mr0ui3e8a215n4g":{"revision":2,"label":"l","owner":"unit","description":"d","rotation":"never"}}',
    gives: { uri, revision: 2, label: 'l', owner: 'unit', description: 'd', rotation: 'never' },
  },
  {
    summary: 'secret-ids understands that there are none',
    run: async (port) => await secretIds(port),
    call: 'secret-ids',
    prints: 'null',
    gives: [],
  },
  {
    summary: 'secret-grant names the relation',
    run: async (port) => {
      await secretGrant(port, { uri, relation: db, unit: 'shop/0' });
    },
    call: `secret-grant -r db:7 --unit shop/0 ${uri}`,
  },
  {
    summary: 'secret-revoke names the relation',
    run: async (port) => {
      await secretRevoke(port, { uri, relation: db });
    },
    call: `secret-revoke -r db:7 ${uri}`,
  },
  {
    summary: 'secret-remove removes a revision',
    run: async (port) => {
      await secretRemove(port, uri, 3);
    },
    call: `secret-remove --revision 3 ${uri}`,
  },
  {
    summary: 'secret-remove removes a secret',
    run: async (port) => {
      await secretRemove(port, uri);
    },
    call: `secret-remove ${uri}`,
  },
  {
    summary: 'state-get understands that there is none',
    run: async (port) => await stateGet(port),
    call: 'state-get',
    prints: 'null\n',
    gives: {},
  },
  {
    summary: 'state-set takes values from standard input',
    run: async (port) => {
      await stateSet(port, { a: '1' });
    },
    call: 'state-set --file - < {"a":"1"}',
  },
  {
    summary: 'state-delete removes a key',
    run: async (port) => {
      await stateDelete(port, '-a');
    },
    call: 'state-delete -- -a',
  },
  {
    summary: 'status-get gives the unit status',
    run: async (port) => await unitStatusGet(port),
    call: 'status-get --include-data',
    prints: '{"status":"waiting","message":"m","status-data":{}}',
    gives: { status: 'waiting', message: 'm' },
  },
  {
    summary: 'status-get understands a status without anything',
    run: async (port) => await unitStatusGet(port),
    call: 'status-get --include-data',
    prints: '"unknown"',
    gives: { status: 'unknown', message: '' },
  },
  {
    summary: 'status-get gives the status of the application and its units',
    run: async (port) => await applicationStatusGet(port),
    call: 'status-get --include-data --application',
    prints:
      '{"application-status":{"status":"active","message":"","units":{"pg/0":{"status":"active","message":"Primary"}}}}',
    gives: {
      status: 'active',
      message: '',
      units: { 'pg/0': { status: 'active', message: 'Primary' } },
    },
  },
  {
    summary: 'status-set puts the message behind the flags',
    run: async (port) => {
      await statusSet(port, { of: 'unit', status: 'blocked', message: '--no' });
    },
    call: 'status-set blocked -- --no',
  },
  {
    summary: 'status-set sets the status of the application',
    run: async (port) => {
      await statusSet(port, { of: 'application', status: 'active', message: '' });
    },
    call: 'status-set --application active -- ',
  },
  {
    summary: 'action-get gives the parameters',
    run: async (port) => await actionGet(port),
    call: 'action-get',
    prints: '{"force":true}',
    gives: { force: true },
  },
  {
    summary: 'action-set gives results',
    run: async (port) => {
      await actionSet(port, { 'a.b': '-1', c: '=' });
    },
    call: 'action-set -- a.b=-1 c==',
  },
  {
    summary: 'action-fail gives the reason',
    run: async (port) => {
      await actionFail(port, '-no');
    },
    call: 'action-fail -- -no',
  },
  {
    summary: 'action-log tells progress',
    run: async (port) => {
      await actionLog(port, '-half');
    },
    call: 'action-log -- -half',
  },
  {
    summary: 'storage-list gives the instances',
    run: async (port) => await storageList(port, 'data'),
    call: 'storage-list data',
    prints: '["data/0"]',
    gives: ['data/0'],
  },
  {
    summary: 'storage-get gives kind and location',
    run: async (port) => await storageGet(port, 'data/0'),
    call: 'storage-get -s data/0',
    prints: '{"kind":"filesystem","location":"/data"}',
    gives: { kind: 'filesystem', location: '/data' },
  },
  {
    summary: 'storage-add asks for more',
    run: async (port) => {
      await storageAdd(port, 'data', 2);
    },
    call: 'storage-add data=2',
  },
  {
    summary: 'network-get gives addresses',
    run: async (port) => await networkGet(port, 'db', db),
    call: 'network-get -r db:7 db',
    prints:
      '{"bind-addresses":[{"interface-name":"eth0","addresses":[{"hostname":"","value":"192.0.2.7","cidr":"192.0.2.0/24"}]}],"ingress-addresses":["192.0.2.8"]}',
    gives: {
      interfaces: [{ name: 'eth0', addresses: [{ value: '192.0.2.7' }] }],
      ingressAddresses: ['192.0.2.8'],
      egressSubnets: [],
    },
  },
  {
    summary: 'unit-get gives an address',
    run: async (port) => await unitGet(port, 'public-address'),
    call: 'unit-get public-address',
    prints: '"192.0.2.7"',
    gives: '192.0.2.7',
  },
  {
    summary: 'config-get leaves out what is not set',
    run: async (port) => await configGet(port),
    call: 'config-get',
    prints: '{"text":"a","number":7,"flag":false,"unset":null}',
    gives: { text: 'a', number: 7, flag: false },
  },
  {
    summary: 'is-leader answers',
    run: async (port) => await isLeader(port),
    call: 'is-leader',
    prints: 'true',
    gives: true,
  },
  {
    summary: 'opened-ports lists ports',
    run: async (port) => await openedPorts(port),
    call: 'opened-ports',
    prints: '["5432/tcp"]',
    gives: ['5432/tcp'],
  },
  {
    summary: 'open-port opens a port',
    run: async (port) => {
      await openPort(port, '5432/tcp');
    },
    call: 'open-port 5432/tcp',
  },
  {
    summary: 'close-port closes a port',
    run: async (port) => {
      await closePort(port, '5432/tcp');
    },
    call: 'close-port 5432/tcp',
  },
  {
    summary: 'goal-state gives statuses by name',
    run: async (port) => await goalState(port),
    call: 'goal-state',
    prints:
      '{"units":{"pg/0":{"status":"active","since":"x"}},"relations":{"db":{"shop":{"status":"joined"}}}}',
    gives: { units: { 'pg/0': 'active' }, relations: { db: { shop: 'joined' } } },
  },
  {
    summary: 'application-version-set sets the version',
    run: async (port) => {
      await applicationVersionSet(port, '17.4');
    },
    call: 'application-version-set -- 17.4',
  },
  {
    summary: 'resource-get gives a path',
    run: async (port) => await resourceGet(port, 'image'),
    call: 'resource-get image',
    prints: '/var/lib/image',
    gives: '/var/lib/image',
  },
  {
    summary: 'credential-get wraps the credential',
    run: async (port) => {
      const spec = await credentialGet(port);
      return { ...spec, attributes: spec.attributes['Token']?.reveal() };
    },
    call: 'credential-get',
    prints:
      '{"type":"kubernetes","name":"k","region":"","endpoint":"https://k","credential":{"auth-type":"oauth2","attrs":{"Token":"t"}},"cacertificates":["c"]}',
    gives: {
      type: 'kubernetes',
      name: 'k',
      endpoint: 'https://k',
      authType: 'oauth2',
      attributes: 't',
      caCertificates: ['c'],
    },
  },
  {
    summary: 'juju-log puts the message behind the flags',
    run: async (port) => {
      await jujuLog(port, 'WARNING', '-x');
    },
    call: 'juju-log --log-level WARNING -- -x',
  },
  {
    summary: 'juju-reboot reboots now',
    run: async (port) => {
      await jujuReboot(port, 'now');
    },
    call: 'juju-reboot --now',
  },
];

describe('a hook tool', () => {
  for (const { summary, run, call, prints = '', gives } of rows) {
    test(summary, async () => {
      const tools = scriptHookTools({ [call.split(' ')[0] ?? '']: prints });

      expect([await run(tools.port), tools.calls()]).toEqual([gives, [call]]);
    });
  }
});

// The messages are those of Juju 4.1, seen by the contract charm, and of 3.6 where they differ.
const failures: readonly (readonly [string, string, string])[] = [
  [
    'relation-list',
    'invalid value "peers:9999" for option -r: relation not found',
    'relation-not-found',
  ],
  ['relation-get', 'relation unit not found', 'member-not-found'],
  ['relation-get', 'getting application "nobody" not found', 'member-not-found'],
  ['relation-get', 'permission denied', 'permission-denied'],
  ['relation-set', 'cannot write relation settings', 'not-leader'],
  ['secret-get', 'secret URI for consumer label "nothing" not found', 'secret-not-found'],
  ['secret-get', '"beta/0" is not allowed to read this secret', 'permission-denied'],
  ['secret-info-get', 'secret "nothing" not found', 'secret-not-found'],
  ['secret-add', 'this unit is not the leader', 'not-leader'],
  ['status-set', 'this unit is not the leader', 'not-leader'],
  ['credential-get', 'cannot access cloud credentials: permission denied', 'permission-denied'],
  ['action-get', 'not running an action', 'tool-missing'],
  ['state-set', 'max allowed value length (65536): quota limit exceeded', 'failed'],
];

describe('a failure', () => {
  for (const [tool, message, code] of failures) {
    test(`of ${tool} that says "${message}" is "${code}"`, async () => {
      const { port } = scriptHookTools({ [tool]: failure(message) });

      const error = await caught(async () => await relationOrOther(tool, port));

      expect([error.code, error.message, error.fields]).toEqual([
        code,
        `cannot run "${tool}": ${message}`,
        { tool, exitCode: 1 },
      ]);
    });
  }

  test('without a message tells the exit code', async () => {
    const { port } = scriptHookTools({ 'is-leader': { exitCode: 3 } });

    const error = await caught(async () => await isLeader(port));

    expect(error.message).toBe('cannot run "is-leader": exit code 3');
  });

  test('to start is told apart by its reason', async () => {
    const missing: HookToolPort = async (call) =>
      await Promise.reject(new ProcessError(call.tool, 'missing', 'no such command (ENOENT)'));

    const error = await caught(async () => await isLeader(missing));

    expect([error.code, error.message]).toEqual([
      'tool-missing',
      'cannot run "is-leader": no such command (ENOENT)',
    ]);
  });

  test('that is none of Juju goes through as it is', async () => {
    const broken: HookToolPort = async () => await Promise.reject(new TypeError('a bug'));

    await expect(isLeader(broken)).rejects.toThrow(new TypeError('a bug'));
  });
});

describe('output that is not what was agreed', () => {
  const broken: readonly (readonly [string, (port: HookToolPort) => Promise<unknown>, string])[] = [
    ['no JSON', async (port) => await stateGet(port), '{"password":"hidden'],
    ['no object', async (port) => await stateGet(port), '[]'],
    ['no list', async (port) => await openedPorts(port), '{}'],
    ['no text', async (port) => await stateGet(port), '{"a":1}'],
    ['no option', async (port) => await configGet(port), '{"a":[]}'],
    ['no secret', async (port) => await secretInfoGet(port, { label: 'l' }), '{}'],
    ['no path', async (port) => await resourceGet(port, 'image'), ''],
    [
      'no URI',
      async (port) =>
        await secretAdd(port, { owner: 'unit', content: { password: new Secret('x') } }),
      '',
    ],
  ];
  for (const [summary, run, prints] of broken) {
    test(`is refused: ${summary}`, async () => {
      const tools = ['state-get', 'opened-ports', 'config-get', 'secret-info-get', 'resource-get'];
      const names = [...tools, 'secret-add'];
      const { port } = scriptHookTools(Object.fromEntries(names.map((each) => [each, prints])));

      const error = await caught(async () => await run(port));

      expect([error.code, error.message.includes('hidden')]).toEqual(['unreadable-output', false]);
    });
  }
});

test('texts for Juju read the same as JSON and as YAML', () => {
  const text = fc.oneof(
    anyText(),
    fc.constantFrom(
      '',
      '~',
      'true',
      '0123',
      'a\u0085b\u2028c\u2029d',
      '\u007f\ufeff\u00a0',
      '🐘',
      '\u0000',
    ),
  );
  fc.assert(
    // Keys without a quote or a backslash: V8 may read "\"" as a key that it has seen before at that
    // place, a backslash.
    fc.property(fc.dictionary(fc.stringMatching(/^[^"\\]+$/), text), (texts) => {
      const rendered = renderTexts(texts);
      const wellFormed = Object.fromEntries(
        Object.entries(texts).map(([key, value]) => [key.toWellFormed(), value.toWellFormed()]),
      );

      expect(JSON.parse(rendered)).toEqual(wellFormed);
      expect(parse(rendered)).toEqual(wellFormed);
    }),
  );
});

test('a secret is known by its id in whatever form its URI comes', () => {
  const ids = [uri, '9m4e2mr0ui3e8a215n4g', 'secret://model/9m4e2mr0ui3e8a215n4g'].map(secretId);

  expect(new Set(ids)).toEqual(new Set(['9m4e2mr0ui3e8a215n4g']));
});

async function relationOrOther(tool: string, port: HookToolPort): Promise<unknown> {
  const runs: Readonly<Record<string, () => Promise<unknown>>> = {
    'relation-list': async () => await relationList(port, db),
    'relation-get': async () => await relationGet(port, db, 'shop'),
    'relation-set': async () => {
      await relationSet(port, { relation: db, owner: 'unit', values: {} });
    },
    'secret-get': async () => await secretGet(port, { uri }),
    'secret-info-get': async () => await secretInfoGet(port, { uri }),
    'secret-add': async () => await secretAdd(port, { owner: 'application', content: {} }),
    'status-set': async () => {
      await statusSet(port, { of: 'unit', status: 'active', message: '' });
    },
    'credential-get': async () => await credentialGet(port),
    'action-get': async () => await actionGet(port),
    'state-set': async () => {
      await stateSet(port, {});
    },
  };
  return await runs[tool]?.();
}

async function caught(run: () => Promise<unknown>): Promise<HookToolError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof HookToolError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}
