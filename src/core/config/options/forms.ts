// Forms of texts that options of several groups share.

import type { TextForm } from '../option-row.ts';

/** A name that the server looks up: it tells itself whether there is such a thing. */
export const nameForm: TextForm = {
  pattern: /^[^\p{C}\p{Zl}\p{Zp}'"\\]{1,200}$/u,
  words: 'a name in one line without quotes',
};
