// verify-backups: whether what is in the repository can be relied on. pgBackRest reads all of it; the
// charm looks for what pgBackRest does not, and restores one backup beside the data.

import { CodedError } from '../lib/base/error.ts';
import type { Handler } from '../lib/juju/hook.ts';
import { readArchive } from './adapters/archive.ts';
import {
  type Cluster,
  isRestoring,
  openCluster,
  ownMember,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import { measureVolume } from './adapters/data-directory.ts';
import { beginLongWork, endLongWork } from './adapters/long-work.ts';
import { info } from './adapters/pgbackrest.ts';
import {
  readRepository,
  reasonWithHint,
  refusalOf,
  writeRepositoryConfig,
} from './adapters/repository.ts';
import { checkReachable } from './adapters/repository-access.ts';
import { verifyStanza } from './adapters/repository-check.ts';
import { isOver, readRestoreMark } from './adapters/restore-mark.ts';
import { removeTrial, trialPlace, tryRestore } from './adapters/trial-restore.ts';
import { shown } from './core/action-parameters.ts';
import type { Backup } from './core/backups/backup-list.ts';
import { type Findings, judgeRepository } from './core/backups/findings.ts';
import { refuseTrial } from './core/backups/trial-room.ts';
import { verifyingBackups } from './core/status.ts';
import type { PostgresqlPorts } from './ports.ts';

interface Refusal {
  readonly refusal: string;
}

interface Wish {
  readonly trial: boolean;
  readonly id?: string;
}

export const verifyBackups: Handler<PostgresqlPorts> = async (hook) => {
  const action = hook.juju.action();
  const { 'trial-restore': trial, 'backup-id': given } = await action.params();
  const id = typeof given === 'string' && given.trim() !== '' ? { id: given.trim() } : {};
  try {
    const outcome = await admitAndVerify(hook, { trial: trial !== false, ...id });
    if (outcome !== undefined) action.fail(outcome.refusal);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    action.fail(`Failed to verify the backups: ${reasonWithHint(error)}`);
  }
};

async function admitAndVerify(hook: PostgresqlHook, wish: Wish): Promise<Refusal | undefined> {
  if (wish.id !== undefined && !wish.trial) {
    return {
      refusal: 'backup-id says what is restored on trial: leave it out, or trial-restore=false',
    };
  }
  const admitted = await admit(hook);
  if ('refusal' in admitted) return admitted;
  const { cluster, stanza } = admitted;
  // Of a verification that was cut short; it would also take the room that this one needs.
  await removeTrial(hook.ports.pebble, await trialPlace(hook));
  const before = await readBackups(hook, stanza);
  if ('refusal' in before) return before;
  const refusal = wish.trial ? await refuseWish(hook, before.backups, wish) : undefined;
  if (refusal !== undefined) return { refusal };
  await beginLongWork(hook, stanza);
  await hook.juju.showProgress(verifyingBackups);
  try {
    await tellWhere(hook, cluster);
    await perform(hook, { stanza, before: before.backups, wish });
  } finally {
    await endLongWork(hook);
  }
  return undefined;
}

async function admit(
  hook: PostgresqlHook,
): Promise<{ readonly cluster: Cluster; readonly stanza: string } | Refusal> {
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await hook.ports.pebble.canConnect())) {
    return { refusal: 'Workload container not ready yet!' };
  }
  const reading = await readRepository(hook);
  if (reading.kind !== 'ready') return { refusal: refusalOf(reading) ?? '' };
  const app = await cluster.appData();
  const mark = await readRestoreMark(hook);
  if (isRestoring(app) || (mark !== undefined && !isOver(mark))) {
    return { refusal: 'A backup is being restored; nothing has been verified.' };
  }
  if (app.stanza === undefined) return { refusal: 'Stanza was not initialised' };
  await checkReachable(hook, reading.parameters);
  await writeRepositoryConfig(hook, cluster, reading.parameters);
  return { cluster, stanza: app.stanza };
}

async function readBackups(
  hook: PostgresqlHook,
  stanza: string,
): Promise<{ readonly backups: readonly Backup[] } | Refusal> {
  const own = (await info(hook.ports.pebble)).find(({ name }) => name === stanza);
  if (own?.lock !== undefined) {
    return { refusal: 'A backup is being made; run the action again when it has ended.' };
  }
  if (own === undefined || own.backups.length === 0) {
    return { refusal: 'There is no backup to verify: create-backup makes one.' };
  }
  return { backups: own.backups };
}

/** Against the trial; said before hours of reading. */
async function refuseWish(
  hook: PostgresqlHook,
  backups: readonly Backup[],
  { id }: Wish,
): Promise<string | undefined> {
  if (id !== undefined && backups.every((backup) => backup.id !== id)) {
    return `Invalid backup-id: ${shown(id)}`;
  }
  const volume = await measureVolume(hook);
  const sizes = backups
    .filter((backup) => id === undefined || backup.id === id)
    .map(({ bytes }) => bytes.size ?? 0);
  return refuseTrial(Math.max(0, ...sizes), volume);
}

