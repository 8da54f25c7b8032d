// The HTTP port over node:http and node:https: unix sockets, own authorities, one deadline over the
// whole exchange. Both modules are loaded on first use, since they cost start-up time. Connections
// are kept open between calls; a call that is safe to repeat is repeated once when the server had
// closed a kept connection meanwhile. Leaves retries and the meaning of a status to the callers.

import type * as http from 'node:http';
import type * as https from 'node:https';

import { CodedError, messageOf } from './error.ts';
import type { HttpPort, HttpRequest, HttpResponse } from './http-port.ts';

/** Why there is no usable answer. */
export type HttpErrorCode = 'refused' | 'timeout' | 'unresolved' | 'untrusted' | 'broken';

export interface HttpErrorDetails {
  readonly code: HttpErrorCode;
  readonly request: Pick<HttpRequest, 'method' | 'url'>;
  readonly reason: string;
  readonly hint?: string;
  readonly cause?: unknown;
  readonly response?: HttpResponse;
}

/**
 * There is no usable answer: `refused` (nobody listens, no route, no socket file), `timeout`,
 * `unresolved` (no such name), `untrusted` (the certificate), `broken` (anything else on the way).
 * The address is given without user, password and query.
 */
export class HttpError extends CodedError {
  declare readonly code: HttpErrorCode;
  /** What the server answered instead of what it was asked for. */
  readonly response: HttpResponse | undefined;

  constructor(details: HttpErrorDetails) {
    const { code, request, reason, hint, cause, response } = details;
    const address = describeUrl(request.url);
    super(`cannot ${request.method} ${address}: ${reason}`, {
      code,
      fields: { method: request.method, address },
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.response = response;
  }
}

/** An HTTP port over the network and unix sockets. */
export function createHttp(): HttpPort {
  return async (request) => {
    const url = parseUrl(request);
    const { request: start } =
      url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    try {
      return await exchange(request, (options) => start(url, options));
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      return await exchange(request, (options) => start(url, { ...options, agent: false }));
    }
  };
}

/** Headers and body that send a value as JSON. */
export function jsonContent(value: unknown): Required<Pick<HttpRequest, 'headers' | 'body'>> {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

/** The body of an answer as JSON; `undefined` when it is not JSON. */
export function parseJsonBody(response: HttpResponse): unknown {
  try {
    const value: unknown = JSON.parse(response.body.toString('utf8'));
    return value;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A kept connection turned out to be closed, before any of the answer came. */
class StaleConnection extends Error {}

const repeatable: ReadonlySet<HttpRequest['method']> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
]);

type StartRequest = (options: https.RequestOptions) => http.ClientRequest;

// A longer timer fires at once.
const maximumTimerMs = 2 ** 31 - 1;

async function exchange(request: HttpRequest, start: StartRequest): Promise<HttpResponse> {
  return await new Promise<HttpResponse>((resolve, reject) => {
    const outgoing = start(describeOptions(request));
    const deadline = setTimeout(
      () => {
        outgoing.destroy(timeoutError(request));
      },
      Math.min(request.timeoutMs, maximumTimerMs),
    );
    const fail = (error: Error) => {
      clearTimeout(deadline);
      reject(toHttpError(request, error));
    };
    outgoing.on('error', (error) => {
      if (isStale(outgoing, request, error)) reject(new StaleConnection());
      fail(error);
    });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', fail);
      incoming.on('end', () => {
        clearTimeout(deadline);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: flattenHeaders(incoming.headers),
          body: Buffer.concat(chunks),
        });
      });
    });
    outgoing.end(request.body);
  });
}

function describeOptions(request: HttpRequest): https.RequestOptions {
  const length =
    request.body === undefined ? {} : { 'content-length': Buffer.byteLength(request.body) };
  return {
    method: request.method,
    headers: { ...request.headers, ...length },
    ...(request.socketPath === undefined ? {} : { socketPath: request.socketPath }),
    ...(request.ca === undefined ? {} : { ca: request.ca }),
  };
}

/** The headers of an answer, each as one text. */
export function flattenHeaders(
  headers: http.IncomingHttpHeaders,
): Readonly<Record<string, string>> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function isStale(outgoing: http.ClientRequest, request: HttpRequest, error: Error): boolean {
  return (
    outgoing.reusedSocket &&
    repeatable.has(request.method) &&
    ['ECONNRESET', 'EPIPE'].includes(errorCode(error))
  );
}

const codes: ReadonlyMap<string, HttpErrorCode> = new Map([
  ['ECONNREFUSED', 'refused'],
  ['ENOENT', 'refused'],
  ['EACCES', 'refused'],
  ['EHOSTUNREACH', 'refused'],
  ['ENETUNREACH', 'refused'],
  ['ETIMEDOUT', 'timeout'],
  ['ENOTFOUND', 'unresolved'],
  ['EAI_AGAIN', 'unresolved'],
]);

// The names under which OpenSSL's verification failures reach us, and Node's own for a wrong name.
const untrusted =
  /^(CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH|ERR_TLS_CERT_)/;

/** What a failure of the socket layer means, as an `HttpError`. */
export function toHttpError(request: HttpErrorDetails['request'], error: Error): HttpError {
  if (error instanceof HttpError) return error;
  const systemCode = errorCode(error);
  const code = untrusted.test(systemCode) ? 'untrusted' : (codes.get(systemCode) ?? 'broken');
  // The message of an aggregate, one error per address that was tried, is empty.
  const reason = messageOf(error) === '' ? systemCode : messageOf(error);
  return new HttpError({ code, request, reason, cause: error });
}

function timeoutError(request: HttpRequest): HttpError {
  return new HttpError({
    code: 'timeout',
    request,
    reason: `no answer within ${request.timeoutMs} ms`,
  });
}

function errorCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function parseUrl(request: HttpRequest): URL {
  const url = URL.parse(request.url);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new HttpError({ code: 'broken', request, reason: 'not an http or https address' });
  }
  return url;
}

function describeUrl(text: string): string {
  const url = URL.parse(text);
  return url === null ? '(invalid address)' : `${url.protocol}//${url.host}${url.pathname}`;
}
