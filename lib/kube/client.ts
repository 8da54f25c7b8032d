// Implements the Kubernetes port over HTTP and WebSockets. Credentials are read on first use and kept for the
// dispatch; when the API server refuses them they are read once more, because the file may have
// been replaced meanwhile. Nothing else is retried.
// Source: Kubernetes API reference; "Server-Side Apply" (JSON is accepted as YAML).

import * as v from 'valibot';

import { CodedError } from '../base/error.ts';
import type { HttpPort, HttpRequest, HttpResponse } from '../base/http-port.ts';
import { lazy } from '../base/lazy.ts';
import { KubeError, type KubeErrorCode } from './error.ts';
import { openExec } from './exec.ts';
import type { Kube, KubeKind } from './kube.ts';
import type { KubeCredentials } from './service-account.ts';

export interface KubeOptions {
  readonly http: HttpPort;
  /** The model's name. */
  readonly namespace: string;
  /** `https://10.152.183.1:443`, see `inClusterUrl`. */
  readonly url: string;
  /** See `readServiceAccount`. */
  readonly credentials: () => Promise<KubeCredentials>;
}

interface KubeRequest {
  readonly method: HttpRequest['method'];
  readonly path: string;
  readonly contentType?: string;
  readonly body?: unknown;
}

// The API server answers within milliseconds; under load its own limit for such calls is higher,
// but a hook must not stand still longer than this.
const timeoutMs = 10_000;

interface KindFacts {
  readonly kind: string;
  readonly apiVersion: string;
  /** Where the API has it. */
  readonly root: string;
}

const core = { apiVersion: 'v1', root: '/api/v1' } as const;
const kinds: Readonly<Record<KubeKind, KindFacts>> = {
  pods: { ...core, kind: 'Pod' },
  services: { ...core, kind: 'Service' },
  endpoints: { ...core, kind: 'Endpoints' },
  nodes: { ...core, kind: 'Node' },
  statefulsets: { kind: 'StatefulSet', apiVersion: 'apps/v1', root: '/apis/apps/v1' },
};

/** A client for one namespace; reads nothing and sends nothing before the first call. */
export function createKube(options: KubeOptions): Kube {
  const authorised = createAuthorisation(options);
  const send = async (request: KubeRequest) =>
    await authorised(async (credentials) => await sendRequest(options, credentials, request));
  const path = (kind: KubeKind, name?: string) => pathOf(options.namespace, kind, name);

  return {
    get: async (kind, name) => {
      const answer = await send({ method: 'GET', path: path(kind, name) });
      if (answer.status === 404) return undefined;
      return parse(objectSchema, accept(`read ${kind} "${name}"`, answer));
    },
    list: async (kind, labelSelector) => {
      const query = `?labelSelector=${encodeURIComponent(labelSelector)}`;
      const answer = await send({ method: 'GET', path: path(kind) + query });
      return parse(listSchema, accept(`list ${kind}`, answer)).items;
    },
    apply: async (kind, manifest, fieldManager) => {
      const { name } = manifest.metadata;
      const { apiVersion, kind: kindName } = kinds[kind];
      const query = `?fieldManager=${encodeURIComponent(fieldManager)}&force=true`;
      const answer = await send({
        method: 'PATCH',
        path: path(kind, name) + query,
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion, kind: kindName, ...manifest },
      });
      return parse(objectSchema, accept(`apply ${kind} "${name}"`, answer));
    },
    patch: async (kind, name, patch) => {
      const contentType = 'application/merge-patch+json';
      const answer = await send({
        method: 'PATCH',
        path: path(kind, name),
        contentType,
        body: patch,
      });
      return parse(objectSchema, accept(`patch ${kind} "${name}"`, answer));
    },
    delete: async (kind, name) => {
      const answer = await send({ method: 'DELETE', path: path(kind, name) });
      if (answer.status !== 404) accept(`delete ${kind} "${name}"`, answer);
    },
    exec: async (pod, exec) => {
      const url = options.url + path('pods', pod);
      const opened = await authorised(
        async (credentials) => await openExec({ url, credentials }, exec),
      );
      if ('status' in opened) throw refusal(`run a program in pod "${pod}"`, opened);
      return opened;
    },
  };
}

function pathOf(namespace: string, kind: KubeKind, name: string | undefined): string {
  const scope = kind === 'nodes' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const tail = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${kinds[kind].root}${scope}/${kind}${tail}`;
}

type Authorised = <T extends object>(
  call: (credentials: KubeCredentials) => Promise<T>,
) => Promise<T>;

/** Makes calls with the credentials, and once more with new ones when these are refused. */
function createAuthorisation(options: KubeOptions): Authorised {
  let credentials = lazy(options.credentials);
  return async (call) => {
    const first = await reach(call, await credentials());
    if (!('status' in first) || first.status !== 401) return first;
    credentials = lazy(options.credentials);
    return await reach(call, await credentials());
  };
}

async function reach<T>(
  call: (credentials: KubeCredentials) => Promise<T>,
  credentials: KubeCredentials,
): Promise<T> {
  try {
    return await call(credentials);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    const details = { code: 'unreachable', fields: { reason: error.code }, cause: error } as const;
    throw new KubeError(`cannot reach the Kubernetes API: ${error.code}`, details);
  }
}

async function sendRequest(
  options: KubeOptions,
  credentials: KubeCredentials,
  request: KubeRequest,
): Promise<HttpResponse> {
  return await options.http({
    method: request.method,
    url: options.url + request.path,
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${credentials.token}`,
      ...(request.contentType === undefined ? {} : { 'content-type': request.contentType }),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
    timeoutMs,
  });
}

function accept(purpose: string, response: HttpResponse): HttpResponse {
  if (response.status >= 200 && response.status < 300) return response;
  throw refusal(purpose, response);
}

function refusal(purpose: string, response: HttpResponse): KubeError {
  const { status } = response;
  const { reason, message } = v.parse(statusSchema, response.body.toString());
  const code: KubeErrorCode = status === 403 ? 'forbidden' : status === 409 ? 'conflict' : 'api';
  return new KubeError(`cannot ${purpose}: ${message ?? `status ${status}`}`, {
    code,
    fields: { status, reason },
    ...(code === 'forbidden' ? { hint: 'Run `juju trust` with --scope=cluster.' } : {}),
  });
}

const metadataSchema = v.looseObject({
  name: v.string(),
  namespace: v.exactOptional(v.string()),
  labels: v.exactOptional(v.record(v.string(), v.string())),
  annotations: v.exactOptional(v.record(v.string(), v.string())),
  ownerReferences: v.exactOptional(v.array(v.unknown())),
  resourceVersion: v.exactOptional(v.string()),
  uid: v.exactOptional(v.string()),
  creationTimestamp: v.exactOptional(v.string()),
});

const objectSchema = v.looseObject({
  apiVersion: v.exactOptional(v.string()),
  kind: v.exactOptional(v.string()),
  metadata: metadataSchema,
});

const listSchema = v.object({ items: v.array(objectSchema) });

/** Kubernetes' `Status` object; anything else (a proxy's page) says nothing. */
const statusSchema = v.fallback(
  v.pipe(
    v.string(),
    v.parseJson(),
    v.object({ reason: v.optional(v.string()), message: v.optional(v.string()) }),
  ),
  {},
);

function parse<T>(schema: v.GenericSchema<unknown, T>, response: HttpResponse): T {
  const text = response.body.toString();
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (result.success) return result.output;
  throw new KubeError("cannot understand Kubernetes' answer", {
    code: 'api',
    fields: { status: response.status, reason: 'malformed answer' },
  });
}
