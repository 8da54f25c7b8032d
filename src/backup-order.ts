// A due backup that this leader cannot make itself: it tells another unit to, in the application's databag,
// which wakes that unit; what the unit says to it, in its own, wakes the leader. Only the leader decides,
// and only the unit that is named at the moment it looks makes anything.

import { type Cluster, isStarted, isTlsEnabled, type PostgresqlHook } from './adapters/cluster.ts';
import {
  type BackupAnswer,
  type BackupOrder,
  chooseMaker,
  isOrderFor,
  parseAnswer,
} from './core/backups/order.ts';
import type { OpenRun } from './core/backups/schedule.ts';
import { unitOfMember } from './core/names.ts';
import { makeDue, readBackups, reasonToWait, takeDue } from './scheduled-backup.ts';

/** In the application's databag. */
const orderKey = 'backup-order';
/** In that of the unit. */
const answerKey = 'backup-answer';

/** The unit that may make a backup now; this one where nobody may, since it can say why. */
export async function findMaker(cluster: Cluster): Promise<string> {
  const seen = await cluster.patroniCluster();
  const units = await cluster.units();
  const members = (seen?.members ?? [])
    .map(({ name, role, state }) => {
      return { unit: unitOfMember(name), leads: role === 'leader', started: isStarted(state) };
    })
    .filter(({ unit }) => units.includes(unit));
  return chooseMaker(cluster.unit, members, { tls: await isTlsEnabled(cluster) });
}

/** Tells that unit, unless it has been told. */
export async function order(
  hook: PostgresqlHook,
  cluster: Cluster,
  { type, due, unit }: OpenRun & { readonly unit: string },
): Promise<void> {
  const { backupOrder: before } = await cluster.appData();
  if (isOrderFor(before, { unit, type, due })) return;
  const id = hook.ports.clock.nowMs().toString(36);
  const given: BackupOrder = { id, unit, type, due };
  cluster.setApp({ [orderKey]: JSON.stringify(given) });
  hook.log('INFO', `${unit} is told to make the ${type} backup that is due`);
}

/** Nobody is to make anything any more. */
export async function withdrawOrder(cluster: Cluster): Promise<void> {
  const { backupOrder: before } = await cluster.appData();
  if (before !== undefined) cluster.setApp({ [orderKey]: undefined });
}

/** What the unit says that was told to make one; the order goes with that. */
export async function takeAnswer(
  cluster: Cluster,
): Promise<{ readonly order: BackupOrder; readonly answer: BackupAnswer } | undefined> {
  const { backupOrder: given } = await cluster.appData();
  if (given === undefined) return undefined;
  const there = [cluster.unit, ...(await cluster.peers.units())].includes(given.unit);
  if (!there) return undefined;
  const answer = parseAnswer((await cluster.peers.data(given.unit))[answerKey]);
  if (answer?.id !== given.id) return undefined;
  cluster.setApp({ [orderKey]: undefined });
  return { order: given, answer };
}

/** Makes what this unit has been told to, once, and says what has become of it. */
export async function followOrder(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { backupOrder: given } = await cluster.appData();
  if (given?.unit !== cluster.unit) return;
  const said = parseAnswer((await cluster.unitData())[answerKey]);
  if (said?.id === given.id) return;
  const health = await cluster.health();
  if (health === undefined || !isStarted(health.state)) return;
  const answer: BackupAnswer = { id: given.id, ...(await carryOut(hook, cluster, given)) };
  cluster.setUnit({ [answerKey]: JSON.stringify(answer) });
}

async function carryOut(
  hook: PostgresqlHook,
  cluster: Cluster,
  { type, due }: BackupOrder,
): Promise<Omit<BackupAnswer, 'id'>> {
  const waits = await reasonToWait(hook, cluster);
  if (waits !== undefined) return { waits };
  const maker = await findMaker(cluster);
  // The primary has moved since: the leader tells the next one.
  if (maker !== cluster.unit) return { waits: `${maker} has to make it now` };
  const there = await takeDue(hook, await readBackups(hook, cluster), { type, due });
  return there ?? (await makeDue(hook, cluster, { type, due }));
}
