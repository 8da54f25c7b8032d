// An HTTP port that answers from a list, in order, and keeps what it was asked.

import { HttpError, type HttpErrorCode } from '../../lib/base/http.ts';
import type { HttpPort, HttpRequest, HttpResponse } from '../../lib/base/http-port.ts';

export interface FakeHttp {
  readonly http: HttpPort;
  readonly requests: readonly HttpRequest[];
}

/** Text is sent as it is, everything else as JSON; a code is the failure of that name. */
export type FakeAnswer =
  | { readonly status: number; readonly body?: unknown }
  | { readonly fails: HttpErrorCode };

/** Fails the call that comes after the last answer. */
export function createFakeHttp(...answers: readonly FakeAnswer[]): FakeHttp {
  const requests: HttpRequest[] = [];
  const http: HttpPort = async (request) => {
    const answer = answers[requests.push(request) - 1];
    if (answer === undefined)
      throw new Error(`unexpected request: ${request.method} ${request.url}`);
    if ('fails' in answer) throw new HttpError({ code: answer.fails, request, reason: 'planned' });
    return await Promise.resolve(toResponse(answer.status, answer.body));
  };
  return { http, requests };
}

function toResponse(status: number, body: unknown): HttpResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body ?? {});
  return { status, headers: {}, body: Buffer.from(text) };
}
