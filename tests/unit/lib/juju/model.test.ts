import { describe, expect, test } from '@jest/globals';

import { Secret } from '../../../../lib/base/secret.ts';
import { JujuError } from '../../../../lib/juju/error.ts';
import { createJuju } from '../../../../lib/juju/model.ts';
import { contextOf, modelUuid } from '../../../support/hook-context.ts';
import { type Answer, failure, scriptHookTools } from '../../../support/scripted-hook-tools.ts';

const start = contextOf({ kind: 'lifecycle', name: 'start' });
const action = contextOf({ kind: 'action', name: 'create-backup', id: '12' });
const id = '9m4e2mr0ui3e8a215n4g';
const uri = `secret://${modelUuid}/${id}`;

function open(script: Readonly<Record<string, Answer>>, context = start) {
  const tools = scriptHookTools(script);
  return { juju: createJuju(context, tools.port), calls: tools.calls };
}

describe('reads', () => {
  test('ask a hook tool once, whoever asks', async () => {
    const { juju, calls } = open({
      'config-get': '{"profile":"testing"}',
      'is-leader': 'true',
      'goal-state':
        '{"units":{"pg/0":{"status":"active"},"pg/1":{"status":"dying"}},"relations":{}}',
      'relation-ids peers': '["peers:0"]',
      'relation-list -r peers:0': '["pg/10","pg/2"]',
      'relation-get -r peers:0 --app - pg': '{"a":"1"}',
      'storage-list data': '["data/0"]',
      'storage-get -s data/0': '{"kind":"filesystem","location":"/data"}',
      'network-get peers': '{"bind-addresses":[{"addresses":[{"value":"192.0.2.7"}]}]}',
      'status-get --include-data': '{"status":"active","message":""}',
    });

    const read = async () => {
      const peers = await juju.relation('peers');
      return [
        await juju.config(),
        await juju.isLeader(),
        await juju.plannedUnits(),
        await peers?.units(),
        await peers?.data('pg'),
        await juju.relationById('peers', 0).data('pg'),
        await juju.storageLocation('data'),
        await juju.bindAddress('peers'),
        await juju.unitStatus(),
      ];
    };
    const first = await read();

    expect(first).toEqual([
      { profile: 'testing' },
      true,
      1,
      ['pg/2', 'pg/10'],
      { a: '1' },
      { a: '1' },
      '/data',
      '192.0.2.7',
      { level: 'active', message: '' },
    ]);
    expect(await read()).toEqual(first);
    expect(calls()).toHaveLength(10);
  });

  test('take from the event what it tells', async () => {
    const storage = contextOf({
      kind: 'storage',
      name: 'data-storage-attached',
      change: 'attached',
      storage: 'data',
      index: 0,
      location: '/data',
    });
    const relation = contextOf({
      kind: 'relation',
      name: 'db-relation-changed',
      change: 'changed',
      relation: { endpoint: 'db', id: 7 },
      remoteApp: 'shop',
    });

    expect(await open({}, storage).juju.storageLocation('data')).toBe('/data');
    expect(await open({}, relation).juju.relationById('db', 7).app()).toBe('shop');
  });

  test('that failed are tried again when somebody else asks', async () => {
    const script: Record<string, Answer> = { 'is-leader': failure('connection is shut down') };
    const { juju } = open(script);

    await expect(juju.isLeader()).rejects.toThrow('connection is shut down');
    script['is-leader'] = 'true';

    expect(await juju.isLeader()).toBe(true);
  });

  test('of an endpoint without relations, storage or address give nothing', async () => {
    const { juju } = open({
      'relation-ids db': '[]',
      'storage-list data': '[]',
      'network-get db': '{}',
    });

    expect([
      await juju.relation('db'),
      await juju.storageLocation('data'),
      await juju.bindAddress('db'),
    ]).toEqual([undefined, undefined, undefined]);
  });
});

