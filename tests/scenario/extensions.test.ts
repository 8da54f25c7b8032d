// Extensions follow their switches: in every database, by the leader, only what differs.

import { expect } from '@jest/globals';

import { action, configChanged, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  admitted,
  after as afterEvents,
  inWorld,
  running,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import type { PostgresWorld } from '../support/scenario/postgresql/world.ts';
import type { RunResult } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

type Result = RunResult<PostgresqlState['world']>;

const audited = ['plpgsql', 'pgaudit'];
const bare = { template1: ['plpgsql'], app: ['plpgsql'], postgres: ['plpgsql'] };
const active = { level: 'active', message: 'Primary' };
const updating = { level: 'waiting', message: 'Updating extensions' };
const inUse = {
  level: 'blocked',
  message: 'Cannot disable plugins: Existing objects depend on it. See logs',
};

/** A leader whose databases have what is on by default. */
async function given(
  config: PostgresqlState['config'] = {},
  postgres: Partial<PostgresWorld> = {},
): Promise<PostgresqlState> {
  const started = await running({ leader: true, world: { postgres: { databases: bare } } });
  return inWorld({ ...started, config }, { postgres });
}

/** The same after a change of the options has been carried out. */
async function switched(before: PostgresqlState, config: PostgresqlState['config']) {
  return { ...(await afterEvents(before, configChanged)), config };
}

const databasesOf = ({ state }: Pick<Result, 'state'>) => state.world.postgres.databases;
const recordOf = ({ state }: Pick<Result, 'state'>): unknown =>
  JSON.parse(relationOf(state, 'database-peers').localApp['extensions'] ?? 'null');
const sqlOf = ({ calls }: Result) =>
  calls.filter(({ port }) => port === 'postgres').map(({ method }) => method);
const errorsOf = ({ log }: Result) =>
  log.filter(({ level }) => level === 'ERROR').map(({ message }) => message);

scenario('the first start creates what is on by default, in the template of new databases too', {
  charm: underTest,
  given: admitted({ leader: true, world: { postgres: { databases: bare } } }),
  when: pebbleReady('postgresql'),
  then: (result) => {
    expect(databasesOf(result)).toEqual({ template1: audited, app: audited, postgres: audited });
    expect(recordOf(result)).toEqual({ enabled: ['plugin_audit_enable'] });
    expect(result.statusHistory).toContainEqual(updating);
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('whoever does not lead leaves extensions alone', {
  charm: underTest,
  given: async () => ({
    ...(await running({ others: [1] })),
    config: { plugin_hstore_enable: true },
  }),
  when: configChanged,
  then: (result) => {
    expect(sqlOf(result)).toEqual([]);
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('what is switched on is created, what is switched off is dropped, the rest stays', {
  charm: underTest,
  given: async () =>
    await switched(
      await given(
        { plugin_cube_enable: true },
        { databases: { ...bare, app: ['plpgsql', 'pgaudit', 'hstore', 'own_extension'] } },
      ),
      { plugin_audit_enable: false, plugin_vector_enable: true, plugin_hstore_enable: true },
    ),
  when: configChanged,
  then: (result) => {
    const fresh = ['plpgsql', 'hstore', 'vector'];
    expect(databasesOf(result)).toEqual({
      template1: fresh,
      app: ['plpgsql', 'hstore', 'own_extension', 'vector'],
      postgres: fresh,
    });
    expect(result.state.unitStatus).toEqual(active);
  },
});

const byHand = { ...bare, app: [...audited, 'hstore', 'vector'] };

scenario('what was created by hand stays, whatever else is switched or set', {
  charm: underTest,
  given: async () =>
    await given(
      { plugin_audit_enable: false, memory_work_mem: 8192, plugin_cube_enable: true },
      { databases: byHand },
    ),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)).toEqual({
      template1: ['plpgsql', 'cube'],
      app: ['plpgsql', 'hstore', 'vector', 'cube'],
      postgres: ['plpgsql', 'cube'],
    });
    expect(recordOf(result)).toEqual({ enabled: ['plugin_cube_enable'] });
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('what was created by hand goes when its switch was on, and is off', {
  charm: underTest,
  given: async () =>
    await switched(await given({ plugin_hstore_enable: true }, { databases: byHand }), {}),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)).toEqual({
      template1: audited,
      app: [...audited, 'vector'],
      postgres: audited,
    });
  },
});

scenario('without a record of what was created nothing is dropped', {
  charm: underTest,
  given: async () => {
    const before = await given({ plugin_audit_enable: false }, { databases: byHand });
    const [peers, ...others] = before.relations;
    if (peers === undefined) throw new Error('the state has no peer relation');
    const { extensions: _, ...localApp } = peers.localApp;
    return { ...before, relations: [{ ...peers, localApp }, ...others] };
  },
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)).toEqual(byHand);
    expect(recordOf(result)).toEqual({ enabled: [] });
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('where nothing differs nothing is written', {
  charm: underTest,
  given: async () => await given(),
  when: configChanged,
  then: (result) => {
    expect(new Set(sqlOf(result))).toEqual(
      new Set(['availableExtensions', 'databases', 'extensions', 'close']),
    );
    expect(result.statusHistory).toEqual([]);
  },
});

scenario('a quiet update-status does not ask the database', {
  charm: underTest,
  given: async () => await given(),
  when: updateStatus,
  then: (result) => {
    expect(sqlOf(result)).toEqual([]);
    expect(result.interruptions).toEqual([]);
  },
});

const unsatisfied = { plugin_earthdistance_enable: true, plugin_hstore_enable: true };

scenario('a switch without what it needs changes nothing and is named in the log', {
  charm: underTest,
  given: async () => await given(unsatisfied),
  when: configChanged,
  then: (result) => {
    expect(sqlOf(result)).toEqual([]);
    expect(errorsOf(result)).toEqual(['plugin_earthdistance_enable needs cube']);
    expect(result.state.unitStatus).toEqual({
      level: 'blocked',
      message: 'Unsatisfied plugin dependencies. Please check the logs',
    });
  },
});

scenario('a switch without what it needs is not looked at again until it is corrected', {
  charm: underTest,
  given: async () => await afterEvents(await given(unsatisfied), configChanged),
  when: updateStatus,
  then: (result) => {
    expect(sqlOf(result)).toEqual([]);
    expect(errorsOf(result)).toEqual([]);
    expect(result.state.unitStatus.level).toBe('blocked');
  },
});

scenario('switching on what is needed, too, is enough', {
  charm: underTest,
  given: async () => ({
    ...(await afterEvents(await given(unsatisfied), configChanged)),
    config: { ...unsatisfied, plugin_cube_enable: true },
  }),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)['app']).toEqual([...audited, 'cube', 'hstore', 'earthdistance']);
    expect(result.state.unitStatus).toEqual(active);
  },
});

const absent = { plugin_postgis_enable: true, plugin_hll_enable: true, plugin_hstore_enable: true };

scenario('when the image lacks one, none is changed, and those that it lacks are named', {
  charm: underTest,
  given: async () => await given(absent),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)['app']).toEqual(audited);
    expect(result.state.unitStatus).toEqual({
      level: 'blocked',
      message: 'Extensions not in the image: hll, postgis',
    });
  },
});

