// The peer relation of an endpoint without asking for it. Juju makes it with the application, never
// gives its id to another relation and keeps it until the application goes; only a charm that loses
// the endpoint and gets it again sees another one. So its id is kept in the unit's state, which every
// hook reads anyway. The application's own databag, which whoever wants the relation reads next, shows
// that Juju still has it; otherwise Juju is asked, as it is in the hook of the relation's end.

import { JujuError } from './error.ts';
import type { HookContext } from './event.ts';
import type { Journal } from './journal.ts';
import type { Relation } from './juju.ts';
import { oncePerKey } from './once.ts';
import type { Relations } from './relations.ts';
import { formatRelation, parseRelation } from './tools/relation.ts';

interface PeerParts {
  readonly context: HookContext;
  readonly journal: Journal;
  readonly relations: Pick<Relations, 'byId' | 'ofEndpoint'>;
  /** The unit's state. */
  readonly state: (key: string) => Promise<string | undefined>;
}

export function createPeerRelation(
  parts: PeerParts,
): (endpoint: string) => Promise<Relation | undefined> {
  const { journal, relations } = parts;
  return oncePerKey(async (endpoint) => {
    const key = `peer-relation-${endpoint}`;
    const remembered = await recall(parts, endpoint, await parts.state(key));
    if (remembered !== undefined) return remembered;
    const [found] = await relations.ofEndpoint(endpoint);
    if (found !== undefined) {
      journal.add({ kind: 'state', change: { [key]: formatRelation(found) } });
    }
    return found;
  });
}

async function recall(
  { context, relations }: PeerParts,
  endpoint: string,
  text: string | undefined,
): Promise<Relation | undefined> {
  const { event } = context;
  const reference = parseRelation(text ?? '');
  if (reference?.endpoint !== endpoint) return undefined;
  if (event.kind === 'relation' && event.change === 'broken') return undefined;
  const relation = relations.byId(reference);
  try {
    await relation.data(context.app);
    return relation;
  } catch (error) {
    // Whatever Juju says to it: when it is not about the relation, the next answer says so again.
    if (error instanceof JujuError) return undefined;
    throw error;
  }
}
