import { describe, expect, test } from '@jest/globals';

import { dispatch } from '../../../../lib/juju/dispatch.ts';
import { removeObsoleteRevision } from '../../../../lib/juju/obsolete-revisions.ts';
import { environmentOf } from '../../../support/hook-context.ts';
import { type Answer, failure, scriptHookTools } from '../../../support/scripted-hook-tools.ts';

const id = '9m4e2mr0ui3e8a215n4g';
const uri = `secret:${id}`;

/** The calls of a secret-remove for revision 3, after the state has been read. */
async function callsOf(
  script: Readonly<Record<string, Answer>>,
  jujuVersion = '3.6.11',
): Promise<readonly string[]> {
  const tools = scriptHookTools({ 'state-get': 'null', 'juju-log': '', ...script });
  const env = environmentOf('secret-remove', {
    JUJU_SECRET_ID: uri,
    JUJU_SECRET_LABEL: '',
    JUJU_SECRET_REVISION: '3',
    JUJU_VERSION: jujuVersion,
  });
  const charm = { handlers: { 'secret-remove': removeObsoleteRevision } };
  const exitCode = await dispatch({ env, port: tools.port, ports: undefined, charm });

  expect([exitCode, tools.unexpected()]).toEqual([0, []]);
  return tools.calls().filter((call) => !/^(state-get|juju-log)/.test(call));
}

const owned = (revision: number) => ({
  'is-leader': 'true',
  [`secret-info-get ${uri}`]: JSON.stringify({ [id]: { revision, label: '', owner: 'pg' } }),
});

describe('a revision that nobody reads any more', () => {
  test('is removed, and no other one', async () => {
    expect(await callsOf({ ...owned(4), 'secret-remove': '' })).toEqual([
      'is-leader',
      `secret-info-get ${uri}`,
      `secret-remove --revision 3 ${uri}`,
    ]);
  });

  test('stays when it is the newest', async () => {
    expect(await callsOf(owned(3))).not.toContain(`secret-remove --revision 3 ${uri}`);
  });

  test('stays when the secret is gone, or somebody else manages it', async () => {
    const missing = { [`secret-info-get ${uri}`]: failure(`secret "${id}" not found`) };

    expect(await callsOf({ 'is-leader': 'true', ...missing })).toHaveLength(2);
    expect(await callsOf({ 'is-leader': 'false' })).toEqual(['is-leader']);
  });

  test.each(['3.6.8', '3.6.10', '3.6-rc1', '3.5.99', '2.9.50'])(
    'stays where Juju %s may mean another one',
    async (version) => {
      expect(await callsOf({}, version)).toEqual([]);
    },
  );

  test.each(['3.6.12', '3.7.0', '4.0.1', '4.1-beta2'])('is removed by Juju %s', async (version) => {
    const calls = await callsOf({ ...owned(4), 'secret-remove': '' }, version);

    expect(calls).toContain(`secret-remove --revision 3 ${uri}`);
  });
});
