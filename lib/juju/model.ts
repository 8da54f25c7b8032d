// Juju as handlers see it: every read at most once per dispatch, writes collected in a journal with
// savepoints, visible to later reads, sent at the end in a fixed order: relation data, secrets,
// ports, state (deferred events included), action results. The status, which Juju does not take
// back when the hook fails, comes after all of these and is dispatch.ts's part.

import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { JujuError } from './error.ts';
import type { HookContext } from './event.ts';
import {
  applyChange,
  createJournal,
  differences,
  type Journal,
  mergeChanges,
  type Texts,
} from './journal.ts';
import type { Action, Juju } from './juju.ts';
import { createLeadership } from './leadership.ts';
import { onceOnly, oncePerKey } from './once.ts';
import { createPeerRelation } from './peer-relation.ts';
import { createRelations, toTexts } from './relations.ts';
import { grantsKey, losesGrants, renderGrants, repeatGrants } from './repeated-grants.ts';
import { createSecrets } from './secrets.ts';
import { createUnitStatus, readUnitStatuses } from './status.ts';
import { actionFail, actionGet, actionLog, actionSet } from './tools/action.ts';
import { applicationVersionSet, goalState } from './tools/application.ts';
import { longestArgumentBytes } from './tools/call.ts';
import { configGet } from './tools/config.ts';
import { networkGet } from './tools/network.ts';
import type { HookToolPort } from './tools/port.ts';
import { openedPorts, openPort } from './tools/ports.ts';
import { stateDelete, stateGet, stateSet } from './tools/state.ts';
import { storageGet, storageList } from './tools/storage.ts';

/** Juju with the hold on its writes that only the dispatch has. */
export interface TransactionalJuju extends Juju {
  savepoint(): number;
  /** Forgets what has been written since; secrets that were announced meanwhile stay. */
  rollBack(savepoint: number): void;
  /** Sends everything that makes a difference; nothing may be written afterwards. */
  flush(): Promise<void>;
  /** Keys of the unit's state, pending writes included. */
  stateKeys(): Promise<readonly string[]>;
}

export interface JujuOptions {
  /** With it an answer about who leads is known to be old. */
  readonly clock?: Clock;
  readonly log?: Log;
}

export function createJuju(
  context: HookContext,
  port: HookToolPort,
  { clock, log }: JujuOptions = {},
): TransactionalJuju {
  const journal = createJournal();
  const relations = createRelations(context, port, journal);
  const secrets = createSecrets(context, port, journal);
  const status = createUnitStatus(port);
  const state = createState(port, journal);
  const leadership = createLeadership(port, clock);
  const planned = onceOnly(async () => await readPlannedUnits(port));
  const rememberGrants = async () => {
    const remembered = (await state.current())[grantsKey];
    if (remembered !== undefined) await repeatGrants(port, remembered);
    journal.add({ kind: 'state', change: { [grantsKey]: renderGrants(secrets.newGrants()) } });
  };
  return {
    context,
    config: onceOnly(async () => await configGet(port)),
    isLeader: leadership.isLeader,
    plannedUnits: async () => (await planned()).length,
    plannedUnitNames: planned,
    relations: relations.ofEndpoint,
    relation: async (endpoint) => (await relations.ofEndpoint(endpoint))[0],
    peerRelation: createPeerRelation({
      context,
      journal,
      relations,
      state: async (key) => (await state.current())[key],
    }),
    relationById: (endpoint, id) => relations.byId({ endpoint, id }),
    secretByLabel: secrets.byLabel,
    secretById: async (uri, options) => await secrets.byId(uri, options ?? {}),
    secretRevision: secrets.revision,
    setSecret: secrets.set,
    grantSecret: (uri, { endpoint, id }) => {
      journal.add({ kind: 'secret-grant', uri, relation: { endpoint, id } });
    },
    revokeSecret: (uri, { endpoint, id }) => {
      journal.add({ kind: 'secret-revoke', uri, relation: { endpoint, id } });
    },
    removeSecret: (uri, revision) => {
      journal.add({ kind: 'secret-remove', uri, ...(revision === undefined ? {} : { revision }) });
    },
    state: async (key) => (await state.current())[key],
    setState: (change) => {
      journal.add({ kind: 'state', change: toTexts(change) });
    },
    openPorts: (ports) => {
      journal.add({ kind: 'open-ports', ports });
    },
    setWorkloadVersion: async (version) => {
      await applicationVersionSet(port, version);
    },
    storageLocation: oncePerKey(async (name) => await findStorage(context, port, name)),
    bindAddress: oncePerKey(async (endpoint) => await findBindAddress(port, endpoint)),
    unitStatus: status.get,
    unitStatuses: onceOnly(async () => await readUnitStatuses(port)),
    showProgress: status.set,
    action: createAction(context, port, { journal, log }),
    savepoint: journal.savepoint,
    rollBack: journal.rollBack,
    stateKeys: async () => Object.keys(await state.current()),
    flush: async () => {
      await relations.flush(async () => {
        const lost = await leadership.isLost();
        if (lost) log?.('WARNING', lostText);
        return !lost;
      });
      await secrets.flush();
      if (losesGrants(context.jujuVersion)) await rememberGrants();
      await flushPorts(port, journal);
      await state.flush();
      await flushAction(port, journal);
    },
  };
}