describe('the peer relation', () => {
  const key = 'peer-relation-peers';
  const bag = 'relation-get -r peers:3 --app - pg';

  test('is remembered', async () => {
    const { juju, calls } = open({
      'state-get': '{}',
      'relation-ids peers': '["peers:3"]',
      'state-set': '',
    });

    expect((await juju.peerRelation('peers'))?.id).toBe(3);
    await juju.peerRelation('peers');
    await juju.flush();

    expect(calls()).toEqual([
      'state-get',
      'relation-ids peers',
      `state-set --file - < {"${key}":"peers:3"}`,
    ]);
  });

  test('is found by what is remembered, and its databag is then known', async () => {
    const { juju, calls } = open({ 'state-get': `{"${key}":"peers:3"}`, [bag]: '{"a":"1"}' });

    const peers = await juju.peerRelation('peers');

    expect([peers?.endpoint, peers?.id, await peers?.data('pg')]).toEqual(['peers', 3, { a: '1' }]);
    await juju.flush();
    expect(calls()).toEqual(['state-get', bag]);
  });

  test('is asked for when Juju no longer has the one that is remembered', async () => {
    const { juju, calls } = open({
      'state-get': `{"${key}":"peers:3"}`,
      [bag]: failure('invalid value "peers:3" for option -r: relation not found', 2),
      'relation-ids peers': '["peers:8"]',
      'state-set': '',
    });

    expect((await juju.peerRelation('peers'))?.id).toBe(8);
    await juju.flush();

    expect(calls().at(-1)).toBe(`state-set --file - < {"${key}":"peers:8"}`);
  });

  test('is not taken for gone when Juju fails otherwise', async () => {
    const { juju, calls } = open({
      'state-get': `{"${key}":"peers:3"}`,
      [bag]: failure('connection is shut down'),
      'relation-ids peers': '["peers:3"]',
    });

    const peers = await juju.peerRelation('peers');

    await expect(peers?.data('pg')).rejects.toThrow('connection is shut down');
    await juju.flush();
    expect(calls()).toEqual(['state-get', bag, 'relation-ids peers', bag]);
  });

  test.each([
    { of: 'another endpoint', text: 'others:3' },
    { of: 'nothing', text: 'something else' },
  ])('is asked for when what is remembered is that of $of', async ({ text }) => {
    const { juju } = open({
      'state-get': JSON.stringify({ [key]: text }),
      'relation-ids peers': '[]',
    });

    expect(await juju.peerRelation('peers')).toBeUndefined();
  });

  test('is gone in the hook of its end, which Juju still lets read it', async () => {
    const broken = contextOf({
      kind: 'relation',
      name: 'peers-relation-broken',
      change: 'broken',
      relation: { endpoint: 'peers', id: 3 },
    });
    const { juju } = open(
      { 'state-get': `{"${key}":"peers:3"}`, 'relation-ids peers': '[]' },
      broken,
    );

    expect(await juju.peerRelation('peers')).toBeUndefined();
  });
});

describe('databags', () => {
  const script = {
    'relation-get -r db:7 - pg/0': '{"kept":"1","old":"1","gone":"1"}',
    'relation-get -r db:7 --app - pg': '{}',
    'relation-set': '',
  };

  test('show pending writes and send only what differs, a call for each bag', async () => {
    const { juju, calls } = open(script);
    const relation = juju.relationById('db', 7);

    relation.setUnit({ kept: '1', old: '2', gone: undefined, never: '' });
    relation.setApp({ a: '1' });
    relation.setApp({ b: '2' });
    const seen = [await relation.data('pg/0'), await relation.data('pg')];
    await juju.flush();

    expect(seen).toEqual([
      { kept: '1', old: '2' },
      { a: '1', b: '2' },
    ]);
    expect(calls().slice(2)).toEqual([
      'relation-set -r db:7 --file - < {"old":"2","gone":""}',
      'relation-set -r db:7 --app --file - < {"a":"1","b":"2"}',
    ]);
  });

  test('are not written when nothing differs', async () => {
    const { juju, calls } = open(script);

    juju.relationById('db', 7).setUnit({ kept: '1', never: undefined });
    await juju.flush();

    expect(calls()).toEqual(['relation-get -r db:7 - pg/0']);
  });
});

