// Errors of the charm framework and their codes. Codes never change once released.

import { CodedError, type ErrorDetails, type ErrorFields } from '../base/error.ts';

/** Everything that the framework itself can complain about. */
export const jujuErrorCodes = [
  /** Juju's environment lacks variables. */
  'incomplete-context',
  /** This kind of event may not be deferred. */
  'not-deferrable',
  /** Something for actions only, outside an action. */
  'not-an-action',
  /** A hook tool printed something else than what was agreed. */
  'unreadable-output',
  /** The relation does not exist, or not any more. */
  'relation-not-found',
  /** The relation has no such unit or application, or not any more. */
  'member-not-found',
  /** The secret does not exist, or this unit may not know. */
  'secret-not-found',
  /** Juju refused: someone else's data, a missing grant, or `--trust` not given. */
  'permission-denied',
  /** Only the leader may do this. */
  'not-leader',
  /** The hook tool does not exist, or not outside an action. */
  'tool-missing',
  'timeout',
  /** An argument is longer than the kernel takes. */
  'too-large',
  /** Any other failure of a hook tool. */
  'failed',
] as const;

export type JujuErrorCode = (typeof jujuErrorCodes)[number];

/** Base of the framework's errors. */
export class JujuError extends CodedError {
  override readonly code: JujuErrorCode;

  constructor(message: string, details: ErrorDetails & { readonly code: JujuErrorCode }) {
    super(message, details);
    this.code = details.code;
  }
}

export interface HookToolErrorDetails {
  readonly tool: string;
  readonly code: JujuErrorCode;
  readonly reason: string;
  readonly exitCode?: number;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A hook tool said no, printed nonsense, or did not run at all. */
export class HookToolError extends JujuError {
  constructor(details: HookToolErrorDetails) {
    const { tool, code, reason, exitCode, hint, cause } = details;
    const fields: ErrorFields = { tool, ...(exitCode === undefined ? {} : { exitCode }) };
    super(`cannot run "${tool}": ${reason}`, {
      code,
      fields,
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