/** Reading takes time and bandwidth that clients of the primary may want. */
async function tellWhere(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const seen = await cluster.patroniCluster();
  const own = seen === undefined ? undefined : ownMember(seen, cluster.unit);
  if (own?.role !== 'leader' || (seen?.members.length ?? 0) < 2) return;
  await hook.juju.action().log('this unit is the primary: on a replica clients would not notice');
}

interface Work {
  readonly stanza: string;
  readonly before: readonly Backup[];
  readonly wish: Wish;
}

async function perform(hook: PostgresqlHook, { stanza, before, wish }: Work): Promise<void> {
  const action = hook.juju.action();
  await action.log(`reading ${before.length} backups and the WAL of ${stanza}`);
  const findings = await verify(hook, stanza, before);
  for (const problem of findings.problems) await action.log(problem);
  const trial = await tryOne(hook, { stanza, findings, wish });
  const problems = [...findings.problems, ...('problem' in trial ? [trial.problem] : [])];
  const done = 'refusal' in trial ? `not made: ${trial.refusal}` : 'not ok';
  action.setResults({
    verified: problems.length === 0 ? 'ok' : 'problems',
    backups: `${findings.good.length} ok, ${findings.bad.size} failed`,
    'trial-restore': 'done' in trial ? trial.done : done,
    ...(problems.length === 0 ? {} : { problems: shorten(problems) }),
  });
  if (problems.length > 0)
    action.fail(`The backups have problems (${problems.length}): ${problems[0]}`);
  else if ('refusal' in trial) action.fail(`All was read, and nothing tried: ${trial.refusal}`);
}

/** Another unit may delete meanwhile; what goes then is nobody's fault. */
async function verify(
  hook: PostgresqlHook,
  stanza: string,
  before: readonly Backup[],
): Promise<Findings> {
  const { pebble } = hook.ports;
  const verification = await verifyStanza(pebble, stanza);
  const stanzas = (await info(pebble)).filter(({ name }) => name === stanza);
  const after = stanzas.flatMap(({ backups }) => backups);
  const { archive, lineage } = await readArchive(pebble, stanzas);
  const backups = after.filter(({ label }) => before.some((one) => one.label === label));
  const repository = { stanza, backups, archive, lineage };
  if (backups.length === before.length) return judgeRepository(verification, repository);
  await hook.juju
    .action()
    .log('backups were deleted meanwhile: WAL that went with them is not counted');
  const rest = verification.archives.filter(({ faults }) => !faults.startsWith('missing'));
  const content = verification.content || rest.length < verification.archives.length;
  return judgeRepository({ ...verification, archives: rest, content }, repository);
}

type Trial = { readonly done: string } | { readonly problem: string } | Refusal;

async function tryOne(
  hook: PostgresqlHook,
  { stanza, findings, wish }: Pick<Work, 'stanza' | 'wish'> & { readonly findings: Findings },
): Promise<Trial> {
  if (!wish.trial) return { done: 'not made' };
  const { good } = findings;
  const backup = wish.id === undefined ? good.at(-1) : good.find(({ id }) => id === wish.id);
  if (backup === undefined) {
    return wish.id === undefined
      ? { problem: 'no backup is sound enough to be restored on trial' }
      : { done: 'not made: that backup is damaged, or was deleted meanwhile' };
  }
  const action = hook.juju.action();
  const say = async (text: string): Promise<void> => {
    await action.log(text);
  };
  try {
    // It has taken hours to read all.
    const refusal = refuseTrial(backup.bytes.size ?? 0, await measureVolume(hook));
    if (refusal !== undefined) return { refusal };
    await say(`restoring ${backup.id} beside the data`);
    const place = await trialPlace(hook);
    const order = { place, stanza, label: backup.label, say };
    const { seconds, bytes, checkedBy } = await tryRestore(hook.ports, order);
    const checked = checkedBy === 'nothing' ? 'pages not checked' : `checked by ${checkedBy}`;
    return { done: `ok: ${backup.id}, ${seconds} s, ${bytes} bytes, ${checked}` };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { problem: `trial restore of ${backup.id}: ${error.message}` };
  }
}

const mostProblems = 100;

/** Results go to Juju as arguments, which may not be long. */
function shorten(problems: readonly string[]): string {
  const more = problems.length - mostProblems;
  const last = more > 0 ? [`and ${more} more`] : [];
  return [...problems.slice(0, mostProblems), ...last].join('\n');
}

/** Takes away what a verification has left that was cut short; the watcher sees it. */
export async function endInterruptedTrial(hook: PostgresqlHook): Promise<void> {
  try {
    const removed = await removeTrial(hook.ports.pebble, await trialPlace(hook));
    if (removed) hook.log('INFO', 'a trial restore that was cut short has been removed');
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    hook.log('WARNING', `a trial restore is removed later: ${error.message}`);
  }
}
