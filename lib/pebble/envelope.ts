// One request to Pebble and its answer's envelope. Turns every failure into a `PebbleError` and
// every result into the type of the given schema; knows no endpoint.

import * as v from 'valibot';

import { HttpError, jsonContent, parseJsonBody } from '../base/http.ts';
import type { HttpPort, HttpRequest, HttpResponse } from '../base/http-port.ts';
import { deadlines } from './deadlines.ts';
import { fromApiFailure, fromHttpError, PebbleError } from './errors.ts';

export interface ApiRequest {
  /** Completes `cannot …` in messages: `list services`. */
  readonly what: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON with POST; without it and without `body` the request is a GET. */
  readonly json?: unknown;
  readonly body?: Uint8Array;
  readonly timeoutMs?: number;
}

export interface Answer<T> {
  readonly result: T;
  /** The id of the change that was started, for calls that start one. */
  readonly change: string | undefined;
}

/** One Pebble. */
export interface Connection {
  readonly socketPath: string;
  /** A call whose answer is an envelope with a result of the schema's type. */
  call<T>(request: ApiRequest, schema: v.GenericSchema<unknown, T>): Promise<Answer<T>>;
  /** A call whose answer has a form of its own. */
  exchange(request: ApiRequest): Promise<HttpResponse>;
}

const errorSchema = v.object({ message: v.string(), kind: v.optional(v.string()) });

const envelopeSchema = v.object({
  type: v.picklist(['sync', 'async', 'error']),
  'status-code': v.optional(v.number()),
  change: v.optional(v.string()),
  result: v.optional(v.unknown()),
});

/** A connection to the Pebble behind a unix socket; makes no request by itself. */
export function createConnection(http: HttpPort, socketPath: string): Connection {
  async function exchange(request: ApiRequest): Promise<HttpResponse> {
    try {
      return await http(describeRequest(request, socketPath));
    } catch (error) {
      if (error instanceof HttpError) throw fromHttpError(request.what, error);
      throw error;
    }
  }

  async function call<T>(
    request: ApiRequest,
    schema: v.GenericSchema<unknown, T>,
  ): Promise<Answer<T>> {
    return parseAnswer(request.what, await exchange(request), schema);
  }

  return { socketPath, exchange, call };
}

/** The result in an answer's envelope; throws what an envelope of type `error` says. */
export function parseAnswer<T>(
  what: string,
  response: Pick<HttpResponse, 'status' | 'body' | 'headers'>,
  schema: v.GenericSchema<unknown, T>,
): Answer<T> {
  const envelope = v.safeParse(envelopeSchema, parseJsonBody(response));
  if (!envelope.success) throw notUnderstood(what, response.status, envelope.issues);
  const { type, change, result } = envelope.output;
  if (type === 'error') throw parseFailure(what, response.status, result);
  const parsed = v.safeParse(schema, result ?? null);
  if (!parsed.success) throw notUnderstood(what, response.status, parsed.issues);
  return { result: parsed.output, change };
}

function parseFailure(what: string, status: number, result: unknown): PebbleError {
  const failure = v.safeParse(errorSchema, result);
  if (!failure.success) return notUnderstood(what, status, failure.issues);
  const { message, kind } = failure.output;
  return fromApiFailure(what, { message, status, ...(kind === undefined ? {} : { kind }) });
}

/** The answer has another form than ours; says where, without values. */
export function notUnderstood(
  what: string,
  status: number,
  issues: readonly v.BaseIssue<unknown>[] = [],
): PebbleError {
  const where = issues.map((issue) => v.getDotPath(issue) ?? 'the whole').join(', ');
  const detail = where === '' ? '' : ` (at ${where})`;
  return new PebbleError(`cannot ${what}: the answer is not understood${detail}`, {
    code: 'api',
    fields: { status },
  });
}

function describeRequest(request: ApiRequest, socketPath: string): HttpRequest {
  const content =
    request.json === undefined
      ? { headers: {}, ...(request.body === undefined ? {} : { body: request.body }) }
      : jsonContent(request.json);
  return {
    method: content.body === undefined ? 'GET' : 'POST',
    url: `http://127.0.0.1${request.path}${renderQuery(request.query)}`,
    socketPath,
    timeoutMs: request.timeoutMs ?? deadlines.requestMs,
    ...content,
    headers: { ...content.headers, ...request.headers },
  };
}

function renderQuery(query: ApiRequest['query'] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, value);
  }
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
