// Which options a unit has taken over. Juju does not always say that options changed: `juju config
// --reset` alone fires no config-changed in Juju 4.1, so update-status looks for itself.

import { fingerprint } from '../../lib/base/fingerprint.ts';
import { options } from '../core/config/options.ts';
import type { PostgresqlHook } from './cluster.ts';

const stateKey = 'applied-options';

/** Whether the options differ from those that were last taken over. */
export async function hasNewOptions(hook: PostgresqlHook): Promise<boolean> {
  return (await hook.juju.state(stateKey)) !== (await hashOptions(hook));
}

/** Says that the options have been taken over as they are now. */
export async function rememberOptions(hook: PostgresqlHook): Promise<void> {
  if (await hasNewOptions(hook)) hook.juju.setState({ [stateKey]: await hashOptions(hook) });
}

/** Of those that are not at their default: few, and a long text would have to be gone through. */
async function hashOptions(hook: PostgresqlHook): Promise<string> {
  const given = await hook.juju.config();
  const changed = options
    .filter(({ name, default: usual }) => given[name] !== usual)
    .map(({ name }) => [name, given[name]]);
  return fingerprint(JSON.stringify(changed));
}
