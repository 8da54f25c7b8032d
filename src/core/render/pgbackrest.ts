// pgBackRest's configuration as plain data. Holds the S3 keys in clear: mode 0600, owner postgres.
// Source: pgBackRest's configuration reference.

import type { Secret } from '../../../lib/base/secret.ts';
import { dataDirectory, s3CaPath } from '../names.ts';
import type { IniDocument } from './ini.ts';

export interface RepositoryFacts {
  readonly stanza: string;
  readonly endpoint: string;
  readonly bucket: string;
  /** With a leading `/`. */
  readonly path: string;
  readonly region: string;
  readonly uriStyle: 'host' | 'path';
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  readonly hasCaChain: boolean;
  readonly retentionDays: number;
  readonly cores: number;
}

/** Settings for backup, archive, restore and info. */
export function renderPgbackrest(facts: RepositoryFacts): IniDocument {
  const processes = String(Math.max(1, Math.min(8, Math.floor(facts.cores))));
  return {
    global: {
      'archive-timeout': '60',
      'backup-standby': 'n',
      'compress-type': 'zst',
      'io-timeout': '30',
      'log-level-file': 'off',
      'log-level-stderr': 'warn',
      'process-max': processes,
      'repo1-block': 'y',
      'repo1-bundle': 'y',
      'repo1-path': facts.path === '' ? '/' : facts.path,
      'repo1-retention-full': String(facts.retentionDays),
      'repo1-retention-full-type': 'time',
      'repo1-retention-history': '365',
      ...(facts.hasCaChain ? { 'repo1-s3-ca-file': s3CaPath } : {}),
      'repo1-s3-bucket': facts.bucket,
      'repo1-s3-endpoint': facts.endpoint,
      'repo1-s3-key': facts.accessKey.reveal(),
      'repo1-s3-key-secret': facts.secretKey.reveal(),
      'repo1-s3-region': facts.region,
      'repo1-s3-uri-style': facts.uriStyle,
      'repo1-type': 's3',
      'start-fast': 'y',
    },
    [facts.stanza]: {
      'pg1-path': dataDirectory,
      'pg1-user': 'backup',
      'pg1-database': 'postgres',
    },
  };
}
