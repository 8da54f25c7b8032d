// How long backups are kept: by their age, as the S3 relation says, or so many full ones, as the
// option of this application says. pgBackRest can do one of them; the option wins, since it is the
// nearer word. Pure.

import type { IniSection } from '../render/ini.ts';

export type Retention =
  | { readonly kind: 'count'; readonly fullBackups: number }
  | { readonly kind: 'time'; readonly days: number };

/** Nothing ever goes: pgBackRest takes no more days. */
export const keepAll: Retention = { kind: 'time', days: 9_999_999 };

export function retentionOf(days: number, fullBackups: number | undefined): Retention {
  return fullBackups === undefined ? { kind: 'time', days } : { kind: 'count', fullBackups };
}

export function renderRetention(retention: Retention): IniSection {
  const value = retention.kind === 'count' ? retention.fullBackups : retention.days;
  return { 'repo1-retention-full': String(value), 'repo1-retention-full-type': retention.kind };
}

/** The retention that a rendered file has; `undefined` without one. */
export function retentionIn(config: string | undefined): Retention | undefined {
  const [, kind] = /^repo1-retention-full-type=(count|time)$/m.exec(config ?? '') ?? [];
  const value = Number(/^repo1-retention-full=(\d+)$/m.exec(config ?? '')?.[1]);
  if (kind === undefined || !Number.isInteger(value)) return undefined;
  return kind === 'count' ? { kind, fullBackups: value } : { kind: 'time', days: value };
}

/** For the log, and for remembering what was applied. */
export function retentionText(retention: Retention): string {
  const { amount, unit } =
    retention.kind === 'count'
      ? { amount: retention.fullBackups, unit: 'full backup' }
      : { amount: retention.days, unit: 'day' };
  return `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}
