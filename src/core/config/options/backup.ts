// Options of backups: whether what is stored is encrypted, and how fast they are.

import { flag, int, type OptionRow, secret, text } from '../option-row.ts';

export const backupCipherOptions: readonly OptionRow[] = [
  secret(
    'backup_cipher_secret',
    {
      form: {
        pattern: /^(?:secret:(?:\/\/[\da-f-]{36}\/)?[\da-z]{20})?$/,
        words: 'the URI of a secret, as juju add-secret prints it',
      },
    },
    'Secret of yours with the field cipher-pass (at least 32 characters), with which the repository is ' +
      'encrypted (AES-256). Granted to this application. A repository in use stays as it was ' +
      'initialised: set it before, or together with another path. Keep the pass: without it nothing ' +
      'can be restored.',
  ),
];

export const backupSpeedOptions: readonly OptionRow[] = [
  int(
    'backup_process_max',
    { default: 0, min: 0, max: 999 },
    'Processes that copy and compress at the same time, for backups and restores; 0 for as many as ' +
      'the pod has cores, at most 8.',
  ),
  text(
    'backup_compress_type',
    { default: 'zst', allowed: ['none', 'bz2', 'gz', 'lz4', 'zst'] },
    'How backups and WAL are compressed from now on; what is there already stays readable. ' +
      'Takes effect for backups with the next full one.',
  ),
  int(
    'backup_compress_level',
    { min: -7, max: 22 },
    'How hard: bz2 takes 1 to 9, gz -1 to 9, lz4 -5 to 12, zst -7 to 22; higher is smaller and ' +
      "slower. Unset: pgBackRest's own choice. Without meaning for none.",
  ),
  flag(
    'backup_bundle',
    true,
    'Whether small files are stored together in one object, which saves requests. A backup that was ' +
      'interrupted can be resumed without it only. Takes effect with the next full backup.',
  ),
  flag(
    'backup_block_incremental',
    true,
    'Whether differential and incremental backups store the changed parts of a file instead of the ' +
      'whole file. Counts only with backup_bundle. Takes effect with the next full backup.',
  ),
];
