// The in-memory hook tools, one call after another at argument-list level: texts and exit codes as
// Juju gives them, and what is left after the hook ended well.

import { expect, test } from '@jest/globals';

import type { HookToolCall } from '../../../lib/juju/tools/port.ts';
import { secret } from '../../support/scenario/builders.ts';
import { configChanged, relationChanged, type Trigger } from '../../support/scenario/events.ts';
import { commit } from '../../support/scenario/jujuc/commit.ts';
import { jujucFor } from '../../support/scenario/jujuc/jujuc.ts';
import { type JujuState, openHook } from '../../support/scenario/jujuc/open-hook.ts';
import { type State, secretOf } from '../../support/scenario/state.ts';
import { type CounterWorld, client, files, sampleState } from './test-charm.ts';

interface Hook {
  readonly call: (tool: string, ...args: readonly string[]) => Promise<string>;
  readonly send: (call: HookToolCall) => Promise<string>;
  readonly commit: () => JujuState;
}

/** Each call gives what the tool printed; after a failure the exit code and the error line. */
function hook(part: Partial<State<CounterWorld>> = {}, trigger: Trigger = configChanged): Hook {
  const state = sampleState(part);
  const opened = openHook({ files, trigger, runTag: 't', state });
  const port = jujucFor(opened);
  const send = async (call: HookToolCall): Promise<string> => {
    const { exitCode, stdout, stderr } = await port(call);
    return exitCode === 0 ? stdout.trimEnd() : `${exitCode} ${stderr.trimEnd()}`;
  };
  return {
    send,
    call: async (tool, ...args) => await send({ tool, args }),
    commit: () => commit(opened),
  };
}

const owned = secret({ owner: 'application', label: 'own', content: { key: 'old' } });
const theirs = secret({
  owner: 'foreign',
  revisions: [1, 2].map((revision) => ({ revision, content: { key: `value-${revision}` } })),
  tracked: 1,
});
const uri = `secret:${owned.id}`;
const foreignUri = `secret:${theirs.id}`;

test('a databag takes writes, shows them at once, and drops empty values', async () => {
  const {
    call,
    send,
    commit: end,
  } = hook({ relations: [{ ...client, localUnit: { a: '1', b: '2' } }] });

  await call('relation-set', '-r', 'database:4', 'b=', 'c=3');
  await send({ tool: 'relation-set', args: ['-r', '4', '--file', '-'], stdin: '{"d": "4"}' });

  expect(await call('relation-get', '-r', '4', '--format=json', '-', 'sample/0')).toBe(
    '{"a":"1","c":"3","d":"4"}',
  );
  expect(end().relations[0]?.localUnit).toEqual({ a: '1', c: '3', d: '4' });
});

test.each([
  {
    summary: 'a follower writing for the application',
    call: ['relation-set', '-r', '4', '--app', 'a=1'],
    answer: '1 ERROR cannot write relation settings',
  },
  {
    summary: 'a relation that is not there',
    call: ['relation-get', '-r', '9', '-', 'shop/0'],
    answer: '2 ERROR invalid value "9" for option -r: relation not found',
  },
  {
    summary: 'a databag of a stranger',
    call: ['relation-get', '-r', '4', '-', 'other/0'],
    answer: '1 ERROR relation unit not found',
  },
  {
    summary: 'the own application beyond the peer relation, as a follower',
    call: ['relation-get', '-r', '4', '--app', '-', 'sample'],
    answer: '1 ERROR permission denied',
  },
  {
    summary: 'an application where a unit is wanted',
    call: ['relation-get', '-r', '4', '-', 'shop'],
    answer: '2 ERROR expected unit name, got application name "shop"',
  },
  {
    summary: 'no relation outside of relation hooks',
    call: ['relation-list'],
    answer: '2 ERROR no relation id specified',
  },
  {
    summary: 'a status that a charm may not set',
    call: ['status-set', 'error', 'x'],
    answer: '2 ERROR invalid status "error", expected one of [maintenance blocked waiting active]',
  },
  {
    summary: "the application's status, as a follower",
    call: ['status-set', '--application', 'active'],
    answer: '1 ERROR this unit is not the leader',
  },
  {
    summary: "an application's secret, as a follower",
    call: ['secret-add', 'key=value'],
    answer: '1 ERROR this unit is not the leader',
  },
  {
    summary: 'a secret without content',
    call: ['secret-add', '--label', 'x'],
    answer: '2 ERROR missing secret value or filename',
  },
  {
    summary: 'a secret key in capitals',
    call: ['secret-add', '--owner', 'unit', 'Key=value'],
    answer: '2 ERROR key "Key" not valid',
  },
  {
    summary: 'a secret that nobody knows',
    call: ['secret-get', '--label', 'nothing'],
    answer: '1 ERROR secret URI for consumer label "nothing" not found',
  },
  {
    summary: 'peeking and refreshing at once',
    call: ['secret-get', uri, '--peek', '--refresh'],
    answer: '2 ERROR specify one of --peek or --refresh but not both',
  },
  {
    summary: 'a range of ports',
    call: ['open-port', '80-90/tcp'],
    answer:
      '1 ERROR port ranges are not supported for k8s applications, please specify a single port',
  },
  {
    summary: 'an action tool outside of actions',
    call: ['action-get'],
    answer: '1 ERROR not running an action',
  },
  {
    summary: 'a value that is too long for the state',
    call: ['state-set', `key=${'x'.repeat(65_537)}`],
    answer: '1 ERROR max allowed value length (65536): quota limit exceeded',
  },
  {
    summary: 'a flag that the tool does not have',
    call: ['is-leader', '--loud'],
    answer: '2 ERROR option provided but not defined: --loud',
  },
])('refuses $summary', async ({ call: [tool = '', ...args], answer }) => {
  expect(await hook().call(tool, ...args)).toBe(answer);
});

