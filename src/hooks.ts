// Every hook and action that the charm answers, and who answers it.

import type { CharmDefinition, Handler } from '../lib/juju/hook.ts';
import type { Status } from '../lib/juju/juju.ts';
import { removeObsoleteRevision } from '../lib/juju/obsolete-revisions.ts';
import { KubeError } from '../lib/kube/error.ts';
import { PebbleError } from '../lib/pebble/errors.ts';
import { checkedActions } from './actions/checked.ts';
import { explainUnit } from './actions/explain.ts';
import { pauseFailover, resumeFailover } from './actions/failover.ts';
import { getPassword, setPassword } from './actions/passwords.ts';
import { getPrimary, promoteToPrimary } from './actions/primary.ts';
import { reinitialiseReplica } from './actions/reinitialise.ts';
import { s3CredentialsChanged, s3RelationBroken, s3RelationCreated } from './backups.ts';
import { install, leaderElected, pebbleReady } from './charm.ts';
import { collectStatus } from './collect-status.ts';
import { s3Endpoint } from './core/names.ts';
import { awaitingKubernetes, needsTrust, waitingForContainer } from './core/status.ts';
import { createBackup } from './create-backup.ts';
import { deleteBackup } from './delete-backup.ts';
import { storageDetaching } from './departure.ts';
import { listBackups } from './list-backups.ts';
import { configChanged, interruptedState, updateStatus, watcherNotice } from './maintenance.ts';
import { peerRelationChanged, peerRelationDeparted } from './peers.ts';
import type { PostgresqlPorts } from './ports.ts';
import { cancelRestore } from './restore/cancel.ts';
import { restore } from './restore/restore.ts';
import { verifyBackups } from './verify-backups.ts';

/** What refuses or is away, so that a handler cannot go on, and what the operator then sees. */
const outages: readonly ((error: unknown, app: string) => Status | undefined)[] = [
  // That is the operator's to change; granting it fires config-changed.
  (error, app) =>
    error instanceof KubeError && error.code === 'forbidden' ? needsTrust(app) : undefined,
  (error) =>
    error instanceof KubeError && error.code === 'unreachable' ? awaitingKubernetes : undefined,
  // The container is being started again, or Pebble hangs until the kubelet does so.
  (error) =>
    error instanceof PebbleError && (error.code === 'unreachable' || error.code === 'timeout')
      ? waitingForContainer
      : undefined,
];

/**
 * An outage fails no hook: it says so, and config-changed, pebble-ready or update-status make up for
 * what could not be done.
 */
function bearingOutages(handler: Handler<PostgresqlPorts>): Handler<PostgresqlPorts> {
  return async (hook) => {
    try {
      await handler(hook);
    } catch (error) {
      const [status] = outages.flatMap((outage) => outage(error, hook.juju.context.app) ?? []);
      if (status === undefined || !(error instanceof Error)) throw error;
      hook.walk.stop();
      hook.log(status.level === 'blocked' ? 'ERROR' : 'WARNING', error.message);
      hook.status(status);
      hook.juju.setState({ [interruptedState]: 'True' });
    }
  };
}

/** The first hook of a new pod, when the charm has changed: the member is started right away. */
const upgradeCharm: Handler<PostgresqlPorts> = async (hook) => {
  await install(hook);
  await configChanged(hook);
};

/** The keys to S3, or passwords that the leader changed. */
const secretChanged: Handler<PostgresqlPorts> = async (hook) => {
  const { event } = hook;
  const ofS3 = event.kind === 'secret' && event.label?.startsWith(s3Endpoint) === true;
  await (ofS3 ? s3CredentialsChanged(hook) : configChanged(hook));
};

export const charm: CharmDefinition<PostgresqlPorts> = {
  handlers: {
    install,
    'upgrade-charm': bearingOutages(upgradeCharm),
    'leader-elected': bearingOutages(leaderElected),
    'postgresql-pebble-ready': bearingOutages(pebbleReady),
    'postgresql-pebble-custom-notice': bearingOutages(watcherNotice),
    'config-changed': bearingOutages(configChanged),
    'update-status': bearingOutages(updateStatus),
    'pgdata-storage-detaching': bearingOutages(storageDetaching),
    'database-peers-relation-changed': bearingOutages(peerRelationChanged),
    'database-peers-relation-departed': bearingOutages(peerRelationDeparted),
    's3-parameters-relation-created': bearingOutages(s3RelationCreated),
    's3-parameters-relation-changed': bearingOutages(s3CredentialsChanged),
    's3-parameters-relation-broken': bearingOutages(s3RelationBroken),
    'secret-changed': bearingOutages(secretChanged),
    'secret-remove': removeObsoleteRevision,
    ...checkedActions({
      'create-backup': createBackup,
      'list-backups': listBackups,
      'delete-backup': deleteBackup,
      'verify-backups': verifyBackups,
      restore,
      'cancel-restore': cancelRestore,
      'get-primary': getPrimary,
      'get-password': getPassword,
      'set-password': setPassword,
      'promote-to-primary': promoteToPrimary,
      'pause-failover': pauseFailover,
      'resume-failover': resumeFailover,
      'reinitialise-replica': reinitialiseReplica,
      explain: explainUnit,
    }),
  },
  collectStatus: bearingOutages(collectStatus),
};
