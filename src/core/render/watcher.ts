// How the watcher of the workload (static/watcher) is started, and the small script that Patroni calls as the postgres user: it writes one line into a FIFO, opened for reading and writing
// so that it never waits. The watcher, as root, sends a Pebble notice for it.

import {
  backupDuePath,
  dataDirectory,
  logDirectory,
  longWorkPath,
  patroniConfigPath,
  patroniPort,
  patroniScheme,
  watcherDirectory,
} from '../names.ts';
import { watcherFolder } from './watcher-program.ts';

export const noticeDomain = 'postgresql.charm';

/** Patroni's callbacks that wake the charm; in a notice's key an underscore becomes a hyphen. */
export const patroniCallbacks = ['on_start', 'on_stop', 'on_restart', 'on_role_change'] as const;

const fifo = '/run/charm-notices';

/** What the watcher sees, as JSON. */
export const watcherStatePath = '/run/charm-watch.json';

/** Process id of the watcher. */
const pidPath = '/run/charm-watch.pid';

export const callbackScript = `#!/bin/sh
# Called by Patroni: callback, role, cluster. Tells the watcher and ends at once.
[ -p ${fifo} ] || exit 0
printf '%s %s\\n' "$1" "$2" 1<>${fifo}
`;

export const scripts: Readonly<Record<string, string>> = {
  [`${watcherDirectory}/patroni-callback`]: callbackScript,
};

export function watcherCommand(): string {
  const options = {
    config: patroniConfigPath,
    data: dataDirectory,
    logs: logDirectory,
    fifo,
    state: watcherStatePath,
    pid: pidPath,
    'backup-due': backupDuePath,
    'long-work': longWorkPath,
    domain: noticeDomain,
    scheme: patroniScheme,
    port: patroniPort,
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  // Without -B it would leave compiled files beside its own.
  return ['python3', '-B', watcherFolder(), ...words].join(' ');
}

/** For how long the watcher, which goes through its loop twice a second, need not. */
const stillS = 5;

/** Fails when the watcher hangs: the name of its process stays what it was. */
export const watcherCheckCommand = `/bin/sh -c '${[
  `read -r pid <${pidPath}`,
  'read -r before </proc/$pid/comm',
  `sleep ${stillS}`,
  'read -r after </proc/$pid/comm',
  'test "$before" != "$after"',
].join(' && ')}'`;
