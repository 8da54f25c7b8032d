// What a hook had to leave for a later one, in the state of the unit: update-status takes it up, and so
// does every other hook that looks after all that a unit has to have.

import type { PostgresqlHook } from './cluster.ts';

const stateKey = 'interrupted';

/**
 * `configuration`: Patroni has not been told of all of it. `everything`: an outage cut the hook short,
 * wherever it was.
 */
export type Unfinished = 'configuration' | 'everything';

// As the first version has written it.
const texts: Readonly<Record<Unfinished, string>> = {
  configuration: 'configuration',
  everything: 'True',
};

/** What earlier hooks, and this one so far, have left. */
export async function readUnfinished(hook: PostgresqlHook): Promise<Unfinished | undefined> {
  const text = await hook.juju.state(stateKey);
  if (text === undefined) return undefined;
  return text === texts.configuration ? 'configuration' : 'everything';
}

/** Says that this has to be taken up; what is left already stays. */
export async function leaveUnfinished(hook: PostgresqlHook, what: Unfinished): Promise<void> {
  if ((await readUnfinished(hook)) === 'everything') return;
  hook.juju.setState({ [stateKey]: texts[what] });
}

/** To be called by whoever takes up so much, before: what fails again is left again. */
export async function takeUpUnfinished(hook: PostgresqlHook, what: Unfinished): Promise<void> {
  if ((await readUnfinished(hook)) === what) hook.juju.setState({ [stateKey]: undefined });
}
