// What `pgbackrest verify` prints of the repository of the world: the damaged files, then the whole.

import type { PgbackrestWorld } from './world.ts';

const filesOfBackup = 966;

export function renderVerification(world: PgbackrestWorld, stanza: string): string {
  const damaged = Object.entries(world.damaged ?? {});
  const counts = (folder: string): Counts => {
    const faults = damaged
      .filter(([path]) => path.startsWith(`${folder}/`))
      .map(([, fault]) => fault);
    const missing = faults.filter((fault) => fault === 'file missing').length;
    return { missing, invalid: faults.length - missing };
  };
  const own = world.backups.filter((backup) => backup.stanza === stanza);
  const archives = segmentsByArchive(world, stanza).flatMap(([id, total]) => {
    const found = counts(id);
    const valid = total - found.missing - found.invalid;
    return [
      `  archiveId: ${id}, total WAL checked: ${total}, total valid WAL: ${valid}`,
      countsLine(found),
    ];
  });
  // It does not tell what builds on a damaged backup.
  const backups = own
    .toSorted((one, other) => one.label.localeCompare(other.label))
    .flatMap(({ label, manifestGone }) => {
      if (manifestGone === true) {
        return [`  backup: ${label}, status: manifest missing, ${totals(0, 0)}`];
      }
      const found = counts(label);
      const valid = filesOfBackup - found.missing - found.invalid;
      const status = valid === filesOfBackup ? 'valid' : 'invalid';
      return [
        `  backup: ${label}, status: ${status}, ${totals(filesOfBackup, valid)}`,
        countsLine(found),
      ];
    });
  const text = [
    `stanza: ${stanza}`,
    `status: ${damaged.length === 0 ? 'ok' : 'error'}`,
    ...archives,
    ...backups,
    '',
  ];
  const log = damaged.map(([path, fault]) => `P01   INFO: ${fault} '${path}'`);
  return [
    ...log,
    `P00   INFO: ${text.join(`\n${' '.repeat(12)}`)}`,
    ...text.slice(0, -1),
    'P00   INFO: verify command end: completed successfully (339ms)',
    '',
  ].join('\n');
}

interface Counts {
  readonly missing: number;
  readonly invalid: number;
}

function countsLine({ missing, invalid }: Counts): string {
  return `    missing: ${missing}, checksum invalid: ${invalid}, size invalid: 0, other: 0`;
}

function totals(checked: number, valid: number): string {
  return `total files checked: ${checked}, total valid files: ${valid}`;
}

function segmentsByArchive({ archive }: PgbackrestWorld, stanza: string) {
  const totalsById = new Map<string, number>();
  for (const path of Object.keys(archive)) {
    const id = new RegExp(`^${stanza}/([^/]+)/[0-9A-F]{16}/`).exec(path)?.[1];
    if (id !== undefined) totalsById.set(id, (totalsById.get(id) ?? 0) + 1);
  }
  return [...totalsById];
}