describe('secrets', () => {
  const content = { password: new Secret('new') };
  const known = {
    [`secret-get --refresh --label pg.app`]: '{"password":"old"}',
    'secret-info-get --label pg.app': `{"${id}":{"revision":1,"owner":"application"}}`,
    'secret-set': '',
  };
  const unknown = {
    'secret-get --refresh --label pg.app': failure('secret "pg.app" not found'),
    'secret-add': `secret:${id}\n`,
    'secret-grant': '',
    'secret-set': '',
  };

  test('that are new are announced at once, and their URI has the long form', async () => {
    const { juju, calls } = open(unknown);

    const given = await juju.setSecret({ label: 'pg.app', owner: 'application', content });
    const read = [await juju.secretByLabel('pg.app'), await juju.secretById(`secret:${id}`)];
    await juju.flush();

    expect(given).toBe(uri);
    expect(read).toEqual([content, content]);
    expect(calls()).toEqual([
      'secret-get --refresh --label pg.app',
      'secret-add --label pg.app --owner application << {"password":"new"}',
    ]);
  });

  test('that have the same content already are left alone', async () => {
    const { juju, calls } = open(known);

    const given = await juju.setSecret({
      label: 'pg.app',
      owner: 'application',
      content: { password: new Secret('old') },
    });
    await juju.flush();

    expect(given).toBe(uri);
    expect(calls()).toEqual([
      'secret-get --refresh --label pg.app',
      'secret-info-get --label pg.app',
    ]);
  });

  test('with another content are changed once at the end and seen before', async () => {
    const { juju, calls } = open(known);

    await juju.setSecret({ label: 'pg.app', owner: 'application', content });
    const more = { ...content, added: new Secret('x') };
    await juju.setSecret({ label: 'pg.app', owner: 'application', content: more });
    const read = [await juju.secretByLabel('pg.app'), await juju.secretById(uri)];
    await juju.flush();

    expect(read).toEqual([more, more]);
    expect(calls().slice(2)).toEqual([`secret-set ${uri} << {"password":"new","added":"x"}`]);
  });

  test('stay announced when the handler is rolled back, for the next one to find', async () => {
    const { juju, calls } = open(unknown);

    const savepoint = juju.savepoint();
    await juju.setSecret({ label: 'pg.app', owner: 'application', content });
    juju.grantSecret(uri, juju.relationById('db', 7));
    juju.rollBack(savepoint);
    const again = await juju.setSecret({
      label: 'pg.app',
      owner: 'application',
      content: { password: new Secret('newer') },
    });
    await juju.flush();

    expect(again).toBe(uri);
    expect(calls().slice(2)).toEqual([`secret-set ${uri} << {"password":"newer"}`]);
  });

  test('are granted, revoked and removed at the end, each grant once, revisions before all', async () => {
    const { juju, calls } = open({ 'secret-grant': '', 'secret-revoke': '', 'secret-remove': '' });
    const relation = juju.relationById('db', 7);

    juju.removeSecret('secret:b');
    juju.removeSecret('secret:c', 4);
    juju.revokeSecret('secret:b', relation);
    juju.grantSecret('secret:a', relation);
    juju.grantSecret('secret:a', relation);
    await juju.flush();

    expect(calls()).toEqual([
      'secret-remove --revision 4 secret:c',
      'secret-grant -r db:7 secret:a',
      'secret-revoke -r db:7 secret:b',
      'secret-remove secret:b',
    ]);
  });

  test('of others are read by URI, again only for a newer revision', async () => {
    const { juju, calls } = open({
      [`secret-get ${uri}`]: '{"password":"seen"}',
      [`secret-get --refresh --label theirs ${uri}`]: '{"password":"newest"}',
    });

    const read = [
      await juju.secretById(uri),
      await juju.secretById(uri),
      await juju.secretById(uri, { label: 'theirs', refresh: true }),
      await juju.secretByLabel('theirs'),
      await juju.secretById(uri),
    ];

    expect(read.map((each) => each?.['password']?.reveal())).toEqual([
      'seen',
      'seen',
      'newest',
      'newest',
      'newest',
    ]);
    expect(calls()).toHaveLength(2);
  });

  test('that are not there are nothing, those that are refused are an error', async () => {
    const { juju } = open({
      'secret-get secret:a': failure('secret not found'),
      'secret-get secret:b': failure('"pg/0" is not allowed to read this secret'),
    });

    expect(await juju.secretById('secret:a')).toBeUndefined();
    await expect(juju.secretById('secret:b')).rejects.toMatchObject({ code: 'permission-denied' });
  });

  test('that were granted in the hook that announced them are granted again on 4.1 betas', async () => {
    const beta = { ...start, jujuVersion: '4.1-beta2' };
    const first = open({ ...unknown, 'state-get': 'null', 'state-set': '' }, beta);
    const remembered = `[{"uri":"${uri}","relation":"db:7"}]`;
    const state = JSON.stringify({ 'grants-to-repeat': remembered });
    const second = open({ 'state-get': state, 'secret-grant': '', 'state-delete': '' }, beta);

    await first.juju.setSecret({ label: 'pg.app', owner: 'application', content });
    first.juju.grantSecret(uri, first.juju.relationById('db', 7));
    await first.juju.flush();
    await second.juju.flush();

    expect(first.calls().slice(2)).toEqual([
      `secret-grant -r db:7 ${uri}`,
      'state-get',
      `state-set --file - < ${JSON.stringify({ 'grants-to-repeat': remembered })}`,
    ]);
    expect(second.calls()).toEqual([
      'state-get',
      `secret-grant -r db:7 ${uri}`,
      'state-delete -- grants-to-repeat',
    ]);
  });
});

