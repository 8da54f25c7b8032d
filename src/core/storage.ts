// Whose data a volume holds, and what a unit may do with it. A volume outlives its unit: it may come
// back to another unit, come from another application, or come back without its data. Pure.

/** Who uses a volume. Two clusters may have one system identifier: one was restored from the other. */
export interface Owner {
  readonly model: string;
  readonly application: string;
}

/** What a volume says about itself. */
export interface Identity extends Owner {
  /** Whose it was before this application took it over. */
  readonly origin?: Owner;
}

export interface StorageFacts {
  readonly self: Owner;
  /** System identifier of the data on the volume; absent: there is no data. */
  readonly found?: string;
  /** Who the volume says it belongs to. */
  readonly owner?: Owner;
  /** Whether the application has, or had, a database. */
  readonly initialised: boolean;
  /** System identifier of the application's cluster, as Patroni remembers it. */
  readonly expected?: string;
  /** Owner of the volume that the application was started from. */
  readonly adoptedFrom?: Owner;
}

export type StorageJudgement =
  /** To be filled: by initdb, or with a copy of the primary. */
  | { readonly kind: 'empty' }
  /** Empty, and nothing remembers the cluster: a start would make an empty database. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'own' }
  /** Data from elsewhere in an application that has none: what a recovery begins with. */
  | { readonly kind: 'adopted' }
  | { readonly kind: 'foreign'; readonly reason: string };

/** What a unit has on its volume. */
export function judgeStorage(facts: StorageFacts): StorageJudgement {
  const { found, expected, owner, initialised } = facts;
  if (found === undefined) {
    return { kind: initialised && expected === undefined ? 'lost' : 'empty' };
  }
  if (expected !== undefined && found !== expected) {
    return { kind: 'foreign', reason: `system identifier ${found}, expected ${expected}` };
  }
  if (!initialised) return { kind: isSame(owner, facts.self) ? 'own' : 'adopted' };
  const known = owner === undefined || [facts.self, facts.adoptedFrom].some(isOwner(owner));
  return known ? { kind: 'own' } : { kind: 'foreign', reason: describe(owner, facts.self) };
}

function isOwner(owner: Owner): (other: Owner | undefined) => boolean {
  return (other) => isSame(other, owner);
}

export function isSame(one: Owner | undefined, other: Owner): boolean {
  return one?.model === other.model && one.application === other.application;
}

function describe(owner: Owner, self: Owner): string {
  return owner.model === self.model
    ? `of application ${owner.application}`
    : `of application ${owner.application} in model ${owner.model}`;
}
