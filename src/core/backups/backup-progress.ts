// How far a backup is, from pgBackRest's own lines: one for each file, with its size and the share of
// the whole that is done. Every few of them become one line for the operator. Pure.

/** What one line tells: what was copied, and what is done in percent. */
interface CopiedFile {
  readonly bytes: number;
  readonly percent: number;
}

const fileLine =
  /DETAIL: (?<what>backup file|match file from prior backup) .*\((?:bundle \S+, )?(?<size>[\d.]+)(?<unit>[KMGTP]?B), (?<percent>[\d.]+)%\)/;

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** `undefined` for a line about something else. */
export function parseFileLine(line: string): CopiedFile | undefined {
  const { what, size, unit = '', percent } = fileLine.exec(line)?.groups ?? {};
  if (size === undefined || percent === undefined) return undefined;
  const bytes = what === 'backup file' ? Number(size) * 1024 ** units.indexOf(unit) : 0;
  return { bytes, percent: Number(percent) };
}

/** Whether the line is of use only while the backup runs: there may be millions of these. */
export function isFileLine(line: string): boolean {
  return / DETAIL: /.test(line);
}

// pgBackRest's repetition of its own options is no progress.
const commandLine = /INFO: \w+ command begin/;

const intervalMs = 10_000;
const stepPercent = 5;

/**
 * Gives the line to show for one of pgBackRest's, if any: one in ten seconds, or when five per cent
 * more are done.
 */
export function createBackupProgress(
  startMs: number,
): (line: string, nowMs: number) => string | undefined {
  let bytes = 0;
  let shown = { atMs: startMs, bytes: 0, percent: 0 };
  let nextMs = startMs;
  return (line, nowMs) => {
    const file = parseFileLine(line);
    if (file === undefined) {
      if (isFileLine(line) || commandLine.test(line) || line.trim() === '') return undefined;
      if (nowMs < nextMs) return undefined;
      nextMs = nowMs + intervalMs;
      return line.trim();
    }
    bytes += file.bytes;
    const due = nowMs - shown.atMs >= intervalMs || file.percent - shown.percent >= stepPercent;
    if (!due) return undefined;
    const seconds = (nowMs - shown.atMs) / 1000;
    const rate = seconds > 0 ? `, ${sizeText((bytes - shown.bytes) / seconds)}/s` : '';
    shown = { atMs: nowMs, bytes, percent: file.percent };
    return `${Math.floor(file.percent)} % done, ${sizeText(bytes)} copied${rate}`;
  };
}

/** `1.3 GB`, in powers of 1024 as pgBackRest reckons. */
export function sizeText(bytes: number): string {
  const power = Math.min(
    units.length - 1,
    Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)),
  );
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? ''}`;
}
