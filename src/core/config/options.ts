// Every option of the charm, in the order of the reference page. `config.yaml`, the validator, the
// renderer and the reference page come from this table; a check fails when they differ (make
// generate). Names, defaults and ranges are those of the charm that users know (14 line).

import { extensionOptions } from './extensions.ts';
import type { OptionRow } from './option-row.ts';
import { backupCipherOptions, backupSpeedOptions } from './options/backup.ts';
import { requestOptions, responseOptions, sessionOptions } from './options/client.ts';
import {
  backupOptions,
  clusterOptions,
  durabilityOptions,
  failoverOptions,
} from './options/cluster.ts';
import { planOptions, trackingOptions } from './options/planner.ts';
import { compilerOptions, costOptions, geneticOptions } from './options/planner-costs.ts';
import {
  connectionOptions,
  cpuOptions,
  instanceOptions,
  loggingOptions,
  memoryOptions,
} from './options/server.ts';
import { autovacuumOptions, storageOptions, vacuumOptions } from './options/storage.ts';

export const options: readonly OptionRow[] = [
  ...clusterOptions,
  ...failoverOptions,
  ...backupOptions,
  ...backupCipherOptions,
  ...backupSpeedOptions,
  ...connectionOptions,
  ...cpuOptions,
  ...durabilityOptions,
  ...instanceOptions,
  ...loggingOptions,
  ...memoryOptions,
  ...planOptions,
  ...costOptions,
  ...geneticOptions,
  ...compilerOptions,
  ...trackingOptions,
  ...requestOptions,
  ...responseOptions,
  ...sessionOptions,
  ...storageOptions,
  ...autovacuumOptions,
  ...vacuumOptions,
  ...extensionOptions,
];

/** Server parameters that take a new value only when PostgreSQL starts. */
export const restartParameters: ReadonlySet<string> = new Set(
  options.flatMap(({ target, restart }) =>
    target.kind === 'parameter' && restart === true ? [target.parameter] : [],
  ),
);