const lostText =
  'this unit does not lead any more: what it would have written for the application is left to the leader';

async function readPlannedUnits(port: HookToolPort): Promise<readonly string[]> {
  const { units } = await goalState(port);
  return Object.keys(units).filter((unit) => units[unit] !== 'dying');
}

interface UnitState {
  current(): Promise<Readonly<Record<string, string>>>;
  flush(): Promise<void>;
}

function createState(port: HookToolPort, journal: Journal): UnitState {
  const stored = onceOnly(async () => await stateGet(port));
  const pending = () => mergeChanges(journal.all('state').map((write) => write.change));
  return {
    current: async () => applyChange(await stored(), pending()),
    flush: async () => {
      const change = pending();
      if (Object.keys(change).length === 0) return;
      const entries = Object.entries(differences(await stored(), change));
      const values = entries.filter(([, value]) => value !== '');
      if (values.length > 0) await stateSet(port, Object.fromEntries(values));
      for (const [key, value] of entries) if (value === '') await stateDelete(port, key);
    },
  };
}

async function flushPorts(port: HookToolPort, journal: Journal): Promise<void> {
  const wanted = new Set(journal.all('open-ports').flatMap((write) => write.ports));
  if (wanted.size === 0) return;
  const open = await openedPorts(port);
  for (const each of [...wanted].toSorted((left, right) => left - right)) {
    const name = `${each}/tcp`;
    if (!open.includes(name)) await openPort(port, name);
  }
}

async function flushAction(port: HookToolPort, journal: Journal): Promise<void> {
  const results = mergeChanges(journal.all('action-results').map((write) => write.results));
  if (Object.keys(results).length > 0) await actionSet(port, results);
  const failure = journal.all('action-failure').at(-1);
  if (failure !== undefined) await actionFail(port, failure.message);
}

interface ActionParts {
  readonly journal: Journal;
  readonly log: Log | undefined;
}

function createAction(
  context: HookContext,
  port: HookToolPort,
  { journal, log }: ActionParts,
): () => Action {
  const params = onceOnly(async () => await actionGet(port));
  const action: Action = {
    params,
    setResults: (results) => {
      refuseLongResults(results);
      journal.add({ kind: 'action-results', results });
    },
    fail: (message) => {
      journal.add({ kind: 'action-failure', message });
    },
    log: async (message) => {
      try {
        await actionLog(port, message);
      } catch (error) {
        if (!(error instanceof JujuError)) throw error;
        log?.('WARNING', `not told: "${message}": ${error.message}`);
      }
    },
  };
  return () => {
    if (context.event.kind === 'action') return action;
    throw new JujuError(`cannot use an action in "${context.event.name}": no action runs`, {
      code: 'not-an-action',
    });
  };
}

/** Told now, the handler still fails with a message; told at the end, only with an exit code. */
function refuseLongResults(results: Texts): void {
  for (const [key, value] of Object.entries(results)) {
    const bytes = Buffer.byteLength(`${key}=${value}`);
    if (bytes <= longestArgumentBytes) continue;
    throw new JujuError(
      `cannot give the result "${key}": ${bytes} bytes are more than ${longestArgumentBytes}`,
      { code: 'too-large' },
    );
  }
}

async function findStorage(
  context: HookContext,
  port: HookToolPort,
  name: string,
): Promise<string | undefined> {
  const { event } = context;
  if (event.kind === 'storage' && event.storage === name && event.location !== undefined) {
    return event.location;
  }
  const [first] = (await storageList(port, name)).toSorted();
  return first === undefined ? undefined : (await storageGet(port, first)).location;
}

async function findBindAddress(port: HookToolPort, endpoint: string): Promise<string | undefined> {
  const { interfaces } = await networkGet(port, endpoint);
  return interfaces.flatMap((each) => each.addresses)[0]?.value;
}
