// pgBackRest's configuration as plain data. Holds the S3 keys in clear: mode 0600, owner postgres.
// Source: pgBackRest's configuration reference.

import type { Secret } from '../../../lib/base/secret.ts';
import { type Retention, renderRetention } from '../backups/retention.ts';
import { type BackupSpeed, renderSpeed } from '../backups/speed.ts';
import { dataDirectory, defaultRegion, s3CaPath, tlsFiles } from '../names.ts';
import type { IniDocument, IniSection } from './ini.ts';

export interface RepositoryFacts {
  readonly stanza: string;
  readonly endpoint: string;
  readonly bucket: string;
  /** With a leading `/`. */
  readonly path: string;
  readonly region?: string;
  readonly uriStyle: 'host' | 'path';
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  readonly hasCaChain: boolean;
  readonly retention: Retention;
  /** What the repository is encrypted with, if it is. */
  readonly cipherPass?: Secret;
  readonly speed: BackupSpeed;
  readonly cores: number;
  /** Hosts of the other members, when all of them have certificates; else none. */
  readonly tlsPeers: readonly string[];
}

/** Settings for backup, archive, restore and info. */
export function renderPgbackrest(facts: RepositoryFacts): IniDocument {
  return {
    global: {
      'archive-timeout': '60',
      'backup-standby': 'n',
      'io-timeout': '30',
      'log-level-file': 'off',
      'log-level-stderr': 'warn',
      ...renderCipher(facts),
      'repo1-path': facts.path === '' ? '/' : facts.path,
      ...renderRetention(facts.retention),
      'repo1-retention-history': '365',
      ...(facts.hasCaChain ? { 'repo1-s3-ca-file': s3CaPath } : {}),
      'repo1-s3-bucket': facts.bucket,
      'repo1-s3-endpoint': facts.endpoint,
      'repo1-s3-key': facts.accessKey.reveal(),
      'repo1-s3-key-secret': facts.secretKey.reveal(),
      'repo1-s3-region': facts.region ?? defaultRegion,
      'repo1-s3-uri-style': facts.uriStyle,
      'repo1-type': 's3',
      'start-fast': 'y',
      ...renderSpeed(facts.speed, facts.cores),
      ...renderServer(facts),
    },
    [facts.stanza]: {
      'pg1-path': dataDirectory,
      'pg1-user': 'backup',
      'pg1-database': 'postgres',
      ...renderPeers(facts),
    },
  };
}

function renderCipher({ cipherPass }: RepositoryFacts): IniSection {
  if (cipherPass === undefined) return {};
  return { 'repo1-cipher-pass': cipherPass.reveal(), 'repo1-cipher-type': 'aes-256-cbc' };
}

/** The server through which the other members' pgBackRest reads this member. */
function renderServer({ stanza, tlsPeers }: RepositoryFacts): IniSection {
  if (tlsPeers.length === 0) return {};
  return {
    'tls-server-address': '*',
    'tls-server-auth': tlsPeers.map((host) => `${host}=${stanza}`),
    'tls-server-ca-file': tlsFiles.ca,
    'tls-server-cert-file': tlsFiles.cert,
    'tls-server-key-file': tlsFiles.key,
  };
}

/** The other members as databases of the stanza: a backup on a replica also needs the primary. */
function renderPeers({ tlsPeers }: RepositoryFacts): IniSection {
  const keys = tlsPeers.flatMap((host, index): [string, string][] => {
    const name = `pg${index + 2}`;
    return [
      [`${name}-host`, host],
      [`${name}-host-type`, 'tls'],
      [`${name}-host-ca-file`, tlsFiles.ca],
      [`${name}-host-cert-file`, tlsFiles.cert],
      [`${name}-host-key-file`, tlsFiles.key],
      [`${name}-path`, dataDirectory],
      [`${name}-user`, 'backup'],
      [`${name}-database`, 'postgres'],
    ];
  });
  return Object.fromEntries(keys);
}
