// pgBackRest's own verification of a repository, and a restore beside the data.

import { CodedError } from '../../lib/base/error.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { parseVerification, type Verification } from '../core/backups/verification.ts';
import { run } from './pgbackrest.ts';

// Everything in the repository is read. A day is the bound that nobody should meet.
const timeoutMs = 24 * 60 * 60 * 1000;

/** Reads and checks every file of a stanza; writes nothing. */
export async function verifyStanza(pebble: Pebble, stanza: string): Promise<Verification> {
  // Names of damaged files stand in the log only.
  const { stdout } = await run(
    pebble,
    [`--stanza=${stanza}`, '--log-level-console=info', '--output=text', '--verbose', 'verify'],
    { timeoutMs, patient: true },
  );
  const verification = parseVerification(stdout, stanza);
  if (verification !== undefined) return verification;
  throw new CodedError('cannot read what pgbackrest verify says', { code: 'unreadable' });
}

export interface RestoreBeside {
  readonly stanza: string;
  readonly label: string;
  /** Empty, and not that of a server. */
  readonly dataDirectory: string;
  /** Tablespaces have their own places: those of the live database are not to be written to. */
  readonly tablespaces: string;
  readonly onLine: (line: string) => void;
}

/** Restores a backup and what recovers it until it is consistent. Never with `--delta` or `--force`. */
export async function restoreBeside(pebble: Pebble, order: RestoreBeside): Promise<void> {
  let rest = '';
  await run(
    pebble,
    [
      `--stanza=${order.stanza}`,
      `--set=${order.label}`,
      `--pg1-path=${order.dataDirectory}`,
      `--tablespace-map-all=${order.tablespaces}`,
      '--type=immediate',
      '--target-action=promote',
      '--archive-mode=off',
      '--log-level-console=detail',
      'restore',
    ],
    {
      timeoutMs,
      patient: true,
      onStdout: (text) => {
        const lines = `${rest}${text}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) order.onLine(line);
      },
    },
  );
}
