// The cluster as one dispatch sees it: the peer relation, the passwords, and Patroni's own view.
// Each is read at most once, Patroni again after something has been changed (view.ts); `setApp` keeps
// what was read in step with what was written.

import type { HttpPort } from '../../lib/base/http-port.ts';
import type { Secret } from '../../lib/base/secret.ts';
import type { Hook } from '../../lib/juju/hook.ts';
import type { DataBagChange, Relation } from '../../lib/juju/juju.ts';
import { type LastBackup, parseLastBackup } from '../core/backups/last-backup.ts';
import { type BackupOrder, parseOrder } from '../core/backups/order.ts';
import {
  parseAbandoned,
  parseRequest,
  parseRestoreId,
  type RestoreRequest,
} from '../core/backups/restore-request.ts';
import {
  missingUnits,
  parseEndpoints,
  presentEndpoints,
  renderEndpoints,
} from '../core/membership.ts';
import {
  appSecretLabel,
  memberHost,
  memberOfUnit,
  type PasswordUser,
  passwordKey,
  patroniPort,
  patroniScheme,
  peerEndpoint,
  unitOfMember,
} from '../core/names.ts';
import type { PostgresqlPorts } from '../ports.ts';
import { createPatroni, type Patroni, PatroniError } from './patroni.ts';
import type { Health, Member, Cluster as PatroniCluster } from './patroni-answers.ts';
import { forgetView, type Listed, viewOf } from './view.ts';

export type PostgresqlHook = Hook<PostgresqlPorts>;

/** Keys of the application's peer databag that the charm uses. */
export interface AppData {
  readonly endpoints: readonly string[];
  readonly initialised: boolean;
  readonly stanza: string | undefined;
  /** Which repository WAL was last seen to arrive in; see src/backups.ts. */
  readonly repository: string | undefined;
  readonly s3BlockMessage: string | undefined;
  /** Label of the backup that is being restored. */
  readonly restoringBackup: string | undefined;
  /** The one that restores it. */
  readonly restoringUnit: string | undefined;
  /** Until when, if it is not the backup as it is. */
  readonly restoreToTime: string | undefined;
  /** Its id, when it restores alone. */
  readonly restoreId: string | undefined;
  /** A restore that all members take part in. */
  readonly restoreRequest: RestoreRequest | undefined;
  /** Restores whose data the cluster has gone on without: by their requests, or by their own ids. */
  readonly abandonedRestores: readonly string[];
  /** What became of the last restore, if it failed and the data of before are in force. */
  readonly restoreFailure: string | undefined;
  /** See core/config/extensions-record.ts. */
  readonly extensions: string | undefined;
  /** Hash of the configuration that no member has to be restarted for any more. */
  readonly configHash: string | undefined;
  /** The retention that was applied last, or `pending`; see src/retention.ts. */
  readonly retention: string | undefined;
  /** What the repository in use was initialised with; see core/backups/cipher.ts. */
  readonly repositoryCipher: string | undefined;
  /** Why the option of encryption is not followed. */
  readonly cipherProblem: string | undefined;
  /** The value of that option that was looked at last. */
  readonly cipherJudged: string | undefined;
  /** What is to be backed up when; see src/core/backups/schedule.ts. */
  readonly backupSchedule: string | undefined;
  /** The due backup that another unit is to make. */
  readonly backupOrder: BackupOrder | undefined;
  /** The newest good backup, as far as the leader knows; `undefined` when it does not. */
  readonly lastBackup: LastBackup | undefined;
  readonly restartRound: string | undefined;
  readonly restartFailure: string | undefined;
}

export interface Cluster {
  readonly unit: string;
  readonly app: string;
  readonly namespace: string;
  readonly peers: Relation;
  /** The own unit, then all others that are not being removed. Asking Juju takes its controller long. */
  units(): Promise<readonly string[]>;
  appData(): Promise<AppData>;
  unitData(): Promise<Readonly<Record<string, string>>>;
  missingUnits(): Promise<readonly string[]>;
  isMember(): Promise<boolean>;
  admit(unit: string): Promise<void>;
  /** Takes members out whose unit is gone. */
  removeDeparted(departing?: string): Promise<void>;
  setApp(change: DataBagChange): void;
  setUnit(change: DataBagChange): void;
  password(user: PasswordUser): Promise<Secret | undefined>;
  /** A member's Patroni, the own one unless told; may be told to change something. */
  patroni(unit?: string): Promise<Patroni>;
  /** Patroni's view of the cluster from the first member that answers. */
  patroniCluster(options?: { readonly fresh: boolean }): Promise<PatroniCluster | undefined>;
  /**
   * The own member as its own Patroni lists it, which may be a turn of its loop late; `undefined` when
   * that does not answer. Costs nothing more when the list has been read.
   */
  ownListed(): Promise<Member | undefined>;
  /** The own member's view of itself; `undefined` when Patroni does not answer. */
  health(options?: { readonly fresh: boolean }): Promise<Health | undefined>;
  primary(): Promise<string | undefined>;
  /** Whether somebody leads, and PostgreSQL of all that Patroni lists answers. */
  allMembersReady(options?: { readonly fresh: boolean }): Promise<boolean>;
}

