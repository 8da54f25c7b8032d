import { describe, expect, test } from '@jest/globals';

import { type HookEnvironment, parseContext } from '../../../../lib/juju/context.ts';
import { JujuError } from '../../../../lib/juju/error.ts';
import type { JujuEvent } from '../../../../lib/juju/event.ts';
import { actionEnvironmentOf, contextOf, environmentOf } from '../../../support/hook-context.ts';

interface Row {
  readonly summary: string;
  readonly env: HookEnvironment;
  readonly event: JujuEvent;
}

const rows: readonly Row[] = [
  {
    summary: 'a lifecycle hook',
    env: environmentOf('config-changed'),
    event: { kind: 'lifecycle', name: 'config-changed' },
  },
  {
    summary: 'a hook of a later Juju',
    env: environmentOf('moon-phase-changed'),
    event: { kind: 'lifecycle', name: 'moon-phase-changed' },
  },
  {
    summary: 'a change of a unit of a related application',
    env: environmentOf('database-relation-changed', {
      JUJU_RELATION: 'database',
      JUJU_RELATION_ID: 'database:7',
      JUJU_REMOTE_APP: 'shop',
      JUJU_REMOTE_UNIT: 'shop/3',
    }),
    event: {
      kind: 'relation',
      name: 'database-relation-changed',
      change: 'changed',
      relation: { endpoint: 'database', id: 7 },
      remoteApp: 'shop',
      remoteUnit: 'shop/3',
    },
  },
  {
    summary: 'a change of a related application, which has an empty remote unit',
    env: environmentOf('database-relation-changed', {
      JUJU_RELATION: 'database',
      JUJU_RELATION_ID: 'database:7',
      JUJU_REMOTE_APP: 'shop',
      JUJU_REMOTE_UNIT: '',
    }),
    event: {
      kind: 'relation',
      name: 'database-relation-changed',
      change: 'changed',
      relation: { endpoint: 'database', id: 7 },
      remoteApp: 'shop',
    },
  },
  {
    summary: 'a departure',
    env: environmentOf('database-peers-relation-departed', {
      JUJU_RELATION: 'database-peers',
      JUJU_RELATION_ID: 'database-peers:0',
      JUJU_REMOTE_APP: 'pg',
      JUJU_REMOTE_UNIT: 'pg/2',
      JUJU_DEPARTING_UNIT: 'pg/2',
    }),
    event: {
      kind: 'relation',
      name: 'database-peers-relation-departed',
      change: 'departed',
      relation: { endpoint: 'database-peers', id: 0 },
      remoteApp: 'pg',
      remoteUnit: 'pg/2',
      departingUnit: 'pg/2',
    },
  },
  {
    summary: 'attached storage',
    env: environmentOf('pgdata-storage-attached', {
      JUJU_STORAGE_ID: 'pgdata/4',
      JUJU_STORAGE_LOCATION: '/var/lib/juju/storage/pgdata/0',
      JUJU_STORAGE_KIND: 'filesystem',
    }),
    event: {
      kind: 'storage',
      name: 'pgdata-storage-attached',
      change: 'attached',
      storage: 'pgdata',
      index: 4,
      location: '/var/lib/juju/storage/pgdata/0',
    },
  },
  {
    summary: 'storage on its way out',
    env: environmentOf('pgdata-storage-detaching', { JUJU_STORAGE_ID: 'pgdata/4' }),
    event: {
      kind: 'storage',
      name: 'pgdata-storage-detaching',
      change: 'detaching',
      storage: 'pgdata',
      index: 4,
    },
  },
  {
    summary: 'a changed secret without a label',
    env: environmentOf('secret-changed', {
      JUJU_SECRET_ID: 'secret:9m4e2mr0ui3e8a215n4g',
      JUJU_SECRET_LABEL: '',
    }),
    event: {
      kind: 'secret',
      name: 'secret-changed',
      change: 'changed',
      id: 'secret:9m4e2mr0ui3e8a215n4g',
    },
  },
  {
    summary: 'an obsolete revision',
    env: environmentOf('secret-remove', {
      JUJU_SECRET_ID: 'secret:9m4e2mr0ui3e8a215n4g',
      JUJU_SECRET_LABEL: 'pg.app',
      JUJU_SECRET_REVISION: '3',
    }),
    event: {
      kind: 'secret',
      name: 'secret-remove',
      change: 'remove',
      id: 'secret:9m4e2mr0ui3e8a215n4g',
      label: 'pg.app',
      revision: 3,
    },
  },
  {
    summary: 'a container that became ready',
    env: environmentOf('postgresql-pebble-ready', { JUJU_WORKLOAD_NAME: 'postgresql' }),
    event: { kind: 'pebble-ready', name: 'postgresql-pebble-ready', container: 'postgresql' },
  },
  {
    summary: 'a notice',
    env: environmentOf('postgresql-pebble-custom-notice', {
      JUJU_WORKLOAD_NAME: 'postgresql',
      JUJU_NOTICE_ID: '17',
      JUJU_NOTICE_TYPE: 'custom',
      JUJU_NOTICE_KEY: 'example.com/role',
    }),
    event: {
      kind: 'pebble-notice',
      name: 'postgresql-pebble-custom-notice',
      container: 'postgresql',
      noticeId: '17',
      noticeKey: 'example.com/role',
    },
  },
  {
    summary: 'a check that recovered',
    env: environmentOf('postgresql-pebble-check-recovered', {
      JUJU_WORKLOAD_NAME: 'postgresql',
      JUJU_PEBBLE_CHECK_NAME: 'patroni',
    }),
    event: {
      kind: 'pebble-check',
      name: 'postgresql-pebble-check-recovered',
      change: 'recovered',
      container: 'postgresql',
      check: 'patroni',
    },
  },
  {
    summary: 'an action, for which the hook name is empty',
    env: actionEnvironmentOf('create-backup'),
    event: { kind: 'action', name: 'create-backup', id: '12' },
  },
];

describe('the context of a hook', () => {
  for (const { summary, env, event } of rows) {
    test(`tells ${summary}`, () => {
      expect(parseContext(env)).toEqual(contextOf(event));
    });
  }

  test('is frozen together with its event', () => {
    const context = parseContext(environmentOf('start'));

    expect([Object.isFrozen(context), Object.isFrozen(context.event)]).toEqual([true, true]);
  });

  test('names everything that is missing at once', () => {
    const read = () => parseContext({ JUJU_HOOK_NAME: 'pg-pebble-ready', JUJU_MODEL_NAME: 'm' });

    expect(read).toThrow(
      new JujuError(
        "cannot read the hook's environment: JUJU_UNIT_NAME, JUJU_MODEL_UUID, JUJU_CHARM_DIR, " +
          'JUJU_VERSION, JUJU_WORKLOAD_NAME not set',
        { code: 'incomplete-context' },
      ),
    );
  });
});
