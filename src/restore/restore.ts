// The restore action as its flowchart draws it. What follows it is in follow.ts.

import { CodedError } from '../../lib/base/error.ts';
import type { Handler } from '../../lib/juju/hook.ts';
import {
  type Cluster,
  isRestoring,
  openCluster,
  type PostgresqlHook,
} from '../adapters/cluster.ts';
import { readSettings } from '../adapters/configuration.ts';
import {
  readRepository,
  reasonWithHint,
  refusalOf,
  writeRepositoryConfig,
} from '../adapters/repository.ts';
import { checkReachable } from '../adapters/repository-access.ts';
import { readCatalogue } from '../adapters/restorable.ts';
import { isOver, type RestoreMark, readRestoreMark } from '../adapters/restore-mark.ts';
import type { Backup } from '../core/backups/backup-list.ts';
import {
  type Chosen,
  chooseTarget,
  nothingWished,
  type Wish,
} from '../core/backups/restore-target.ts';
import { parseTime } from '../core/backups/restore-time.ts';
import { memberOfUnit } from '../core/names.ts';
import { allowsRestore, restoringBackup } from '../core/status.ts';
import type { PostgresqlPorts } from '../ports.ts';
import { hasAbandoned } from './abandoned.ts';
import { requestKey } from './lead.ts';
import { admitPlace } from './place.ts';
import { performRestore } from './run.ts';
import { hasLeftNothing } from './services.ts';
import { nameOf, type Refusal } from './told.ts';

/** docs/flowcharts/restore.mmd */
export const restore: Handler<PostgresqlPorts> = async (hook) => {
  const action = hook.juju.action();
  const params = await action.params();
  const wish = readWish(params);
  const wished = 'refusal' in wish ? undefined : wish;
  hook.walk.decide('has_user_provided_backup_id', wished !== undefined);
  const everywhere = params['all-units'] === true;
  const outcome = 'refusal' in wish ? wish : await restoreWish(hook, { wish, everywhere });
  if (outcome !== undefined) {
    hook.walk.step('fail_action');
    action.fail(outcome.refusal);
    return;
  }
  hook.walk.step('finish_action');
  action.setResults({ 'restore-status': 'restore started' });
};