const startedStates: readonly Member['state'][] = ['running', 'streaming', 'in archive recovery'];

/** Whether PostgreSQL of that member answers. */
export function isStarted(state: Member['state']): boolean {
  return startedStates.includes(state);
}

/** `undefined` while there is no peer relation yet (before the first relation-created). */
export async function openCluster(hook: PostgresqlHook): Promise<Cluster | undefined> {
  const peers = await hook.juju.peerRelation(peerEndpoint);
  if (peers === undefined) return undefined;
  return createCluster(hook, peers);
}

function createCluster(hook: PostgresqlHook, peers: Relation): Cluster {
  const { unit, app, modelName: namespace } = hook.juju.context;
  const units = async () => {
    // Juju may keep removed units in the relation for minutes after their pods are gone.
    const living = await hook.juju.plannedUnitNames();
    return [unit, ...(await peers.units()).filter((other) => living.includes(other))];
  };
  const patroniView = createPatroniView(hook, units);
  const data = async (): Promise<AppData> => parseAppData(await peers.data(app));
  return {
    unit,
    app,
    namespace,
    peers,
    units,
    appData: data,
    unitData: async () => await peers.data(unit),
    missingUnits: async () => missingUnits(app, await units(), (await data()).endpoints),
    isMember: async () => (await data()).endpoints.includes(memberHost(unit, app)),
    admit: async (other) => {
      const endpoints = [...(await data()).endpoints, memberHost(other, app)];
      peers.setApp({ endpoints: renderEndpoints(endpoints) });
    },
    removeDeparted: async (departing) => {
      const { endpoints } = await data();
      const staying = (await units()).filter((other) => other !== departing);
      const present = presentEndpoints(app, staying, endpoints);
      if (present.length !== endpoints.length) {
        peers.setApp({ endpoints: renderEndpoints(present) });
      }
    },
    setApp: (change) => {
      peers.setApp(change);
    },
    setUnit: (change) => {
      peers.setUnit(change);
    },
    password: async (user) => {
      const secret = await hook.juju.secretByLabel(appSecretLabel(app));
      return secret?.[passwordKey(user)];
    },
    ...patroniView,
  };
}

function parseAppData(bag: Readonly<Record<string, string>>): AppData {
  return {
    endpoints: parseEndpoints(bag['endpoints']),
    initialised: bag['cluster_initialised'] !== undefined,
    stanza: bag['stanza'],
    repository: bag['repository'],
    s3BlockMessage: bag['s3-initialization-block-message'],
    restoringBackup: bag['restoring-backup'],
    restoringUnit: bag['restoring-unit'],
    restoreToTime: bag['restore-to-time'],
    restoreId: parseRestoreId(bag['restore-id']),
    restoreRequest: parseRequest(bag['restore-request']),
    restoreFailure: bag['restore-failure'],
    abandonedRestores: parseAbandoned(bag['restores-abandoned']),
    extensions: bag['extensions'],
    configHash: bag['config_hash'],
    retention: bag['retention-applied'],
    repositoryCipher: bag['repository-cipher'],
    cipherProblem: bag['cipher-problem'],
    cipherJudged: bag['cipher-judged'],
    backupSchedule: bag['backup-schedule'],
    backupOrder: parseOrder(bag['backup-order']),
    lastBackup: parseLastBackup(bag['last-backup']),
    restartRound: bag['restart-round'],
    restartFailure: bag['restart-failure'],
  };
}

// Patroni listens on all addresses of IPv4; a name would have to be looked up first.
const ownHost = '127.0.0.1';

type PatroniView = Pick<
  Cluster,
  'patroni' | 'patroniCluster' | 'ownListed' | 'health' | 'primary' | 'allMembersReady'
>;

