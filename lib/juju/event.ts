// What Juju can send to a charm, as one discriminated union, and the facts that stay the same for
// the whole dispatch. Made only by `parseContext` in context.ts.
// Source of the variables: Juju's hook environment (JUJU_DISPATCH_PATH and friends).

export interface RelationReference {
  readonly endpoint: string;
  readonly id: number;
}

interface Named {
  /** Juju's full hook name (`database-peers-relation-changed`) or the action's name. */
  readonly name: string;
}

export type LifecycleEvent = Named & { readonly kind: 'lifecycle' };

export type RelationChange = 'created' | 'joined' | 'changed' | 'departed' | 'broken';

export type RelationEvent = Named & {
  readonly kind: 'relation';
  readonly change: RelationChange;
  readonly relation: RelationReference;
  readonly remoteApp?: string;
  readonly remoteUnit?: string;
  readonly departingUnit?: string;
};

export type StorageEvent = Named & {
  readonly kind: 'storage';
  readonly change: 'attached' | 'detaching';
  readonly storage: string;
  readonly index: number;
  readonly location?: string;
};

export type SecretEvent = Named & {
  readonly kind: 'secret';
  readonly change: 'changed' | 'rotate' | 'expired' | 'remove';
  readonly id: string;
  readonly label?: string;
  readonly revision?: number;
};

export type PebbleReadyEvent = Named & {
  readonly kind: 'pebble-ready';
  readonly container: string;
};

export type PebbleNoticeEvent = Named & {
  readonly kind: 'pebble-notice';
  readonly container: string;
  readonly noticeId: string;
  readonly noticeKey: string;
};

export type PebbleCheckEvent = Named & {
  readonly kind: 'pebble-check';
  readonly container: string;
  readonly change: 'failed' | 'recovered';
  readonly check: string;
};

export type ActionEvent = Named & { readonly kind: 'action'; readonly id: string };

export type JujuEvent =
  | LifecycleEvent
  | RelationEvent
  | StorageEvent
  | SecretEvent
  | PebbleReadyEvent
  | PebbleNoticeEvent
  | PebbleCheckEvent
  | ActionEvent;

/** Facts of one dispatch, parsed once from the environment and frozen. */
export interface HookContext {
  /** `app/0` */
  readonly unit: string;
  /** `app` */
  readonly app: string;
  readonly modelName: string;
  readonly modelUuid: string;
  readonly charmDir: string;
  readonly jujuVersion: string;
  readonly event: JujuEvent;
}
