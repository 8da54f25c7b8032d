// Shapes of what hook tools print and take. Where Juju 4 prints `null` for nothing, so do these
// functions understand it.

import { unreadable } from './call.ts';

/** A plain object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is remembered as JSON; `undefined`: it is none, so another has written it. */
export function tryParse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** An object; `null` is an empty one. */
export function toRecord(tool: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === null) return {};
  if (isRecord(value)) return value;
  throw unreadable(tool, 'its output is not an object');
}

/** An object of texts; `null` is an empty one. */
export function toTexts(tool: string, value: unknown): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [key, each] of Object.entries(toRecord(tool, value))) {
    texts[key] = toText(tool, each);
  }
  return texts;
}

/** A list of texts; `null` is an empty one. */
export function toTextList(tool: string, value: unknown): readonly string[] {
  if (value === null) return [];
  if (!Array.isArray(value)) throw unreadable(tool, 'its output is not a list');
  return value.map((each) => toText(tool, each));
}

export function toText(tool: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw unreadable(tool, 'its output holds something else than text');
}

/** A text; `null` and the empty text are absent. */
export function toOptionalText(tool: string, value: unknown): string | undefined {
  return value === null || value === '' ? undefined : toText(tool, value);
}

/** The text at a key of an object, when there is a text that is not empty. */
export function textAt(record: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const value = record[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

// Line breaks of YAML that JSON does not know, and characters that YAML takes only escaped.
const yamlSensitive = /[\u007f-\u00a0\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * Texts as JSON that a YAML parser reads the same: Juju parses what it gets from a file or standard
 * input as YAML, some versions trying JSON first.
 */
export function renderTexts(texts: Readonly<Record<string, string>>): string {
  const wellFormed = Object.fromEntries(
    Object.entries(texts).map(([key, value]) => [key.toWellFormed(), value.toWellFormed()]),
  );
  return JSON.stringify(wellFormed).replaceAll(yamlSensitive, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
