// Certificates as people paste them: PEM, or PEM packed in base64 once more, with or without text
// around the blocks.

const block = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/gu;

/**
 * The PEM certificates in a text, each ending with a newline; `undefined` when there are none.
 * Whether they are sound is for whoever uses them.
 */
export function parsePemChain(text: string): readonly string[] | undefined {
  return blocksOf(text) ?? blocksOf(Buffer.from(text, 'base64').toString('utf8'));
}

function blocksOf(text: string): readonly string[] | undefined {
  return text.match(block)?.map((pem) => `${pem.replaceAll('\r', '')}\n`);
}