scenario('a later image that has it is made use of', {
  charm: underTest,
  given: async () =>
    inWorld(await afterEvents(await given(absent), configChanged), {
      postgres: { availableExtensions: ['plpgsql', 'pgaudit', 'hll', 'postgis', 'hstore'] },
    }),
  when: updateStatus,
  then: (result) => {
    expect(databasesOf(result)['app']).toEqual([...audited, 'hll', 'hstore', 'postgis']);
    expect(result.state.unitStatus).toEqual(active);
  },
});

const needed: Partial<PostgresWorld> = {
  databases: { ...bare, app: ['plpgsql', 'hstore', 'pgaudit'] },
  dependents: { 'app hstore': ['column pairs of table t depends on type hstore'] },
};

/** The charm has created what is needed, and its switch is off. */
const unneeded = async (config: PostgresqlState['config'] = {}) =>
  await switched(await given({ plugin_hstore_enable: true }, needed), config);

scenario('an extension that objects depend on stays and says so; the others are changed', {
  charm: underTest,
  given: async () => await unneeded({ plugin_audit_enable: false, plugin_vector_enable: true }),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)).toEqual({
      template1: ['plpgsql', 'vector'],
      app: ['plpgsql', 'hstore', 'vector'],
      postgres: ['plpgsql', 'vector'],
    });
    expect(errorsOf(result)).toEqual([
      'cannot drop hstore in "app": column pairs of table t depends on type hstore',
    ]);
    expect(result.state.unitStatus).toEqual(inUse);
  },
});

scenario('what is told already is not told as an error with every update-status', {
  charm: underTest,
  given: async () => await afterEvents(await unneeded(), configChanged),
  when: updateStatus,
  then: (result) => {
    expect(errorsOf(result)).toEqual([]);
    expect(result.statusHistory).toEqual([]);
    expect(result.state.unitStatus).toEqual(inUse);
  },
});

scenario('when the objects are gone the extension goes, too', {
  charm: underTest,
  given: async () =>
    inWorld(await afterEvents(await unneeded(), configChanged), {
      postgres: { dependents: {} },
    }),
  when: updateStatus,
  then: (result) => {
    expect(databasesOf(result)['app']).toEqual(audited);
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('switching it on again ends the trouble as well', {
  charm: underTest,
  given: async () => ({
    ...(await afterEvents(await unneeded(), configChanged)),
    config: { plugin_hstore_enable: true },
  }),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)['app']).toEqual(['plpgsql', 'hstore', 'pgaudit']);
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('what the server refuses in one database is told; the others are changed', {
  charm: underTest,
  given: async () =>
    await given({ plugin_hstore_enable: true }, { faults: { 'createExtensions app': '58P01' } }),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)).toEqual({
      template1: [...audited, 'hstore'],
      app: audited,
      postgres: [...audited, 'hstore'],
    });
    expect(result.state.unitStatus).toEqual({
      level: 'blocked',
      message: 'Cannot change extensions: hstore. See logs',
    });
  },
});

