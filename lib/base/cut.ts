// Texts of bearable length.

/** The text; of a longer one so many characters of its beginning, and `…`. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  // Half of a character would not be a text any more.
  return `${text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
