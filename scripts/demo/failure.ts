/** What ends a demo or an end-to-end test early: one sentence, and what to do about it. */

export class DemoError extends Error {
  readonly code = 'demo-failed';
  /** What the reader can do, one sentence. */
  readonly hint: string | undefined;

  constructor(message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'DemoError';
    this.hint = options.hint;
  }
}
