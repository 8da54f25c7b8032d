// The HTTP port: what the clients of Patroni, Kubernetes and Pebble are written against.
// `http.ts` implements it over node:http and node:https; the scenario kit answers from memory.

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'HEAD';
  /** `http://host:port/path` or `https://…`; with a socket path the host part is arbitrary. */
  readonly url: string;
  readonly socketPath?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string;
  readonly timeoutMs: number;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * One request, the whole answer in memory. Rejects with `HttpError` (codes `refused`, `timeout`,
 * `unresolved`, `untrusted`, `broken`) when there is no answer; any status is an answer.
 */
export type HttpPort = (request: HttpRequest) => Promise<HttpResponse>;
