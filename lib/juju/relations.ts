// Relations and their databags: reads through the hook tools, own pending writes laid over them.

import type { HookContext, RelationReference } from './event.ts';
import { applyChange, differences, type Journal, type Texts } from './journal.ts';
import type { DataBagChange, Relation } from './juju.ts';
import { onceOnly, oncePerKey } from './once.ts';
import type { HookToolPort } from './tools/port.ts';
import {
  formatRelation,
  relationApp,
  relationGet,
  relationIds,
  relationList,
  relationSet,
} from './tools/relation.ts';

export interface Relations {
  readonly ofEndpoint: (endpoint: string) => Promise<readonly Relation[]>;
  byId(relation: RelationReference): Relation;
  /** Sends what makes a difference, one call for each databag; the application's only if that may be. */
  flush(mayWriteApp: () => Promise<boolean>): Promise<void>;
}

export function createRelations(
  context: HookContext,
  port: HookToolPort,
  journal: Journal,
): Relations {
  const known = new Map<string, StoredRelation>();
  const byId = ({ endpoint, id }: RelationReference): StoredRelation => {
    const key = formatRelation({ endpoint, id });
    const relation =
      known.get(key) ?? createRelation({ context, port, journal, reference: { endpoint, id } });
    known.set(key, relation);
    return relation;
  };
  const references = oncePerKey(async (endpoint) => await relationIds(port, endpoint));
  return {
    byId,
    ofEndpoint: async (endpoint) => (await references(endpoint)).map(byId),
    flush: async (mayWriteApp) => {
      for (const { relation, owner, change } of changesByBag(journal).values()) {
        const values = differences(await byId(relation).stored(owner), change);
        if (Object.keys(values).length === 0) continue;
        const kind = owner === context.unit ? 'unit' : 'application';
        if (kind === 'application' && !(await mayWriteApp())) continue;
        await relationSet(port, { relation, owner: kind, values });
      }
    },
  };
}

/** A relation that also tells what Juju has, without pending writes. */
interface StoredRelation extends Relation {
  stored(owner: string): Promise<Texts>;
}

interface RelationParts {
  readonly context: HookContext;
  readonly port: HookToolPort;
  readonly journal: Journal;
  readonly reference: RelationReference;
}

function createRelation({ context, port, journal, reference }: RelationParts): StoredRelation {
  const stored = oncePerKey(async (owner) => await relationGet(port, reference, owner));
  const loadUnits = onceOnly(async () => await relationList(port, reference));
  const loadApp = onceOnly(async () => await relationApp(port, reference));
  const set = (owner: string, change: DataBagChange) => {
    journal.add({ kind: 'data', relation: reference, owner, change: toTexts(change) });
  };
  return {
    ...reference,
    stored,
    app: async () => remoteAppOf(context, reference) ?? (await loadApp()),
    units: async () => (await loadUnits()).toSorted(byNumber),
    data: async (owner) => {
      const pending = changesByBag(journal).get(bagKey(reference, owner));
      const bag = await stored(owner);
      return pending === undefined ? bag : applyChange(bag, pending.change);
    },
    setUnit: (change) => {
      set(context.unit, change);
    },
    setApp: (change) => {
      set(context.app, change);
    },
  };
}

/** Juju names the remote application in the environment of a relation's hook. */
function remoteAppOf(context: HookContext, reference: RelationReference): string | undefined {
  const { event } = context;
  const same =
    event.kind === 'relation' && formatRelation(event.relation) === formatRelation(reference);
  return same ? event.remoteApp : undefined;
}

interface BagChange {
  readonly relation: RelationReference;
  readonly owner: string;
  readonly change: Texts;
}

function changesByBag(journal: Journal): ReadonlyMap<string, BagChange> {
  const changes = new Map<string, BagChange>();
  for (const { relation, owner, change } of journal.all('data')) {
    const key = bagKey(relation, owner);
    const earlier = changes.get(key)?.change ?? {};
    changes.set(key, { relation, owner, change: { ...earlier, ...change } });
  }
  return changes;
}

function bagKey(relation: RelationReference, owner: string): string {
  return `${formatRelation(relation)} ${owner}`;
}

/** Removal of a key as the empty text, as Juju has it. */
export function toTexts(change: DataBagChange): Texts {
  return Object.fromEntries(Object.entries(change).map(([key, value]) => [key, value ?? '']));
}

function byNumber(left: string, right: string): number {
  return numberOf(left) - numberOf(right);
}

function numberOf(unit: string): number {
  return Number(unit.slice(unit.lastIndexOf('/') + 1));
}
