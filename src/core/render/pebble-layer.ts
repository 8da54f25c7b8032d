// The Pebble layer of the workload: Patroni (which runs PostgreSQL) and the watcher, which turns
// Patroni's callbacks into Pebble notices. The watcher runs as root because Juju only sees notices
// that root sent.

import type { Layer } from '../../../lib/pebble/pebble.ts';
import { patroniPort, patroniScheme, workloadUser } from '../names.ts';
import { patroniCommand } from './launcher.ts';
import { watcherCheckCommand, watcherCommand } from './watcher.ts';

export const layerLabel = 'postgresql';
export const patroniService = 'postgresql';
export const watcherService = 'watcher';

/** A layer of its own: it comes and goes with the certificates, whatever Patroni does. */
export const backupServerLabel = 'pgbackrest';
export const backupServerService = 'pgbackrest server';

/** pgBackRest's server for the other members; it is started when it is wanted. */
export function renderBackupServerLayer(): Layer {
  return {
    summary: 'what pgBackRest of other members reads this one through',
    services: {
      [backupServerService]: {
        override: 'replace',
        summary: 'pgBackRest for the other members',
        command: 'pgbackrest server',
        startup: 'disabled',
        user: workloadUser,
        group: workloadUser,
        'on-failure': 'restart',
      },
    },
  };
}

export interface LayerFacts {
  /** Whether Patroni is started again when it ends; not while a backup is being restored. */
  readonly restart: boolean;
}

/** The layer as plain data. */
export function renderLayer({ restart }: LayerFacts): Layer {
  return {
    summary: 'PostgreSQL, run by Patroni',
    services: {
      [watcherService]: {
        override: 'replace',
        summary: 'wakes the charm, and fences what hangs',
        command: watcherCommand(),
        startup: 'enabled',
        'on-failure': 'restart',
        'on-success': 'restart',
        'on-check-failure': { [watcherService]: 'restart' },
      },
      [patroniService]: {
        override: 'replace',
        summary: 'Patroni, which runs PostgreSQL',
        command: patroniCommand,
        // Patroni reads dates in this style only, also in sessions from before a reload.
        environment: { PGDATESTYLE: 'ISO, MDY' },
        startup: 'enabled',
        after: [watcherService],
        user: workloadUser,
        group: workloadUser,
        'on-success': restart ? 'restart' : 'ignore',
        'on-failure': restart ? 'restart' : 'ignore',
        'backoff-delay': '200ms',
        'backoff-limit': '10s',
        // PostgreSQL gets time to write its last checkpoint.
        'kill-delay': '20s',
      },
    },
    checks: {
      [patroniService]: {
        override: 'replace',
        level: 'ready',
        period: '5s',
        threshold: 3,
        http: { url: `${patroniScheme}://localhost:${patroniPort}/health` },
      },
      // Of no level: neither the container nor its place among the pods that are ready depends on it.
      [watcherService]: {
        override: 'replace',
        period: '10s',
        timeout: '9s',
        threshold: 3,
        exec: { command: watcherCheckCommand },
      },
    },
  };
}
