// What a unit does about the volume that it finds at its start. Data of another cluster is left as it
// is, and nothing is started on it. Data in an application that has none yet is taken over. An empty
// volume is filled, unless that would make an empty database in place of one that is missing.

import { present } from '../lib/base/present.ts';
import { KubeError } from '../lib/kube/error.ts';
import type { Cluster, PostgresqlHook } from './adapters/cluster.ts';
import { forgetFormerCluster, waitsForStrangers } from './adapters/former-cluster.ts';
import { isOver, readRestoreMark } from './adapters/restore-mark.ts';
import {
  ownOwner,
  parseOwner,
  readClusterIdentifier,
  readIdentity,
  readSystemIdentifier,
  writeIdentity,
} from './adapters/storage-identity.ts';
import { withPrimary } from './adapters/users.ts';
import { dataGone, foreignStorage, strangeCluster } from './core/status.ts';
import { isSame, judgeStorage, type StorageJudgement } from './core/storage.ts';

const adoptedFromKey = 'storage-adopted-from';
/** In the databag of a unit that has no data and sees no member that has. */
export const dataKey = 'data';

/** Looks at the volume before anything is written to it; says whether the member may start. */
export async function prepareStorage(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if (await empties(hook)) return true;
  if (!(await forgetFormerCluster(hook, cluster))) return false;
  const { kind } = await inspectStorage(hook, cluster);
  if (kind === 'foreign' || kind === 'lost') return false;
  if (kind !== 'adopted') await claimStorage(hook);
  return true;
}

/**
 * Once more, when the pod is labelled as a member's: a restore that makes Patroni forget the cluster looks for
 * such pods after that, so whoever comes second finds the other. Says whether the member may start.
 */
export async function confirmStorage(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  return (await empties(hook)) || (await inspectStorage(hook, cluster)).kind !== 'lost';
}

/** A member that has not started says whether it waits for data that it does not have itself. */
export async function tellMissingData(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { initialised } = await cluster.appData();
  if (!initialised || (await empties(hook))) return;
  const { kind } = await inspectStorage(hook, cluster);
  const waits = kind === 'lost' || (kind === 'empty' && (await cluster.primary()) === undefined);
  cluster.setUnit({ [dataKey]: waits ? 'none' : undefined });
}

async function claimStorage(hook: PostgresqlHook): Promise<void> {
  const self = ownOwner(hook);
  if (!isSame(await readIdentity(hook), self)) await writeIdentity(hook, self);
}

/**
 * Data that came with the volume still has the passwords of where it comes from. Before the database
 * is announced; leader only. Further volumes of the same origin are welcome afterwards.
 */
export async function adoptStorage(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const identity = await readIdentity(hook);
  const adopts = (await inspectStorage(hook, cluster)).kind === 'adopted';
  const former = adopts ? identity : identity?.origin;
  const origin =
    former === undefined ? undefined : { model: former.model, application: former.application };
  if (adopts) {
    await setPasswords(hook, cluster);
    await writeIdentity(hook, { ...ownOwner(hook), ...present({ origin }) });
    hook.log('INFO', 'the data on the storage has been taken over');
  }
  if (origin !== undefined) cluster.setApp({ [adoptedFromKey]: JSON.stringify(origin) });
}

/** Of the users that Patroni works with; the others follow with the usual set-up. */
async function setPasswords(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  await withPrimary(hook, cluster, async (postgres) => {
    for (const user of ['operator', 'replication', 'rewind'] as const) {
      const password = await cluster.password(user);
      if (password !== undefined) await postgres.setPassword(user, password);
    }
  });
}

/** What a member that runs has to say no more. */
export const settledStorage = { [dataKey]: undefined } as const;

/** Why a member that has not started never will, if it is for the storage. */
export async function collectStorageStatus(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if (await empties(hook)) return;
  try {
    const judgement = await inspectStorage(hook, cluster);
    if (judgement.kind === 'foreign') hook.status(foreignStorage(judgement.reason));
    if (judgement.kind === 'own' || judgement.kind === 'adopted') return;
    if (judgement.kind === 'lost' || (await hasNobodyData(hook, cluster))) hook.status(dataGone);
    if (await waitsForStrangers(hook, cluster)) hook.status(strangeCluster(cluster.app));
  } catch (error) {
    // Without trust nothing can be known, and the status says that.
    if (!(error instanceof KubeError)) throw error;
  }
}

/** What is on the volume, also as far as others tell; `undefined` while a restore of this unit goes on. */
export async function readStorage(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<StorageJudgement | undefined> {
  if (await empties(hook)) return undefined;
  const judgement = await inspectStorage(hook, cluster);
  const isLost = judgement.kind === 'empty' && (await hasNobodyData(hook, cluster));
  return isLost ? { kind: 'lost' } : judgement;
}

async function inspectStorage(hook: PostgresqlHook, cluster: Cluster): Promise<StorageJudgement> {
  const { initialised } = await cluster.appData();
  const found = await readSystemIdentifier(hook);
  if (found === undefined && !initialised) return { kind: 'empty' };
  const app = await cluster.peers.data(cluster.app);
  return judgeStorage({
    self: ownOwner(hook),
    initialised,
    ...present({
      found,
      owner: await readIdentity(hook),
      expected: await readClusterIdentifier(hook, cluster),
      adoptedFrom: parseOwner(app[adoptedFromKey]),
    }),
  });
}

/** Whether all units that Juju wants have said that they have no data. */
async function hasNobodyData(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const { initialised } = await cluster.appData();
  const planned = await hook.juju.plannedUnitNames();
  const units = await cluster.units();
  if (!initialised || planned.length !== units.length) return false;
  for (const unit of units) {
    if ((await cluster.peers.data(unit))[dataKey] !== 'none') return false;
  }
  return true;
}

/** A restore by this unit empties its volume on purpose. That of another is no reason to fill an empty one. */
async function empties(hook: PostgresqlHook): Promise<boolean> {
  const mark = await readRestoreMark(hook);
  return mark !== undefined && !isOver(mark);
}
