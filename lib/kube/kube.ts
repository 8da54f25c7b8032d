// The few Kubernetes calls that charms need, over the HTTP port, with the pod's service account.
// Objects are passed as plain JSON; only the fields that we read are typed.
// Source: Kubernetes API reference, core/v1 and apps/v1.

import type { Duplex } from 'node:stream';

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly unknown[];
  readonly resourceVersion?: string;
  readonly uid?: string;
  /** In whole seconds. */
  readonly creationTimestamp?: string;
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export type KubeKind = 'pods' | 'services' | 'endpoints' | 'nodes' | 'statefulsets';

export interface ExecOptions {
  readonly container: string;
  readonly command: readonly string[];
  /** For the start only: what follows is bounded by whoever uses the stream. */
  readonly timeoutMs: number;
}

/**
 * Every call rejects with `KubeError`: codes `forbidden` (403: the operator has to run
 * `juju trust`), `conflict`, `unreachable`, `api` (fields: status, reason). Namespace: the model's.
 */
export interface Kube {
  get(kind: KubeKind, name: string): Promise<KubeObject | undefined>;
  list(kind: KubeKind, labelSelector: string): Promise<readonly KubeObject[]>;
  /** Server-side apply with `force`, as the given field manager; gives the object as stored. */
  apply(kind: KubeKind, manifest: KubeObject, fieldManager: string): Promise<KubeObject>;
  /** Strategic-free merge patch (RFC 7386): `null` removes. */
  patch(
    kind: KubeKind,
    name: string,
    patch: Readonly<Record<string, unknown>>,
  ): Promise<KubeObject>;
  /** Deleting what is not there is fine. */
  delete(kind: KubeKind, name: string): Promise<void>;
  /**
   * Runs a program in a pod; gives its input and output as one stream. Ending the stream ends the
   * input. A program that fails, or gets lost, destroys the stream with a `KubeError` that has the
   * program's error output as its message and the field `exitCode`.
   */
  exec(pod: string, options: ExecOptions): Promise<Duplex>;
}
