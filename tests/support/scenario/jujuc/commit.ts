// What Juju does when the charm process exits with 0: it applies every buffered write of the hook
// together, or none of them. Gives the new state; rejects what the controller would refuse.

import { latestOf, type RelationState, type SecretState } from '../state.ts';
import { ToolError } from './arguments.ts';
import type { JujuState, PendingSecret, Session } from './session.ts';

/** The state after the writes. Throws when the commit as a whole fails, which fails the hook. */
export function commit(session: Session): JujuState {
  const { state, pending } = session;
  const kept = state.openedPorts.filter((port) => !pending.ports.close.has(port));
  const ports = new Set([...kept, ...pending.ports.open]);
  return {
    ...state,
    controllerState: pending.controllerState ?? state.controllerState,
    relations: state.relations.map((one) => committedRelation(session, one)),
    openedPorts: [...ports].sort(
      (left, right) => Number.parseInt(left, 10) - Number.parseInt(right, 10),
    ),
    secrets: committedSecrets(session),
    storages: committedStorages(session),
  };
}

function committedRelation(session: Session, relation: RelationState): RelationState {
  const { unitBags, appBags } = session.pending;
  return {
    ...relation,
    localUnit: unitBags.get(relation.id) ?? relation.localUnit,
    localApp: appBags.get(relation.id) ?? relation.localApp,
  };
}

function committedStorages(session: Session): JujuState['storages'] {
  const { storages } = session.state;
  const added = [...session.pending.storages].flatMap(([name, count]) => {
    if (session.files.storages[name] === undefined)
      throw new ToolError(`storage "${name}" not found`);
    const used = storages.filter((one) => one.name === name).length;
    return Array.from({ length: count }, (_, n) => ({
      name,
      index: used + n,
      location: `/${name}/${used + n}`,
    }));
  });
  return [...storages, ...added];
}

function committedSecrets(session: Session): readonly SecretState[] {
  const { creates, deletes } = session.pending;
  const kept = session.state.secrets.flatMap((one) => {
    const revisions = deletes.get(one.id);
    if (revisions === 'all') return [];
    if (revisions === undefined) return [updated(session, one)];
    const left = one.revisions.filter((each) => !revisions.has(each.revision));
    return left.length === 0 ? [] : [{ ...updated(session, one), revisions: left }];
  });
  const made = [...creates.values()].map((one) => created(session, one));
  const all = [...kept, ...made];
  refuseEqualLabels(all);
  return all;
}

function created(
  session: Session,
  { content = {}, owner = 'application', ...rest }: PendingSecret,
): SecretState {
  return {
    ...rest,
    owner,
    revisions: [{ revision: 1, content }],
    grants: newGrants(session, rest.id, []),
  };
}

function updated(session: Session, secret: SecretState): SecretState {
  const {
    content,
    owner: _owner,
    ...metadata
  } = session.pending.updates.get(secret.id) ?? { id: secret.id };
  const revision = latestOf(secret).revision + 1;
  const revisions =
    content === undefined ? secret.revisions : [...secret.revisions, { revision, content }];
  const tracksLatest = session.pending.trackLatest.has(secret.id);
  return {
    ...secret,
    ...metadata,
    revisions,
    ...(tracksLatest ? { tracked: revisions.at(-1)?.revision ?? revision } : {}),
    grants: newGrants(session, secret.id, secret.grants),
  };
}

function newGrants(
  session: Session,
  id: string,
  before: SecretState['grants'],
): SecretState['grants'] {
  const added = [...(session.pending.grants.get(id) ?? [])].map(([relation, target]) => ({
    relation,
    target,
  }));
  const revoked = session.pending.revokes.get(id);
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