function readWish(params: Readonly<Record<string, unknown>>): Wish | Refusal {
  const id = textOf(params['backup-id']);
  const given = textOf(params['restore-to-time']);
  if (id === undefined && given === undefined) return { refusal: nothingWished };
  const time = given === undefined ? undefined : parseTime(given);
  if (given !== undefined && time === undefined) return { refusal: 'Bad restore-to-time format' };
  return { ...(id === undefined ? {} : { id }), ...(time === undefined ? {} : { time }) };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

interface Order {
  readonly wish: Wish;
  /** Whether it may concern a cluster of several units. */
  readonly everywhere: boolean;
}

interface Admitted extends Chosen {
  readonly cluster: Cluster;
  readonly several: boolean;
  readonly old: RestoreMark['old'];
}

async function restoreWish(hook: PostgresqlHook, order: Order): Promise<Refusal | undefined> {
  const admitted = await admitRestore(hook, order);
  if ('refusal' in admitted) return admitted;
  const { cluster, several, target, old } = admitted;
  const action = hook.juju.action();
  if (old === 'removed') {
    await action.log(
      'there is no room for both: the data of now go before those of the backup come',
    );
  }
  const id = hook.ports.clock.nowMs().toString(36);
  if (!several) {
    return await performRestore(hook, cluster, { ...target, phase: 'preparing', old, id });
  }
  hook.walk.step('set_maintenance');
  await hook.juju.showProgress(restoringBackup);
  hook.walk.step('ask_units_to_stop');
  const request = { id, unit: cluster.unit, phase: 'stop', target };
  cluster.setApp({ [requestKey]: JSON.stringify(request), 'restore-failure': undefined });
  await action.log(`${nameOf(target)} is restored when all other units have stopped`);
  return undefined;
}

/** Everything that can be checked is checked before anything is touched. */
async function admitRestore(hook: PostgresqlHook, order: Order): Promise<Admitted | Refusal> {
  const { walk } = hook;
  const cluster = await openCluster(hook);
  const accessible = cluster !== undefined && (await hook.ports.pebble.canConnect());
  if (!walk.decide('is_workload_container_accessible', accessible) || cluster === undefined) {
    return { refusal: 'Workload container not ready yet!' };
  }
  const admitted = await admitUnit(hook, cluster, order);
  if ('refusal' in admitted) return admitted;
  const chosen = await choose(hook, cluster, order.wish);
  if (!walk.decide('is_backup_id_valid', !('refusal' in chosen)) || 'refusal' in chosen) {
    return 'refusal' in chosen ? chosen : { refusal: '' };
  }
  const { several } = admitted;
  const old = await admitPlace(hook, cluster, { ...chosen, several });
  if (typeof old === 'object') {
    walk.step('name_what_is_in_the_way');
    return old;
  }
  return { ...chosen, cluster, several, old };
}

async function admitUnit(
  hook: PostgresqlHook,
  cluster: Cluster,
  { everywhere }: Order,
): Promise<{ readonly several: boolean } | Refusal> {
  const { walk, juju } = hook;
  const blocked = await blockOf(hook, cluster);
  if (walk.decide('is_blocked', blocked !== undefined)) return { refusal: blocked ?? '' };
  const single = await isSingleUnit(hook, cluster);
  if (!walk.decide('is_single_unit_cluster', single)) {
    if (!everywhere) {
      const reason = 'there are more than one unit in the cluster';
      return { refusal: `Unit cannot restore backup as ${reason}` };
    }
    walk.step('all_units_take_part');
  }
  if (!walk.decide('is_leader', await juju.isLeader())) {
    return { refusal: 'Unit cannot restore backup as it was not elected the leader unit yet' };
  }
  return { several: !single };
}

/** No other unit is wanted, and no other member is left, whatever Juju's relation still shows. */
async function isSingleUnit(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if ((await cluster.units()).length > 1 || (await hook.juju.plannedUnits()) !== 1) return false;
  const members = (await cluster.patroniCluster())?.members ?? [];
  return members.every(({ name }) => name === memberOfUnit(cluster.unit));
}

/** By something that a restore does not end: not S3, nor a restore that has failed. */
async function blockOf(hook: PostgresqlHook, cluster: Cluster): Promise<string | undefined> {
  if ((await readSettings(hook)).kind === 'invalid')
    return 'Cluster or unit is in a blocking state';
  const mark = await readRestoreMark(hook);
  if (mark !== undefined && (await hasLeftNothing(hook, mark))) return undefined;
  if ((await isUnderWay(hook, cluster, mark)) || isRestoring(await cluster.appData())) {
    return 'A restore is under way; cancel-restore ends it';
  }
  const status = await hook.juju.unitStatus();
  if (status?.level !== 'blocked' || allowsRestore(status.message)) return undefined;
  return 'Cluster or unit is in a blocking state';
}

/** On this unit, and the cluster has not gone on without it. */
async function isUnderWay(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark | undefined,
): Promise<boolean> {
  return mark !== undefined && !isOver(mark) && !(await hasAbandoned(hook, cluster));
}

/** The backup, read with the keys and the settings of now. */
async function choose(
  hook: PostgresqlHook,
  cluster: Cluster,
  wish: Wish,
): Promise<Chosen | Refusal> {
  const reading = await readRepository(hook);
  if (reading.kind !== 'ready') return { refusal: refusalOf(reading) ?? '' };
  try {
    await checkReachable(hook, reading.parameters);
    await writeRepositoryConfig(hook, cluster, reading.parameters);
    const needsWal = (backups: readonly Backup[]): boolean =>
      wish.time !== undefined || backups.every(({ id }) => id !== wish.id);
    return chooseTarget(wish, await readCatalogue(hook, cluster, { needsWal }));
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { refusal: `Failed to list PostgreSQL backups with error: ${reasonWithHint(error)}` };
  }
}
