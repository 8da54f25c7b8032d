// Documents as YAML for programs that read its older version, as Patroni does. Writing one out costs
// many times what comparing it does, and a hook that starts a member or repeats what another left
// open asks for the same one again: the last text is kept.

import type { Document } from '../core/render/patroni.ts';

let last: { readonly json: string; readonly text: string } | undefined;

/** The document as YAML 1.1, without broken lines. */
export async function yamlText(document: Document): Promise<string> {
  const json = JSON.stringify(document);
  if (last?.json !== json) {
    const { stringify } = await import('yaml');
    last = { json, text: stringify(document, { lineWidth: 0, version: '1.1' }) };
  }
  return last.text;
}