scenario('what the server does not drop is told, too', {
  charm: underTest,
  given: async () =>
    await given({ plugin_audit_enable: false }, { faults: { 'dropExtension app': '57014' } }),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)).toEqual({ ...bare, app: audited });
    expect(result.state.unitStatus.message).toBe('Cannot change extensions: pgaudit. See logs');
  },
});

scenario('a database without the schema public is left as it is', {
  charm: underTest,
  given: async () =>
    await given({ plugin_hstore_enable: true }, { faults: { 'createExtensions app': '3F000' } }),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)['app']).toEqual(audited);
    expect(databasesOf(result)['postgres']).toEqual([...audited, 'hstore']);
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('a database that is dropped meanwhile is no trouble', {
  charm: underTest,
  given: async () =>
    await given({ plugin_hstore_enable: true }, { faults: { 'connect app': '3D000' } }),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)['postgres']).toEqual([...audited, 'hstore']);
    expect(result.state.unitStatus).toEqual(active);
  },
});

const lost: Partial<PostgresWorld> = { faults: { 'connect app': 'unreachable' } };

scenario('a primary that goes away in the middle leaves the rest for later', {
  charm: underTest,
  given: async () => await given({ plugin_hstore_enable: true }, lost),
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)).toEqual({
      template1: [...audited, 'hstore'],
      app: audited,
      postgres: audited,
    });
    expect(result.state.unitStatus).toEqual(updating);
  },
});

scenario('what was left for later is done by the next update-status, whoever leads then', {
  charm: underTest,
  given: async () => {
    const left = await afterEvents(
      await given({ plugin_hstore_enable: true }, lost),
      configChanged,
    );
    return inWorld({ ...left, controllerState: {} }, { postgres: { faults: {} } });
  },
  when: updateStatus,
  then: (result) => {
    const all = [...audited, 'hstore'];
    expect(databasesOf(result)).toEqual({ template1: all, app: all, postgres: all });
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('what was switched off while the primary was away goes, too', {
  charm: underTest,
  given: async () => {
    const left = await switched(await given({ plugin_hstore_enable: true }, lost), {});
    return inWorld(left, { postgres: { faults: {} } });
  },
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)).toEqual({ template1: audited, app: audited, postgres: audited });
    expect(recordOf(result)).toEqual({ enabled: ['plugin_audit_enable'] });
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('what was switched off while the image lacked another goes when that is off, too', {
  charm: underTest,
  given: async () => {
    const on = await given({ plugin_hstore_enable: true });
    const lacking = await switched(on, { plugin_hll_enable: true });
    return await switched(lacking, {});
  },
  when: configChanged,
  then: (result) => {
    expect(databasesOf(result)).toEqual({ template1: audited, app: audited, postgres: audited });
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('without a primary there is nobody to tell', {
  charm: underTest,
  given: async () =>
    inWorld(await given({ plugin_hstore_enable: true }), {
      patroni: {
        members: [
          { name: 'postgresql-k8s-0', role: 'standby_leader', state: 'streaming', timeline: 1 },
        ],
      },
    }),
  when: configChanged,
  then: (result) => {
    expect(sqlOf(result)).toEqual([]);
    expect(result.state.unitStatus).toEqual(updating);
  },
});

scenario('an invalid option keeps extensions as they are', {
  charm: underTest,
  given: async () => await given({ plugin_hstore_enable: true, profile: 'huge' }),
  when: updateStatus,
  then: (result) => {
    expect(sqlOf(result)).toEqual([]);
    expect(result.state.unitStatus.message).toMatch(/^Configuration Error: profile /);
  },
});

scenario('a restored database, which has the extensions of its own time, gets those of now', {
  charm: underTest,
  given: async () => {
    const restore = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });
    const restoring = await afterEvents(await withBackup(), restore);
    return inWorld(restoring, { postgres: { databases: bare } });
  },
  when: updateStatus,
  then: (result) => {
    expect(databasesOf(result)).toEqual({ template1: audited, app: audited, postgres: audited });
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('what is switched off during a restore is dropped from the restored database, too', {
  charm: underTest,
  given: async () => {
    const made = { template1: audited, app: [...audited, 'hstore'], postgres: audited };
    const before = { ...(await withBackup()), config: { plugin_hstore_enable: true } };
    const restoring = await afterEvents(
      await switched(before, before.config),
      action('restore', { 'backup-id': '2026-01-30T12:00:00Z' }),
    );
    return inWorld({ ...restoring, config: {} }, { postgres: { databases: made } });
  },
  when: updateStatus,
  then: (result) => {
    expect(databasesOf(result)).toEqual({ template1: audited, app: audited, postgres: audited });
    expect(result.state.unitStatus).toEqual(active);
  },
});