describe('what a leader writes for its application', () => {
  async function write(leads: readonly string[], passesMs: number) {
    const script = {
      'relation-get -r peers:0 --app - pg': '{}',
      'relation-get -r peers:0 - pg/0': '{}',
      'relation-set': '',
    };
    const tools = scriptHookTools(script);
    const answers = [...leads];
    let nowMs = 0;
    const said: string[] = [];
    const juju = createJuju(
      start,
      async (call) =>
        call.tool === 'is-leader'
          ? { exitCode: 0, stdout: answers.shift() ?? '', stderr: '' }
          : await tools.port(call),
      {
        clock: { nowMs: () => nowMs, sleep: async () => await Promise.resolve() },
        log: (level) => said.push(level),
      },
    );
    const peers = juju.relationById('peers', 0);
    if (await juju.isLeader()) peers.setApp({ all: '1' });
    peers.setUnit({ own: '1' });
    nowMs = passesMs;
    await juju.flush();
    const written = tools.calls().filter((call) => call.startsWith('relation-set'));
    return { written, said };
  }

  const app = 'relation-set -r peers:0 --app --file - < {"all":"1"}';
  const unit = 'relation-set -r peers:0 --file - < {"own":"1"}';

  test('goes to Juju as long as its answer holds, without another question', async () => {
    expect(await write(['true', 'false'], 10_000)).toEqual({ written: [app, unit], said: [] });
  });

  test('goes to Juju after hours in which it went on leading', async () => {
    expect(await write(['true', 'true'], 7_200_000)).toEqual({ written: [app, unit], said: [] });
  });

  test('is left to whoever leads after hours in which that became another unit', async () => {
    expect(await write(['true', 'false'], 7_200_000)).toEqual({
      written: [unit],
      said: ['WARNING'],
    });
  });
});

describe('ports and state', () => {
  test('only missing ports are opened', async () => {
    const { juju, calls } = open({ 'opened-ports': '["5432/tcp"]', 'open-port': '' });

    juju.openPorts([8008, 5432]);
    await juju.flush();

    expect(calls()).toEqual(['opened-ports', 'open-port 8008/tcp']);
  });

  test('state is read once, shows pending writes and is written in one call', async () => {
    const { juju, calls } = open({
      'state-get': '{"kept":"1","gone":"1"}',
      'state-set': '',
      'state-delete': '',
    });

    juju.setState({ kept: '1', gone: undefined, added: 'a', more: 'b', never: '' });
    const seen = [await juju.state('gone'), await juju.state('added'), await juju.stateKeys()];
    await juju.flush();

    expect(seen).toEqual([undefined, 'a', ['kept', 'added', 'more']]);
    expect(calls()).toEqual([
      'state-get',
      'state-set --file - < {"added":"a","more":"b"}',
      'state-delete -- gone',
    ]);
  });

  test('everything goes out in a fixed order', async () => {
    const { juju, calls } = open(
      {
        'action-set': '',
        'action-fail': '',
        'state-get': '{}',
        'state-set': '',
        'opened-ports': '[]',
        'open-port': '',
        'secret-remove': '',
        'relation-get': '{}',
        'relation-set': '',
      },
      action,
    );

    juju.action().fail('first');
    juju.action().fail('no');
    juju.action().setResults({ a: '1' });
    juju.setState({ a: '1' });
    juju.openPorts([1]);
    juju.removeSecret('secret:a');
    juju.relationById('db', 7).setUnit({ a: '1' });
    await juju.flush();

    expect(calls()).toEqual([
      'relation-get -r db:7 - pg/0',
      'relation-set -r db:7 --file - < {"a":"1"}',
      'secret-remove secret:a',
      'opened-ports',
      'open-port 1/tcp',
      'state-get',
      'state-set --file - < {"a":"1"}',
      'action-set -- a=1',
      'action-fail -- no',
    ]);
  });
});

describe('an action', () => {
  test('gives its parameters and tells progress at once', async () => {
    const { juju, calls } = open({ 'action-get': '{"force":true}', 'action-log': '' }, action);

    const params = [await juju.action().params(), await juju.action().params()];
    await juju.action().log('half');

    expect(params).toEqual([{ force: true }, { force: true }]);
    expect(calls()).toEqual(['action-get', 'action-log -- half']);
  });

  test('goes on when Juju does not take what it tells on the way', async () => {
    const logged: string[] = [];
    const tools = scriptHookTools({ 'action-log': failure('connection is shut down') });
    const juju = createJuju(action, tools.port, {
      log: (level, message) => {
        logged.push(`${level} ${message}`);
      },
    });

    await juju.action().log('half');

    expect(logged).toEqual([
      'WARNING not told: "half": cannot run "action-log": connection is shut down',
    ]);
  });

  test('refuses a result that Juju could not take, while a message can still be given', () => {
    const { juju } = open({}, action);

    expect(() => {
      juju.action().setResults({ list: 'x'.repeat(131_067) });
    }).toThrow(
      new JujuError('cannot give the result "list": 131072 bytes are more than 131071', {
        code: 'too-large',
      }),
    );
  });

  test('is not to be had in a hook', () => {
    const { juju } = open({});

    expect(() => juju.action()).toThrow(
      new JujuError('cannot use an action in "start": no action runs', { code: 'not-an-action' }),
    );
  });
});
