// The base of every error that the project throws: a stable code, structured fields, an optional
// hint for the operator. Messages have the form `cannot <verb> <object>: <reason>`.

/** Structured facts about a failure; never a secret. */
export type ErrorFields = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ErrorDetails {
  /** Stable, machine-readable; callers branch on it, never on the message. */
  readonly code: string;
  /** One sentence that tells the operator what to do. */
  readonly hint?: string;
  readonly fields?: ErrorFields;
  readonly cause?: unknown;
}

/** An error with a stable `code`. One subclass per package of `lib/`. */
export class CodedError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly fields: ErrorFields;

  constructor(message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = details.code;
    this.hint = details.hint;
    this.fields = details.fields ?? {};
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The message followed by those of its causes, outermost first, joined by `: `. */
export function messageChain(error: unknown): string {
  const messages: string[] = [];
  let current: unknown = error;
  while (current !== undefined && messages.length < 10) {
    messages.push(messageOf(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return messages.join(': ');
}