test('in a relation hook its relation and unit are the defaults', async () => {
  const remote = { ...client, remoteUnits: { 'shop/0': { port: '80' } } };
  const { call } = hook({ relations: [remote] }, relationChanged(remote, 'shop/0'));

  expect(await call('relation-get', 'port')).toBe('80');
  expect(await call('relation-list', '--format=json')).toBe('["shop/0"]');
  expect(await call('relation-ids', '--format=json')).toBe('["database:4"]');
});

test('a secret is made with a URI at once and is there after the hook', async () => {
  const { send, call, commit: end } = hook({ leader: true });

  const made = await send({
    tool: 'secret-add',
    args: ['--label', 'admin', '--description', 'of tests'],
    privateFile: '{"password": "hush"}',
  });

  expect(made).toMatch(/^secret:[0-9a-z]{20}$/);
  expect(await call('secret-get', '--label', 'admin', '--format=json')).toBe('{"password":"hush"}');
  expect(secretOf({ ...sampleState(), ...end() }, 'admin')).toMatchObject({
    owner: 'application',
    description: 'of tests',
    revisions: [{ revision: 1, content: { password: 'hush' } }],
  });
});

test('two secrets of one label are refused, in one hook or over two', async () => {
  const { call, commit: end } = hook({ leader: true, secrets: [owned] });

  await call('secret-add', '--label', 'x', 'key=1');

  expect(await call('secret-add', '--label', 'x', 'key=1')).toBe(
    '1 ERROR secret with label "x" already exists',
  );
  await call('secret-add', '--label', 'own', 'key=1');
  expect(end).toThrow('secret label "own" already exists');
});

test('an own secret that was updated reads old until it is refreshed', async () => {
  const { call, commit: end } = hook({ leader: true, secrets: [owned] });

  await call('secret-set', uri, 'key=new');

  expect(await call('secret-get', uri, 'key')).toBe('old');
  expect(await call('secret-get', uri, 'key', '--peek')).toBe('new');
  expect(await call('secret-get', uri, 'key', '--refresh')).toBe('new');
  expect(end().secrets[0]).toMatchObject({
    tracked: 2,
    revisions: [{ content: { key: 'old' } }, { content: { key: 'new' } }],
  });
});

test('the same content makes no new revision', async () => {
  const { call, commit: end } = hook({ leader: true, secrets: [owned] });

  await call('secret-set', uri, 'key=old');

  expect(end().secrets[0]?.revisions).toHaveLength(1);
});

test('removing a revision drops the update that this hook made before', async () => {
  const { call, commit: end } = hook({ leader: true, secrets: [owned] });

  await call('secret-set', uri, 'key=new');
  await call('secret-remove', uri, '--revision', '7');

  expect(end().secrets[0]?.revisions).toEqual(owned.revisions);
});

test('a reader keeps its revision and its label, also when the hook fails', async () => {
  const { call } = hook({ secrets: [theirs] });

  expect(await call('secret-get', foreignUri, 'key')).toBe('value-1');
  expect(await call('secret-get', foreignUri, 'key', '--peek')).toBe('value-2');
  expect(await call('secret-get', foreignUri, 'key', '--label', 'theirs')).toBe('value-1');
  expect(await call('secret-get', '--label', 'theirs', '--refresh', '--format=json')).toBe(
    '{"key":"value-2"}',
  );
  expect(await call('secret-get', foreignUri, 'key')).toBe('value-2');
});