function createPatroniView(hook: PostgresqlHook, units: Cluster['units']): PatroniView {
  const { app, unit } = hook.juju.context;
  const client = async (host: string): Promise<Patroni> => {
    const secret = await hook.juju.secretByLabel(appSecretLabel(app));
    const password = secret?.[passwordKey('patroni')];
    return createPatroni({
      http: forgetting(hook),
      host,
      port: patroniPort,
      scheme: patroniScheme,
      ...(password === undefined ? {} : { password }),
    });
  };
  const read = (host: string): Patroni =>
    createPatroni({ http: hook.ports.http, host, port: patroniPort, scheme: patroniScheme });

  const readCluster = async (host: string) => await read(host).cluster();
  const others = async () => (await units()).slice(1).map((other) => memberHost(other, app));

  const list = async (options?: { readonly fresh: boolean }): Promise<Listed> => {
    if (options?.fresh === true) forgetView(hook);
    const known = viewOf(hook).listed;
    if (known !== undefined) return known;
    const found =
      (await firstAnswer([ownHost], readCluster)) ??
      (await firstAnswer(await others(), readCluster));
    const listed = { cluster: found?.answer, byOwn: found?.host === ownHost };
    // Whoever asks anew waits for somebody to answer; the others then ask once more.
    if (found !== undefined || options?.fresh !== true) viewOf(hook).listed = listed;
    return listed;
  };
  const patroniCluster: PatroniView['patroniCluster'] = async (options) =>
    (await list(options)).cluster;
  return {
    patroni: async (other = unit) =>
      await client(other === unit ? ownHost : memberHost(other, app)),
    patroniCluster,
    ownListed: async () => {
      const { cluster, byOwn } = await list();
      return byOwn && cluster !== undefined ? ownMember(cluster, unit) : undefined;
    },
    health: async (options) => {
      if (options?.fresh === true) forgetView(hook);
      const known = viewOf(hook).own;
      if (known !== undefined) return known.health;
      const health = await answerOf(async () => await read(ownHost).health());
      viewOf(hook).own = { health };
      return health;
    },
    primary: async () => {
      const leader = (await patroniCluster())?.members.find((member) => member.role === 'leader');
      return leader === undefined ? undefined : unitOfMember(leader.name);
    },
    allMembersReady: async (options) => {
      const members = (await patroniCluster(options))?.members ?? [];
      const led = members.some(({ role }) => role === 'leader' || role === 'standby_leader');
      return led && members.every(({ state }) => isStarted(state));
    },
  };
}

/** Requests that change something make what has been seen worthless. */
function forgetting(hook: PostgresqlHook): HttpPort {
  return async (request) => {
    if (request.method === 'GET') return await hook.ports.http(request);
    try {
      return await hook.ports.http(request);
    } finally {
      forgetView(hook);
    }
  };
}

async function firstAnswer<T>(
  hosts: readonly string[],
  ask: (host: string) => Promise<T>,
): Promise<{ readonly host: string; readonly answer: T } | undefined> {
  for (const host of hosts) {
    const answer = await answerOf(async () => await ask(host));
    if (answer !== undefined) return { host, answer };
  }
  return undefined;
}

async function answerOf<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    // A member that does not answer, or not yet in Patroni's words, is a fact, not a fault.
    if (error instanceof PatroniError) return undefined;
    throw error;
  }
}

type RestoreData = Pick<AppData, 'restoringBackup' | 'restoreRequest'>;

/** Whether a restore is under way, be it that only some members have not begun to copy the data. */
export function isRestoring({ restoringBackup, restoreRequest }: RestoreData): boolean {
  return restoringBackup !== undefined || restoreRequest !== undefined;
}

/** Whether the primary is, or is about to be, replaced by that of a backup. */
export function isPrimaryReplaced({ restoringBackup, restoreRequest }: RestoreData): boolean {
  return restoringBackup !== undefined || restoreRequest?.phase === 'stop';
}

/** Whether units may still go back to the data of before a restore of the cluster. */
export function mayGoBack({ restoreRequest }: RestoreData): boolean {
  return restoreRequest?.phase === 'stop' || restoreRequest?.phase === 'clone';
}

/** Whether this unit has certificates, with which its pgBackRest serves the others (unit databag key `tls`). */
export async function isTlsEnabled(cluster: Pick<Cluster, 'unitData'>): Promise<boolean> {
  return (await cluster.unitData())['tls'] === 'enabled';
}

/** The own member in Patroni's list. */
export function ownMember(cluster: PatroniCluster, unit: string): Member | undefined {
  return cluster.members.find(({ name }) => name === memberOfUnit(unit));
}
