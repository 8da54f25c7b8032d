// What can go wrong with Pebble, as one error with stable codes. The one place that reads Pebble's
// kinds, statuses and, where it gives nothing better, its messages.

import { CodedError, type ErrorFields } from '../base/error.ts';
import type { HttpError } from '../base/http.ts';

/** All codes of `PebbleError`. */
export const pebbleErrorCodes = [
  'unreachable',
  'timeout',
  'not-found',
  'permission-denied',
  'change-failed',
  'no-space',
  'api',
] as const;

export type PebbleErrorCode = (typeof pebbleErrorCodes)[number];

/**
 * A call to Pebble failed: `unreachable` (nobody answers; the container is starting or gone),
 * `timeout`, `not-found` (a file, a service, a program), `permission-denied`, `change-failed`
 * (fields: `change` and `log`, the failing task's output), `no-space` (nothing can be written where a
 * file was to be), `api` (fields: `status`, `kind`).
 */
export class PebbleError extends CodedError {
  declare readonly code: PebbleErrorCode;

  constructor(message: string, details: PebbleErrorDetails) {
    super(message, details);
  }
}

export interface PebbleErrorDetails {
  readonly code: PebbleErrorCode;
  readonly fields?: ErrorFields;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The error part of an answer. */
export interface ApiFailure {
  readonly message: string;
  readonly kind?: string;
  readonly status?: number;
}

/** No answer came; `what` completes `cannot …`. */
export function fromHttpError(what: string, error: HttpError): PebbleError {
  const code = error.code === 'timeout' ? 'timeout' : 'unreachable';
  return new PebbleError(`cannot ${what}: Pebble does not answer`, { code, cause: error });
}

/** Pebble answered with an error; `what` completes `cannot …`. */
export function fromApiFailure(what: string, failure: ApiFailure): PebbleError {
  return new PebbleError(`cannot ${what}: ${failure.message}`, {
    code: classify(failure),
    fields: { status: failure.status, kind: failure.kind },
  });
}

/** Whether something thrown is a `PebbleError` with this code. */
export function isPebbleError(error: unknown, code: PebbleErrorCode): error is PebbleError {
  return error instanceof PebbleError && error.code === code;
}

// Pebble has no kind for these two; both are about a name that does not exist.
const missing = /^cannot find executable "|service "[^"]*" does not exist/;
// Nor for these, of the system.
const noSpace = /: (?:no space left on device|disk quota exceeded)$/;

function classify(failure: ApiFailure): PebbleErrorCode {
  if (failure.kind === 'not-found' || failure.status === 404) return 'not-found';
  if (failure.kind === 'permission-denied') return 'permission-denied';
  if (failure.status === 401 || failure.status === 403) return 'permission-denied';
  if (failure.status === 504) return 'timeout';
  if (noSpace.test(failure.message)) return 'no-space';
  return missing.test(failure.message) ? 'not-found' : 'api';
}
