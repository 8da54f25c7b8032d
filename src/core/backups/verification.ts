// What `pgbackrest verify --output=text --verbose` says, as facts. It knows no JSON, and its exit code
// tells nothing: it is zero whatever was found. Source: seen of 2.45 and 2.55.

export interface Verification {
  /** Whether pgBackRest itself is content. */
  readonly content: boolean;
  readonly archives: readonly VerifiedPart[];
  readonly backups: readonly (VerifiedPart & { readonly status: string })[];
  /** Files that are damaged or missing, below `archive` or `backup`, and what is wrong with them. */
  readonly files: readonly DamagedFile[];
  /** What it says besides, of the whole. */
  readonly notes: readonly string[];
}

/** A backup by its label, or an archive by its id. */
export interface VerifiedPart {
  readonly name: string;
  readonly checked: number;
  readonly valid: number;
  /** `missing: 1, checksum invalid: 2`; empty when nothing is wrong. */
  readonly faults: string;
}

export interface DamagedFile {
  readonly path: string;
  readonly fault: string;
}

const archiveLine =
  /^archiveId: (?<name>\S+), total WAL checked: (?<checked>\d+), total valid WAL: (?<valid>\d+)$/;
const backupLine =
  /^backup: (?<name>\S+), status: (?<status>.+?), total files checked: (?<checked>\d+), total valid files: (?<valid>\d+)$/;
const countsLine = /^(?:(?:missing|checksum invalid|size invalid|other): \d+(?:, )?)+$/;
// A file whose content cannot even be unpacked has an `invalid result`, and no quotes.
const fileLine =
  /INFO: (?:(file missing|invalid checksum|invalid size) '([^']+)'|(invalid result) (\S+):)/g;

/** Reads what it has written about one stanza; `undefined` when that is something else. */
export function parseVerification(stdout: string, stanza: string): Verification | undefined {
  // Its log has the same text before, behind a time.
  const [log, text] = split(stdout, `stanza: ${stanza}\n`);
  const [status, ...lines] = text.split('\n').map((line) => line.trim());
  if (status === undefined || !status.startsWith('status: ')) return undefined;
  const isPart = (line: string): boolean => archiveLine.test(line) || backupLine.test(line);
  return {
    content: status === 'status: ok',
    archives: lines.flatMap((_, at) => readPart(archiveLine, lines, at)),
    backups: lines.flatMap((line, at) =>
      readPart(backupLine, lines, at).map((part) => ({ ...part, status: statusIn(line) })),
    ),
    files: filesIn(log),
    notes: lines.filter((line) => !isPart(line) && isNote(line)),
  };
}

function readPart(form: RegExp, lines: readonly string[], at: number): readonly VerifiedPart[] {
  const { name, checked, valid } = form.exec(lines[at] ?? '')?.groups ?? {};
  if (name === undefined) return [];
  const faults = faultsIn(lines[at + 1]);
  return [{ name, checked: Number(checked), valid: Number(valid), faults }];
}

function statusIn(line: string): string {
  return backupLine.exec(line)?.groups?.['status'] ?? '';
}

function isNote(line: string): boolean {
  return line !== '' && !countsLine.test(line) && !isLogged(line);
}

function filesIn(log: string): readonly DamagedFile[] {
  return [...log.matchAll(fileLine)].map(([, fault, path, odd = '', oddPath = '']) => ({
    path: path ?? oddPath,
    fault: fault ?? odd,
  }));
}

/** At the last line that is just this. */
function split(text: string, line: string): readonly [string, string] {
  const at = `\n${text}`.lastIndexOf(`\n${line}`);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + line.length)];
}

/** `2026-01-31 12:00:00.000 P00   INFO: verify command end: …` */
function isLogged(line: string): boolean {
  return /^(?:[\d-]+ [\d:.]+ )?P\d\d +[A-Z]+: /.test(line);
}

function faultsIn(line: string | undefined): string {
  if (line === undefined || !countsLine.test(line)) return '';
  return line
    .split(', ')
    .filter((count) => !count.endsWith(': 0'))
    .join(', ');
}
