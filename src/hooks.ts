// Every hook and action that the charm answers, and who answers it.

import type { CharmDefinition, Handler } from '../lib/juju/hook.ts';
import { removeObsoleteRevision } from '../lib/juju/obsolete-revisions.ts';
import { checkedActions } from './actions/checked.ts';
import { explainUnit } from './actions/explain.ts';
import { pauseFailover, resumeFailover } from './actions/failover.ts';
import { getPassword, setPassword } from './actions/passwords.ts';
import { getPrimary, promoteToPrimary } from './actions/primary.ts';
import { reinitialiseReplica } from './actions/reinitialise.ts';
import { openCluster } from './adapters/cluster.ts';
import {
  retryRepository,
  s3CredentialsChanged,
  s3RelationBroken,
  s3RelationCreated,
} from './backups.ts';
import { install, leaderElected, pebbleReady } from './charm.ts';
import { collectStatus } from './collect-status.ts';
import { s3Endpoint } from './core/names.ts';
import { createBackup } from './create-backup.ts';
import { deleteBackup } from './delete-backup.ts';
import { storageDetaching } from './departure.ts';
import { listBackups } from './list-backups.ts';
import { configChanged, updateStatus, watcherNotice } from './maintenance.ts';
import { bearingOutages } from './outages.ts';
import { peerRelationChanged, peerRelationDeparted } from './peers.ts';
import type { PostgresqlPorts } from './ports.ts';
import { quietly } from './quietly.ts';
import { cancelRestore } from './restore/cancel.ts';
import { restore } from './restore/restore.ts';
import { verifyBackups } from './verify-backups.ts';

/** Whoever begins to lead takes up what came while nobody could act on it, or nobody led. */
const beginToLead: Handler<PostgresqlPorts> = async (hook) => {
  await leaderElected(hook);
  const cluster = await openCluster(hook);
  if (cluster !== undefined) await retryRepository(quietly(hook), cluster);
};

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
    'leader-elected': bearingOutages(beginToLead),
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
