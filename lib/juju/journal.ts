// Everything that handlers want written, in the order in which they asked. A savepoint is a length
// and rolling back is cutting; what reads must see, and what goes out in the end, is folded from
// the entries. Knows nothing about hook tools.

import type { RelationReference } from './event.ts';
import type { SecretContent, SecretGrant } from './tools/secret.ts';

export type Write =
  | {
      readonly kind: 'data';
      readonly relation: RelationReference;
      /** Own unit or own application. */
      readonly owner: string;
      readonly change: Texts;
    }
  | {
      readonly kind: 'secret-content';
      readonly uri: string;
      readonly label: string;
      readonly content: SecretContent;
    }
  | ({ readonly kind: 'secret-grant' } & SecretGrant)
  | ({ readonly kind: 'secret-revoke' } & SecretGrant)
  | { readonly kind: 'secret-remove'; readonly uri: string; readonly revision?: number }
  | { readonly kind: 'open-ports'; readonly ports: readonly number[] }
  | { readonly kind: 'state'; readonly change: Texts }
  | { readonly kind: 'action-results'; readonly results: Texts }
  | { readonly kind: 'action-failure'; readonly message: string };

/** In a change the empty text removes the key. */
export type Texts = Readonly<Record<string, string>>;

export type WriteOf<K extends Write['kind']> = Extract<Write, { readonly kind: K }>;

export interface Journal {
  add(write: Write): void;
  /** The entries of one kind, oldest first. */
  all<K extends Write['kind']>(kind: K): readonly WriteOf<K>[];
  readonly savepoint: () => number;
  /** Forgets everything since the savepoint. */
  readonly rollBack: (savepoint: number) => void;
}

export function createJournal(): Journal {
  const writes: Write[] = [];
  return {
    add: (write) => {
      writes.push(write);
    },
    all: (kind) => writes.filter((write) => isOf(write, kind)),
    savepoint: () => writes.length,
    rollBack: (savepoint) => {
      writes.length = savepoint;
    },
  };
}

function isOf<K extends Write['kind']>(write: Write, kind: K): write is WriteOf<K> {
  return write.kind === kind;
}

/** Changes as one, the last one about a key winning. */
export function mergeChanges(changes: readonly Texts[]): Texts {
  return Object.fromEntries(changes.flatMap((change) => Object.entries(change)));
}

/** What a bag holds after a change. */
export function applyChange(bag: Texts, change: Texts): Texts {
  const changed = { ...bag, ...change };
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== ''));
}

/** The part of a change that makes a difference to a bag. */
export function differences(bag: Texts, change: Texts): Texts {
  return Object.fromEntries(
    Object.entries(change).filter(([key, value]) => (bag[key] ?? '') !== value),
  );
}
