// What Juju does when the charm process exits with 0: it applies every buffered write of the hook
// together, or none of them. Gives the new state; rejects what the controller would refuse.

import { latestOf, type RelationState, type SecretState } from '../state.ts';
import { ToolError } from './arguments.ts';
import { type JujuState, type OpenHook, type PendingSecret, portsOf } from './open-hook.ts';

/** The state after the writes. Throws when the commit as a whole fails, which fails the hook. */
export function commit(hook: OpenHook): JujuState {
  const { state, pending } = hook;
  refuseStorage(hook);
  return {
    ...state,
    controllerState: pending.controllerState ?? state.controllerState,
    relations: state.relations.map((one) => committedRelation(hook, one)),
    openedPorts: portsOf(hook),
    secrets: committedSecrets(hook),
  };
}

function committedRelation(hook: OpenHook, relation: RelationState): RelationState {
  const { unitBags, appBags } = hook.pending;
  return {
    ...relation,
    localUnit: unitBags.get(relation.id) ?? relation.localUnit,
    localApp: appBags.get(relation.id) ?? relation.localApp,
  };
}

/** `storage-add` is taken, and then refused here: on Kubernetes units get no further storage. */
function refuseStorage({ pending }: OpenHook): void {
  const [name] = pending.storages.keys();
  if (name !== undefined)
    throw new ToolError(`adding storage "${name}" to a unit is not supported`);
}

function committedSecrets(hook: OpenHook): readonly SecretState[] {
  const { creates, deletes } = hook.pending;
  const kept = hook.state.secrets.flatMap((one) => {
    const revisions = deletes.get(one.id);
    if (revisions === 'all') return [];
    if (revisions === undefined) return [updated(hook, one)];
    const left = one.revisions.filter((each) => !revisions.has(each.revision));
    return left.length === 0 ? [] : [{ ...updated(hook, one), revisions: left }];
  });
  const made = [...creates.values()].map((one) => created(hook, one));
  const all = [...kept, ...made];
  refuseEqualLabels(all);
  return all;
}

function created(
  hook: OpenHook,
  { content = {}, owner = 'application', ...rest }: PendingSecret,
): SecretState {
  return {
    ...rest,
    owner,
    revisions: [{ revision: 1, content }],
    grants: newGrants(hook, rest.id, []),
  };
}

function updated(hook: OpenHook, secret: SecretState): SecretState {
  const {
    content,
    owner: _owner,
    ...metadata
  } = hook.pending.updates.get(secret.id) ?? { id: secret.id };
  const revision = latestOf(secret).revision + 1;
  const revisions =
    content === undefined ? secret.revisions : [...secret.revisions, { revision, content }];
  const tracksLatest = hook.pending.trackLatest.has(secret.id);
  return {
    ...secret,
    ...metadata,
    revisions,
    ...(tracksLatest ? { tracked: revisions.at(-1)?.revision ?? revision } : {}),
    grants: newGrants(hook, secret.id, secret.grants),
  };
}

function newGrants(
  hook: OpenHook,
  id: string,
  before: SecretState['grants'],
): SecretState['grants'] {
  const added = [...(hook.pending.grants.get(id) ?? [])].map(([relation, target]) => ({
    relation,
    target,
  }));
  const revoked = hook.pending.revokes.get(id);
  return [...before, ...added].filter((one) => revoked?.has(one.target) !== true);
}

function refuseEqualLabels(secrets: readonly SecretState[]): void {
  const seen = new Set<string>();
  for (const { owner, label } of secrets) {
    if (label === undefined || owner === 'foreign') continue;
    const key = `${owner} ${label}`;
    if (seen.has(key)) throw new ToolError(`secret label ${JSON.stringify(label)} already exists`);
    seen.add(key);
  }
}
