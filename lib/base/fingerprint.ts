// A short text that tells longer ones apart. Not for secrets, and nothing may depend on its being hard
// to forge: loading a cryptographic hash costs a hook five milliseconds.

/** Sixteen hexadecimal digits: FNV-1a over 32 bits, forwards and backwards. */
export function fingerprint(text: string): string {
  let forwards = offset;
  let backwards = offset;
  for (let index = 0; index < text.length; index += 1) {
    forwards = Math.imul(forwards ^ text.charCodeAt(index), prime);
    backwards = Math.imul(backwards ^ text.charCodeAt(text.length - 1 - index), prime);
  }
  return [forwards, backwards].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}

const offset = 0x811c9dc5;
const prime = 0x01000193;
