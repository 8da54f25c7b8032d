// One round through all databases of the primary: what each lacks is created, what the charm has created
// and is wanted no more is dropped. What the server refuses in one database keeps no other from being changed.

import { PostgresError } from '../../lib/sql/error.ts';
import {
  type ExtensionGoal,
  type ExtensionPlan,
  planExtensions,
} from '../core/config/extensions.ts';
import type { ExtensionsProblem } from '../core/config/extensions-record.ts';
import { updatingExtensions } from '../core/status.ts';
import type { Postgres } from '../ports.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { primaryTarget, withPrimary } from './users.ts';

interface Change extends ExtensionPlan {
  readonly database: string;
}

export interface Outcome {
  /** What the leader has to tell; `undefined` when all is as it is wanted. */
  readonly problem: ExtensionsProblem | undefined;
  /** Extensions that were to be dropped and are still there. */
  readonly left: readonly string[];
  /** The problem in full, for the log. */
  readonly complaints: readonly string[];
}

/** A problem of one database. */
interface Trouble extends ExtensionsProblem {
  readonly complaint: string;
  /** Of a drop. */
  readonly left?: string;
}

/** Does nothing at all when the image lacks one of them. Databases that come up meanwhile count. */
export async function carryOut(
  hook: PostgresqlHook,
  cluster: Cluster,
  goal: ExtensionGoal,
): Promise<Outcome> {
  return await withPrimary(hook, cluster, async (postgres) => {
    const missing = await missingExtensions(postgres, goal.wanted);
    if (missing.length > 0) {
      const complaint = `the image has no ${missing.join(', ')}: no extension is changed`;
      const problem = { kind: 'missing' as const, extensions: [...missing] };
      return { problem, left: goal.unwanted, complaints: [complaint] };
    }
    const troubles: Trouble[] = [];
    const seen = new Set<string>();
    for (;;) {
      const database = (await postgres.databases()).find((name) => !seen.has(name));
      if (database === undefined) break;
      seen.add(database);
      const task = { database, ...goal };
      const found =
        database === connectedDatabase
          ? await updateDatabase(hook, postgres, task)
          : await visitDatabase(hook, cluster, task);
      troubles.push(...found);
    }
    const complaints = troubles.map(({ complaint }) => complaint);
    const left = troubles.flatMap((trouble) => trouble.left ?? []);
    return { problem: mergeProblems(troubles), left, complaints };
  });
}

async function missingExtensions(
  postgres: Postgres,
  wanted: readonly string[],
): Promise<readonly string[]> {
  const available = await postgres.availableExtensions();
  return wanted.filter((name) => !available.includes(name));
}

/** The operator's first task: what the server refused comes before what objects depend on. */
function mergeProblems(problems: readonly ExtensionsProblem[]): ExtensionsProblem | undefined {
  const kind = problems.some((each) => each.kind === 'failed') ? 'failed' : 'dependents';
  const extensions = problems.filter((each) => each.kind === kind).flatMap((p) => p.extensions);
  return extensions.length === 0 ? undefined : { kind, extensions: [...new Set(extensions)] };
}

/** Where a connection goes that is not told. */
const connectedDatabase = 'postgres';

interface DatabaseTask extends ExtensionGoal {
  readonly database: string;
}

async function visitDatabase(
  hook: PostgresqlHook,
  cluster: Cluster,
  task: DatabaseTask,
): Promise<readonly Trouble[]> {
  const postgres = await connectTo(hook, cluster, task.database);
  if (postgres === undefined) return [];
  try {
    return await updateDatabase(hook, postgres, task);
  } finally {
    await postgres.close();
  }
}

async function updateDatabase(
  hook: PostgresqlHook,
  postgres: Postgres,
  { database, ...goal }: DatabaseTask,
): Promise<readonly Trouble[]> {
  const plan = planExtensions(goal, await postgres.extensions());
  if (plan.create.length + plan.drop.length === 0) return [];
  // What is left over shows its status already; trying again must not make it flicker.
  if (hook.event.name !== 'update-status') await hook.juju.showProgress(updatingExtensions);
  return await changeDatabase(hook, postgres, { database, ...plan });
}

const noSuchDatabase = '3D000';

/** `undefined`: it has been dropped meanwhile. */
async function connectTo(
  hook: PostgresqlHook,
  cluster: Cluster,
  database: string,
): Promise<Postgres | undefined> {
  try {
    return await hook.ports.connectPostgres({ ...(await primaryTarget(cluster)), database });
  } catch (error) {
    const gone = error instanceof PostgresError && error.fields['sqlState'] === noSuchDatabase;
    if (!gone) throw error;
    return undefined;
  }
}

async function changeDatabase(
  hook: PostgresqlHook,
  postgres: Postgres,
  { database, create, drop }: Change,
): Promise<readonly Trouble[]> {
  const troubles: Trouble[] = [];
  for (const name of drop) {
    const trouble = await troubleOf([name], `cannot drop ${name} in "${database}"`, async () => {
      return await postgres.dropExtension(name);
    });
    if (trouble !== undefined) troubles.push({ ...trouble, left: name });
  }
  if (create.length === 0) return troubles;
  const complaint = `cannot create ${create.join(', ')} in "${database}"`;
  const trouble = await troubleOf(create, complaint, async () => {
    await createWhereTheyFit(hook, postgres, { database, create });
    return [];
  });
  return trouble === undefined ? troubles : [...troubles, trouble];
}

/** What depends on them, or what the server has against it. A connection that broke is neither. */
async function troubleOf(
  names: readonly string[],
  complaint: string,
  attempt: () => Promise<readonly string[]>,
): Promise<Trouble | undefined> {
  const extensions = [...names];
  try {
    const dependents = await attempt();
    if (dependents.length === 0) return undefined;
    return { kind: 'dependents', extensions, complaint: `${complaint}: ${dependents.join('; ')}` };
  } catch (error) {
    if (!(error instanceof PostgresError) || error.code !== 'sql') throw error;
    return { kind: 'failed', extensions, complaint: `${complaint}: ${error.message}` };
  }
}

const noSchema = '3F000';

/** Extensions live in the schema `public`; whoever has dropped it does not want them. */
async function createWhereTheyFit(
  hook: PostgresqlHook,
  postgres: Postgres,
  { database, create }: Pick<Change, 'database' | 'create'>,
): Promise<void> {
  try {
    await postgres.createExtensions(create);
  } catch (error) {
    const bare = error instanceof PostgresError && error.fields['sqlState'] === noSchema;
    if (!bare) throw error;
    hook.log('WARNING', `"${database}" has no schema public: it gets no extension`);
  }
}
