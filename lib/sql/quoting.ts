// The only two places where text becomes SQL. Everything else is bound or composed by `sql`.
// Source: PostgreSQL manual, "Lexical Structure".

import { PostgresError } from './error.ts';

/** PostgreSQL cuts longer names off, and two names could become one. */
const longestIdentifierBytes = 63;

/** A string literal that reads back as `text`, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
  refuseUnstorable(text);
  const quoted = `'${text.replaceAll("'", "''")}'`;
  // The blank keeps the E apart from a word before it.
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}

/** A quoted identifier that names exactly `name`. */
export function quoteIdentifier(name: string): string {
  refuseUnstorable(name);
  const length = Buffer.byteLength(name);
  if (length === 0 || length > longestIdentifierBytes) {
    const reason = `its length is ${length} bytes, not 1 to ${longestIdentifierBytes}`;
    throw new PostgresError(`cannot quote identifier: ${reason}`, { code: 'sql' });
  }
  return `"${name.replaceAll('"', '""')}"`;
}

function refuseUnstorable(text: string): void {
  // Lone surrogates would reach the server as U+FFFD, another text than the one meant.
  if (!text.includes('\0') && text.isWellFormed()) return;
  const reason = 'the text holds a character that PostgreSQL cannot store';
  throw new PostgresError(`cannot quote text: ${reason}`, { code: 'sql' });
}
