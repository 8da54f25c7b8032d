// Names that other programs read: members, hosts, stanza, Kubernetes objects, paths in the
// workload. One function or constant each; nothing else in the project spells them.

export const containerName = 'postgresql';
export const peerEndpoint = 'database-peers';
export const s3Endpoint = 's3-parameters';

/** What requests to S3 are signed for where nobody names a region, as servers without any expect. */
export const defaultRegion = 'us-east-1';

export const postgresPort = 5432;
export const patroniPort = 8008;
/** Of Patroni's interface: certificates of a member are not for that yet. */
export const patroniScheme = 'http';

export const storageRoot = '/var/lib/postgresql/data';
export const dataDirectory = `${storageRoot}/pgdata`;
export const patroniConfigPath = `${storageRoot}/patroni.yml`;
export const unreadMarkPath = `${storageRoot}/patroni.yml.unread`;
export const passwordChangePath = `${storageRoot}/password-change`;
export const repairMemoryPath = `${storageRoot}/repair.json`;
export const restoreMarkPath = `${storageRoot}/restore.json`;
/** A restore of the cluster for which this member is down. */
export const stoppedMarkPath = `${storageRoot}/restore-stopped`;
/** Which restore the data of this unit are a copy of. */
export const copiedMarkPath = `${storageRoot}/restore-copied`;
/** The data of before, while a restore runs. */
export const asideDirectory = `${storageRoot}/pgdata-before-restore`;
/** A backup that is restored beside the data to see whether that works; nothing else goes there. */
export const trialDirectory = `${storageRoot}/trial-restore`;
/** Data that are being removed: what stands in its place is whole, or gone. */
export const discardedDirectory = `${storageRoot}/pgdata-discarded`;
/** Where Patroni puts what it could not start. */
export const failedDirectory = `${dataDirectory}.failed`;
export const storageIdentityPath = `${storageRoot}/charm-identity.json`;
export const s3CaPath = `${storageRoot}/pgbackrest-tls-ca-chain.crt`;
export const pgbackrestConfigPath = '/etc/pgbackrest.conf';
/** Certificates of this member, as the relation to their provider leaves them. */
export const tlsFiles = {
  ca: `${storageRoot}/ca.pem`,
  cert: `${storageRoot}/cert.pem`,
  key: `${storageRoot}/key.pem`,
} as const;
/** For collectors of metrics, in the text format of Prometheus. */
export const backupMetricsPath = '/var/lib/postgresql/metrics/backup.prom';
/** The time at which the watcher is to wake the leader for a backup. */
export const backupDuePath = '/run/charm-backup-due';
/** There while a hook makes or verifies backups; it holds their stanza. */
export const longWorkPath = '/run/charm-long-work';
export const logDirectory = '/var/log/postgresql';
export const watcherDirectory = '/opt/charm';
export const socketDirectory = '/var/run/postgresql';
export const postgresSocket = `${socketDirectory}/.s.PGSQL.${postgresPort}`;

export const workloadUser = 'postgres';

/** `app/0` → `app-0`, the name of the pod and of the Patroni member. */
export function memberOfUnit(unit: string): string {
  return unit.replace('/', '-');
}

/** `app-0` → `app/0`. */
export function unitOfMember(member: string): string {
  return member.replace(/-(\d+)$/, '/$1');
}

export function unitNumber(unit: string): number {
  return Number(unit.slice(unit.lastIndexOf('/') + 1));
}

/** Patroni's scope, and the name of the Endpoints object that carries the leader lock. */
export function clusterName(app: string): string {
  return `patroni-${app}`;
}

/** The host under which members know each other, through Juju's headless Service. */
export function memberHost(unit: string, app: string): string {
  return `${memberOfUnit(unit)}.${membersServiceName(app)}`;
}

/** Juju's headless Service. */
export function membersServiceName(app: string): string {
  return `${app}-endpoints`;
}

export function primaryServiceName(app: string): string {
  return `${app}-primary`;
}

export function replicasServiceName(app: string): string {
  return `${app}-replicas`;
}

export function serviceHost(service: string, namespace: string): string {
  return `${service}.${namespace}.svc.cluster.local`;
}

/** Endpoints in which Patroni keeps lock, configuration and synchronous state. */
export function patroniEndpoints(app: string): readonly string[] {
  const name = clusterName(app);
  return [name, `${name}-config`, `${name}-sync`];
}

export function stanzaName(model: string, app: string): string {
  return `${model}.${clusterName(app)}`;
}

/** Labels by which Patroni and the Services find the pods of the cluster. */
export function podLabels(app: string): Readonly<Record<string, string>> {
  return { application: 'patroni', 'cluster-name': clusterName(app) };
}

/** Users that the charm makes; `patroni` exists only in Patroni's REST interface. */
export const passwordUsers = [
  'operator',
  'replication',
  'rewind',
  'monitoring',
  'backup',
  'patroni',
] as const;
export type PasswordUser = (typeof passwordUsers)[number];

/** Users that may do anything in the database, and therefore only from within its pod. */
export const superusers = ['operator', 'backup'] as const;

/** Groups that may connect over the network: users from LDAP, the charm's own, all others. */
export const accessGroups = {
  identity: 'identity_access',
  internal: 'internal_access',
  relation: 'relation_access',
} as const;

/** Label of the application's secret in Juju. */
export function appSecretLabel(app: string): string {
  return `${peerEndpoint}.${app}.app`;
}

export function passwordKey(user: PasswordUser): string {
  return `${user}-password`;
}
