// reinitialise-replica: this unit's data directory is deleted and copied anew from the primary, by
// Patroni. Everything that could make that a loss is checked right before.

import { CodedError } from '../../lib/base/error.ts';
import type { Handler } from '../../lib/juju/hook.ts';
import {
  type Cluster,
  isRestoring,
  isStarted,
  openCluster,
  ownMember,
  type PostgresqlHook,
} from '../adapters/cluster.ts';
import { PatroniError } from '../adapters/patroni.ts';
import type { Health, Member } from '../adapters/patroni-answers.ts';
import { withPrimary } from '../adapters/users.ts';
import { unitOfMember } from '../core/names.ts';
import type { Postgres, PostgresqlPorts } from '../ports.ts';
import { followRebuild } from './rebuild.ts';

export const reinitialiseReplica: Handler<PostgresqlPorts> = async (hook) => {
  const action = hook.juju.action();
  const { force } = await action.params();
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await cluster.appData()).initialised) {
    action.fail('Cluster not initialised yet.');
    return;
  }
  if (isRestoring(await cluster.appData())) {
    action.fail('A backup is being restored; nothing has been changed.');
    return;
  }
  const admitted = await admit(hook, cluster, force === true ? 'any' : 'broken-only');
  const outcome = 'refusal' in admitted ? admitted : await rebuild(hook, cluster, admitted);
  if ('refusal' in outcome) action.fail(outcome.refusal);
  else action.setResults({ status: outcome.status });
};

interface Refusal {
  readonly refusal: string;
}

interface Admitted {
  readonly leader: Member;
  readonly health: Health;
}

async function admit(
  hook: PostgresqlHook,
  cluster: Cluster,
  which: 'any' | 'broken-only',
): Promise<Admitted | Refusal> {
  const health = await cluster.health({ fresh: true });
  const seen = await cluster.patroniCluster();
  if (health === undefined || seen === undefined) {
    return { refusal: 'Patroni of this unit does not answer, and it is what rebuilds the data.' };
  }
  const own = ownMember(seen, cluster.unit);
  const leader = seen.members.find(isLeading);
  if (leads(health, own)) {
    return { refusal: 'This unit is the primary: promote another unit first.' };
  }
  if (leader === undefined || !isStarted(leader.state)) return noPrimary;
  if (which === 'broken-only' && own?.state === 'streaming') return healthy(own);
  return await admitPrimary(hook, cluster, { leader, health });
}

const noPrimary: Refusal = {
  refusal: 'There is no healthy primary to copy from; nothing has been changed.',
};

function healthy({ lagBytes }: Member): Refusal {
  return {
    refusal:
      `This replica is healthy: streaming, ${lagBytes ?? 'unknown'} bytes behind. ` +
      'Use force=true to rebuild it all the same.',
  };
}

/** By its own account or by that of the others. */
function leads({ role }: Health, own: Member | undefined): boolean {
  return role === 'primary' || role === 'standby_leader' || (own !== undefined && isLeading(own));
}

function isLeading({ role }: Member): boolean {
  return role === 'leader' || role === 'standby_leader';
}

/** The primary answers as such, and is not being backed up. */
async function admitPrimary(
  hook: PostgresqlHook,
  cluster: Cluster,
  { leader, health }: Admitted,
): Promise<Admitted | Refusal> {
  try {
    const activity = await withPrimary(hook, cluster, async (postgres) => {
      return await postgres.copying();
    });
    if (activity.backupRuns || (await cluster.unitData())['connectivity'] === 'off') {
      return { refusal: 'A backup is being made; run the action again when it has ended.' };
    }
    if (await (await cluster.patroni(unitOfMember(leader.name))).isLeader()) {
      return { leader, health };
    }
  } catch (error) {
    // Not from the database, from Patroni or from Kubernetes: it cannot be vouched for.
    if (!(error instanceof CodedError)) throw error;
    hook.log('WARNING', error.message);
  }
  return noPrimary;
}

async function rebuild(
  hook: PostgresqlHook,
  cluster: Cluster,
  { leader, health }: Admitted,
): Promise<{ readonly status: string } | Refusal> {
  const action = hook.juju.action();
  const source = unitOfMember(leader.name);
  await action.log(`deleting the data of ${cluster.unit} and copying that of ${source}`);
  try {
    await (await cluster.patroni()).reinitialize();
  } catch (error) {
    if (!(error instanceof PatroniError)) throw error;
    return { refusal: `Patroni did not begin: ${error.message}` };
  }
  const end = await copyingOf(hook, cluster, async (postgres) => {
    return await followRebuild(hook, cluster, { before: health.startTime, postgres });
  });
  if (end === 'rebuilt') return { status: 'replica rebuilt' };
  await action.log('Patroni goes on by itself; the unit status tells when the replica is up');
  return { status: 'rebuilding' };
}

/** With a connection for the progress, if there is one to be had. */
async function copyingOf<T>(
  hook: PostgresqlHook,
  cluster: Cluster,
  follow: (postgres?: Postgres) => Promise<T>,
): Promise<T> {
  let followed = false;
  try {
    return await withPrimary(hook, cluster, async (postgres) => {
      followed = true;
      return await follow(postgres);
    });
  } catch (error) {
    if (followed || !(error instanceof CodedError)) throw error;
    return await follow();
  }
}
