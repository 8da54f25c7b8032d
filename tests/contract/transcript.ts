// Transcripts of the hook tools' contract, reduced to what two runs have in common: which tools
// were called, with which exit codes, and what the typed functions made of the answers. Ids, names,
// addresses and times become placeholders; the wording of messages is left out.

import type { ContractFacts } from './hook-tools.ts';

export interface Recording {
  readonly facts: Pick<ContractFacts, 'unit' | 'app' | 'relatedApp'>;
  readonly transcript: readonly RecordedStep[];
}

/** The part of a `TranscriptEntry` that is compared. */
export interface RecordedStep {
  readonly step: string;
  readonly calls: readonly { readonly tool: string; readonly exitCode: number }[];
  readonly value?: unknown;
  readonly error?: { readonly code: string } | undefined;
}

export interface StepSummary {
  readonly step: string;
  /** `secret-get 0` */
  readonly calls: readonly string[];
  readonly value?: unknown;
  readonly error?: string;
}

export function summarise({ facts, transcript }: Recording): readonly StepSummary[] {
  return transcript.map(({ step, calls, value, error }) => ({
    step,
    calls: calls.map((call) => `${call.tool} ${call.exitCode}`),
    ...(value === undefined ? {} : { value: withPlaceholders(value, facts) }),
    ...(error === undefined ? {} : { error: error.code }),
  }));
}

function withPlaceholders(value: unknown, facts: Recording['facts']): unknown {
  const { unit, app, relatedApp } = facts;
  const replacements: readonly (readonly [RegExp, string])[] = [
    [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>'],
    [/\b[0-9a-z]{20}\b/g, '<id>'],
    [/\b\d{1,3}(\.\d{1,3}){3}(\/\d+)?/g, '<address>'],
    [/\d{4}-\d\d-\d\d[T ][\d:.]+Z/g, '<time>'],
    [new RegExp(`\\b${unit}\\b`, 'g'), '<unit>'],
    [new RegExp(`\\b${app}/\\d+`, 'g'), '<peer>'],
    [new RegExp(`\\b${relatedApp}\\b`, 'g'), '<related>'],
    [new RegExp(`\\b${app}\\b`, 'g'), '<app>'],
    [/:\d+"/g, ':<n>"'],
    [/data[/-]\d+/g, 'data-<n>'],
  ];
  const text = replacements.reduce(
    (rest, [pattern, placeholder]) => rest.replaceAll(pattern, placeholder),
    JSON.stringify(value),
  );
  const replaced: unknown = JSON.parse(text);
  return tidy(replaced);
}

/** Keys sorted, long texts only counted. */
function tidy(value: unknown): unknown {
  if (typeof value === 'string' && value.length > 200) return `<${value.length} characters>`;
  if (Array.isArray(value)) return value.map(tidy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, each]) => [key, tidy(each)]),
  );
}
