// The watcher of the workload (static/watcher.py) and how it is started, and the small script that
// Patroni calls as the postgres user: it writes one line into a FIFO, opened for reading and writing
// so that it never waits. The watcher, as root, sends a Pebble notice for it.

import { fingerprint } from '../../../lib/base/fingerprint.ts';
import { lazy } from '../../../lib/base/lazy.ts';
import watcher from '../../static/watcher.py';
import {
  dataDirectory,
  logDirectory,
  patroniConfigPath,
  patroniPort,
  watcherDirectory,
} from '../names.ts';

export const noticeDomain = 'postgresql.charm';

/** Patroni's callbacks that wake the charm; in a notice's key an underscore becomes a hyphen. */
export const patroniCallbacks = ['on_start', 'on_stop', 'on_restart', 'on_role_change'] as const;

const fifo = '/run/charm-notices';

/** What the watcher sees, as JSON. */
export const watcherStatePath = '/run/charm-watch.json';

export const callbackScript = `#!/bin/sh
# Called by Patroni: callback, role, cluster. Tells the watcher and ends at once.
[ -p ${fifo} ] || exit 0
printf '%s %s\\n' "$1" "$2" 1<>${fifo}
`;

const watcherPath = `${watcherDirectory}/watcher.py`;

export const scripts: Readonly<Record<string, string>> = {
  [`${watcherDirectory}/patroni-callback`]: callbackScript,
  [watcherPath]: watcher,
};

export interface WatcherFacts {
  /** That of Patroni's REST interface. */
  readonly scheme: 'http' | 'https';
}

/** The command line; it changes with the program, so that Pebble starts a new one. */
export function watcherCommand({ scheme }: WatcherFacts): string {
  const options = {
    config: patroniConfigPath,
    data: dataDirectory,
    logs: logDirectory,
    fifo,
    state: watcherStatePath,
    domain: noticeDomain,
    scheme,
    port: patroniPort,
    version: watcherVersion(),
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  return ['python3', watcherPath, ...words].join(' ');
}

const watcherVersion = lazy(() => fingerprint(watcher));
