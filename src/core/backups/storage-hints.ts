// What to do about an answer of a storage server that names no error of its own.

export const fullHint = 'Free space on the storage server, or raise its quota.';
const troubleHint = 'See the log of the storage server, and whether it has space left.';

/** In the words of servers, and of the systems below them. */
const full =
  /\bno space\b|\b(?:disk|drive|volume|storage|device)\b.{0,20}\bfull\b|\benough space\b|\binsufficient storage\b|\bquota\b/i;

/** One sentence for the operator. Servers that are full often say no more than that they failed. */
export function hintOfAnswer(status: number, text: string): string | undefined {
  if (status < 500) return undefined;
  if (status === 507 || full.test(text)) return fullHint;
  return status === 500 ? troubleHint : undefined;
}
