// Every hook and action that the charm answers, and who answers it.

import type { CharmDefinition, Handler } from '../lib/juju/hook.ts';
import { KubeError } from '../lib/kube/error.ts';
import { checkedActions } from './actions/checked.ts';
import { explainUnit } from './actions/explain.ts';
import { pauseFailover, resumeFailover } from './actions/failover.ts';
import { getPassword, setPassword } from './actions/passwords.ts';
import { getPrimary, promoteToPrimary } from './actions/primary.ts';
import { reinitialiseReplica } from './actions/reinitialise.ts';
import {
  listBackups,
  s3CredentialsChanged,
  s3RelationBroken,
  s3RelationCreated,
} from './backups.ts';
import { install, leaderElected, pebbleReady } from './charm.ts';
import { collectStatus } from './collect-status.ts';
import { s3Endpoint } from './core/names.ts';
import { needsTrust } from './core/status.ts';
import { createBackup } from './create-backup.ts';
import { storageDetaching } from './departure.ts';
import { configChanged, memberNotice, updateStatus } from './maintenance.ts';
import { peerRelationChanged, peerRelationDeparted } from './peers.ts';
import type { PostgresqlPorts } from './ports.ts';
import { restore } from './restore.ts';

/**
 * Without `juju trust` Kubernetes refuses every call. That is the operator's to change: Blocked,
 * and granting it fires config-changed, which makes up for what was refused.
 */
function needingTrust(handler: Handler<PostgresqlPorts>): Handler<PostgresqlPorts> {
  return async (hook) => {
    try {
      await handler(hook);
    } catch (error) {
      if (!(error instanceof KubeError) || error.code !== 'forbidden') throw error;
      hook.walk.stop();
      hook.log('ERROR', error.message);
      hook.status(needsTrust(hook.juju.context.app));
    }
  };
}

/** The keys to S3, or passwords that the leader changed. */
const secretChanged: Handler<PostgresqlPorts> = async (hook) => {
  const { event } = hook;
  const ofS3 = event.kind === 'secret' && event.label?.startsWith(s3Endpoint) === true;
  await (ofS3 ? s3CredentialsChanged(hook) : configChanged(hook));
};

export const charm: CharmDefinition<PostgresqlPorts> = {
  handlers: {
    install,
    'upgrade-charm': install,
    'leader-elected': needingTrust(leaderElected),
    'postgresql-pebble-ready': needingTrust(pebbleReady),
    'postgresql-pebble-custom-notice': needingTrust(memberNotice),
    'config-changed': needingTrust(configChanged),
    'update-status': needingTrust(updateStatus),
    'pgdata-storage-detaching': needingTrust(storageDetaching),
    'database-peers-relation-changed': needingTrust(peerRelationChanged),
    'database-peers-relation-departed': needingTrust(peerRelationDeparted),
    's3-parameters-relation-created': s3RelationCreated,
    's3-parameters-relation-changed': needingTrust(s3CredentialsChanged),
    's3-parameters-relation-broken': needingTrust(s3RelationBroken),
    'secret-changed': needingTrust(secretChanged),
    ...checkedActions({
      'create-backup': createBackup,
      'list-backups': listBackups,
      restore,
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
  collectStatus,
};
