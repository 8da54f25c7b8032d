// Creates and drops extensions in every database as the operator has switched them. The leader does
// it, through the primary; what it has carried out stands in the application's databag, so that
// nobody asks the database again until something changes.

import { PostgresError } from '../lib/sql/error.ts';
import { type Cluster, isPrimaryReplaced, type PostgresqlHook } from './adapters/cluster.ts';
import { readSettings } from './adapters/configuration.ts';
import { carryOut } from './adapters/extension-changes.ts';
import { enabledPlugins, unsatisfiedPlugins, wantedExtensions } from './core/config/extensions.ts';
import {
  extensionsStatus,
  isSettled,
  parseRecord,
  renderRecord,
  renderUnfinished,
  unwantedExtensions,
} from './core/config/extensions-record.ts';

/**
 * Brings the extensions of all databases to what is switched on. update-status only takes up what is
 * left over. An invalid configuration changes nothing; without a primary there is nobody to tell.
 */
export async function updateExtensions(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const enabled = enabledPlugins(await hook.juju.config());
  if (!(await isDue(hook, cluster, enabled)) || !isSatisfied(hook, enabled)) return;
  if ((await readSettings(hook)).kind === 'invalid') return;
  if ((await cluster.primary()) === undefined) return;
  const { extensions } = await cluster.appData();
  const before = parseRecord(extensions);
  try {
    const wanted = wantedExtensions(enabled);
    const unwanted = unwantedExtensions(before, enabled);
    const { complaints, ...outcome } = await carryOut(hook, cluster, { wanted, unwanted });
    const record = renderRecord(before, { enabled, ...outcome });
    // What stays as it was has been told; update-status comes often.
    const level = extensions === record ? 'DEBUG' : 'ERROR';
    for (const complaint of complaints) hook.log(level, complaint);
    cluster.setApp({ extensions: record });
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    hook.log('WARNING', `extensions are updated later: ${error.message}`);
    cluster.setApp({ extensions: renderUnfinished(before, enabled) });
  }
}

/** What the databag is to say when another database has come: that one is gone through, too. */
export async function extensionsAnew(cluster: Cluster): Promise<string> {
  const { extensions } = await cluster.appData();
  return renderUnfinished(parseRecord(extensions), []);
}

async function isDue(
  hook: PostgresqlHook,
  cluster: Cluster,
  enabled: readonly string[],
): Promise<boolean> {
  const app = await cluster.appData();
  if (!app.initialised || isPrimaryReplaced(app) || !(await hook.juju.isLeader())) return false;
  return !isTakenUp(hook) || !isSettled(parseRecord(app.extensions), enabled);
}

function isSatisfied(hook: PostgresqlHook, enabled: readonly string[]): boolean {
  const problems = unsatisfiedPlugins(enabled);
  // The log of the change has named them already.
  if (!isTakenUp(hook)) for (const problem of problems) hook.log('ERROR', problem);
  return problems.length === 0;
}

/** Nothing has changed: at most something is left over. */
function isTakenUp(hook: PostgresqlHook): boolean {
  return hook.event.name === 'update-status';
}

/** Contributes what keeps extensions from being as they are switched; the leader tells. */
export async function collectExtensionsStatus(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<void> {
  const { initialised, extensions } = await cluster.appData();
  if (!initialised || !(await hook.juju.isLeader())) return;
  const enabled = enabledPlugins(await hook.juju.config());
  const status = extensionsStatus(parseRecord(extensions), enabled);
  if (status !== undefined) hook.status(status);
}