test('a secret that is not granted is refused', async () => {
  const { call } = hook({ secrets: [{ ...theirs, denied: true }] });

  expect(await call('secret-get', foreignUri)).toBe('1 ERROR permission denied');
});

test('a follower reads the secret of its application but does not manage it', async () => {
  const { call } = hook({ secrets: [owned] });

  expect(await call('secret-get', '--label', 'own', '--format=json')).toBe('{"key":"old"}');
  expect(await call('secret-set', uri, 'key=new')).toBe('1 ERROR this unit is not the leader');
  expect(await call('secret-info-get', '--label', 'own')).toBe('1 ERROR secret "own" not found');
  expect(await call('secret-ids', '--format=json')).toBe('null');
});

test('a grant is shown at once and is there after the hook, until it is revoked', async () => {
  const { call, commit: end } = hook({ leader: true, secrets: [owned] });

  await call('secret-grant', '-r', 'database:4', uri);

  expect(JSON.parse(await call('secret-info-get', uri, '--format=json'))).toMatchObject({
    [owned.id]: { access: [{ target: 'application-shop', scope: 'relation-4', role: 'view' }] },
  });
  expect(end().secrets[0]?.grants).toEqual([{ relation: 4, target: 'shop' }]);
  await call('secret-revoke', '-r', '4', uri);
  expect(end().secrets[0]?.grants).toEqual([]);
});

test('a grant to the application comes after those to units are revoked', async () => {
  const { call } = hook({ leader: true, secrets: [owned] });

  await call('secret-grant', '-r', '4', '--unit', 'shop/0', uri);

  expect(await call('secret-grant', '-r', '4', uri)).toContain(
    'need to be revoked before granting',
  );
});

test('ports that are opened show at once and are there after the hook', async () => {
  const { call, commit: end } = hook({ openedPorts: ['80/tcp'] });

  await call('open-port', '5432');
  await call('close-port', '80/tcp');

  expect(await call('opened-ports', '--format=json')).toBe('["5432/tcp"]');
  expect(end().openedPorts).toEqual(['5432/tcp']);
});

test('state is kept by the controller when the hook goes well', async () => {
  const { call, send, commit: end } = hook({ controllerState: { old: '1', gone: '2' } });

  await send({ tool: 'state-set', args: ['--file', '-'], stdin: '{"new": "3"}' });
  await call('state-delete', 'gone');

  expect(await call('state-get', '--format=json')).toBe('{"old":"1","new":"3"}');
  expect(await call('state-get', 'nothing', '--format=json')).toBe('""');
  expect(await hook().call('state-get', '--format=json')).toBe('null');
  expect(end().controllerState).toEqual({ old: '1', new: '3' });
});

test('a status that was read once is what the hook goes on seeing', async () => {
  const { call, commit: end } = hook();

  await call('status-get');
  await call('status-set', 'active', 'Primary');

  expect(await call('status-get')).toContain('unknown');
  expect(end().unitStatus).toEqual({ level: 'active', message: 'Primary' });
});

test('a tool that Juju does not have cannot be started', async () => {
  await expect(hook().call('leader-set', 'a=1')).rejects.toMatchObject({ code: 'missing' });
});

test('an argument that the kernel does not take cannot be sent', async () => {
  const long = 'x'.repeat(131_072);

  await expect(hook().call('juju-log', long)).rejects.toMatchObject({ code: 'too-large' });
});

test('storage that is added on Kubernetes fails the commit', async () => {
  const { call, commit: end } = hook();

  expect(await call('storage-add', 'data')).toBe('');
  expect(end).toThrow('adding storage "data" to a unit is not supported');
});

test('network, storage and status are shown as Juju shows them', async () => {
  const { call } = hook({
    storages: [{ name: 'data', index: 0, location: '/data' }],
    unitStatus: { level: 'blocked', message: 'no keys' },
  });

  expect(await call('network-get', 'database', '--bind-address')).toBe('10.1.0.1');
  expect(await call('network-get', 'cache')).toBe(
    '1 ERROR no network config found for binding "cache"',
  );
  expect(await call('storage-list', '--format=json')).toBe('["data/0"]');
  expect(await call('storage-get', '-s', 'data/0', 'location')).toBe('/data');
  expect(JSON.parse(await call('status-get', '--include-data', '--format=json'))).toEqual({
    status: 'blocked',
    message: 'no keys',
    'status-data': {},
  });
});
