// Asks the database and the image about the values that only they can judge. Nothing is asked
// unless a value is new, or was bad when it was last asked about.

import * as v from 'valibot';

import { PebbleError } from '../../lib/pebble/errors.ts';
import { PostgresError } from '../../lib/sql/error.ts';
import {
  type Answer,
  type DatabaseQuestion,
  imageQuestions,
  isLocaleOf,
  learn,
  openQuestions,
  parseVerdicts,
  type Question,
  renderVerdicts,
  type Verdicts,
} from '../core/config/database-checks.ts';
import { memberOfUnit, watcherDirectory } from '../core/names.ts';
import type { Postgres, PostgresTarget } from '../ports.ts';
import { type Cluster, isStarted, type PostgresqlHook } from './cluster.ts';
import { primaryTarget } from './users.ts';

const stateKey = 'option-verdicts';

/** What is known about the values; costs nothing beyond the state that every hook reads. */
export async function readVerdicts(hook: PostgresqlHook): Promise<Verdicts> {
  return parseVerdicts(await hook.juju.state(stateKey));
}

/** Whether there is a value that is not known to be good. */
export async function hasOpenQuestions(hook: PostgresqlHook): Promise<boolean> {
  return openQuestions(await hook.juju.config(), await readVerdicts(hook)).length > 0;
}

/** Asks about the values that are not known to be good, and remembers the answers. */
export async function checkOptions(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const raw = await hook.juju.config();
  const known = await readVerdicts(hook);
  const open = await withImageQuestions(hook, raw, openQuestions(raw, known));
  const ofImage = open.filter((question) => question.judge === 'locale');
  const ofDatabase = open.filter((question) => question.judge !== 'locale');
  const answers = [
    ...(ofImage.length === 0 ? [] : await askImage(hook, ofImage)),
    ...(ofDatabase.length === 0 ? [] : await askDatabase(hook, cluster, ofDatabase)),
  ];
  const learned = learn(raw, known, answers);
  for (const [option, value] of Object.entries(learned.lost)) {
    if (known.lost[option] === value) continue;
    hook.log('WARNING', `option ${option}: this image does not have "${value}": left out`);
  }
  await rememberInImage(hook, raw, answers);
  hook.juju.setState({ [stateKey]: renderVerdicts(learned) });
}

// A new image comes without it.
const judgedPath = `${watcherDirectory}/judged-values`;
const judgedSchema = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.string()));

/** Adds what another image may have said otherwise about. */
async function withImageQuestions(
  hook: PostgresqlHook,
  raw: Readonly<Record<string, unknown>>,
  open: readonly Question[],
): Promise<readonly Question[]> {
  if (imageQuestions(raw, {}).length === 0) return open;
  const kept = await readJudged(hook);
  if (kept === undefined) return open;
  const others = imageQuestions(raw, kept).filter(
    ({ option }) => !open.some((question) => question.option === option),
  );
  return [...open, ...others];
}

/** Values that are known to be good in this image; `undefined` when it cannot be reached. */
async function readJudged(
  hook: PostgresqlHook,
): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    const text = await hook.ports.pebble.pull(judgedPath);
    const result = v.safeParse(judgedSchema, text);
    return result.success ? result.output : {};
  } catch (error) {
    if (error instanceof PebbleError && error.code === 'unreachable') return undefined;
    throw error;
  }
}

async function rememberInImage(
  hook: PostgresqlHook,
  raw: Readonly<Record<string, unknown>>,
  answers: readonly Answer[],
): Promise<void> {
  const asked = new Set(imageQuestions(raw, {}).map(({ option }) => option));
  const good = answers.filter((answer) => answer.good === true && asked.has(answer.option));
  if (good.length === 0) return;
  const added = good.map(({ option, value }) => [option, value] as const);
  const kept = { ...(await readJudged(hook)), ...Object.fromEntries(added) };
  await hook.ports.pebble.push(judgedPath, JSON.stringify(kept), { makeDirs: true });
}

async function askImage(
  hook: PostgresqlHook,
  questions: readonly Question[],
): Promise<readonly Answer[]> {
  const locales = await listLocales(hook);
  return questions.map((question) => ({
    ...question,
    good: locales === undefined ? undefined : isLocaleOf(question.value, locales),
  }));
}

/** `undefined` when the container cannot tell, or cannot be reached. */
async function listLocales(hook: PostgresqlHook): Promise<readonly string[] | undefined> {
  try {
    const { exitCode, stdout, stderr } = await hook.ports.pebble.exec(['locale', '-a'], {
      timeoutMs: 10_000,
    });
    if (exitCode === 0) return stdout.trim().split('\n');
    hook.log('WARNING', `cannot list the locales of the image: ${stderr}`);
  } catch (error) {
    if (!(error instanceof PebbleError)) throw error;
    if (error.code !== 'unreachable') hook.log('WARNING', error.message);
  }
  return undefined;
}

async function askDatabase(
  hook: PostgresqlHook,
  cluster: Cluster,
  questions: readonly DatabaseQuestion[],
): Promise<readonly Answer[]> {
  const postgres = await connectAnywhere(hook, cluster);
  const answers: Answer[] = [];
  try {
    for (const question of questions) {
      const here = question.judge !== 'time-zone' || (await hasZone(hook, question.value));
      const good = here ? await postgres?.accepts(question.judge, question.value) : false;
      answers.push({ ...question, good });
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  } finally {
    await postgres?.close();
  }
  return answers;
}

const zoneDirectory = '/usr/share/zoneinfo';

/** Whether the own image may have it: the server that is asked may be one of another image. */
async function hasZone(hook: PostgresqlHook, name: string): Promise<boolean> {
  try {
    const { pebble } = hook.ports;
    if ((await pebble.stat(zoneDirectory)) === undefined) return true;
    return (await pebble.stat(`${zoneDirectory}/${name}`)) !== undefined;
  } catch (error) {
    if (error instanceof PebbleError && error.code === 'unreachable') return true;
    throw error;
  }
}

/** The own server, or else the primary; `undefined` while neither answers. */
async function connectAnywhere(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<Postgres | undefined> {
  try {
    const target = await findTarget(cluster);
    return target === undefined ? undefined : await hook.ports.connectPostgres(target);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

async function findTarget(cluster: Cluster): Promise<PostgresTarget | undefined> {
  const health = await cluster.health();
  if (health !== undefined && isStarted(health.state)) {
    return { pod: memberOfUnit(cluster.unit) };
  }
  const { initialised } = await cluster.appData();
  return initialised ? await primaryTarget(cluster) : undefined;
}

/** Nobody there, or not yet as it will be. */
function isAbsent(error: unknown): boolean {
  return error instanceof PostgresError && error.code !== 'sql';
}
