// What refuses or is away for a while, so that a handler cannot go on. That fails no hook: the unit says
// so, and config-changed, pebble-ready or update-status make up for what could not be done. Whatever
// else is thrown is a fault of the charm, and fails the hook.

import type { Handler } from '../lib/juju/hook.ts';
import type { Status } from '../lib/juju/juju.ts';
import { isKubeOutage, KubeError } from '../lib/kube/error.ts';
import { isPebbleError, PebbleError } from '../lib/pebble/errors.ts';
import { PostgresError } from '../lib/sql/error.ts';
import { isPodUnknown } from './adapters/kubernetes.ts';
import { isPatroniOutage } from './adapters/patroni.ts';
import { leaveUnfinished } from './adapters/unfinished.ts';
import {
  awaitingKubernetes,
  awaitingPatroni,
  awaitingPrimaryEndpoint,
  needsTrust,
  noSpaceLeft,
  waitingForContainer,
} from './core/status.ts';
import type { PostgresqlPorts } from './ports.ts';

/** What the operator then sees. */
const outages: readonly ((error: unknown, app: string) => Status | undefined)[] = [
  // That is the operator's to change; granting it fires config-changed.
  (error, app) =>
    error instanceof KubeError && error.code === 'forbidden' ? needsTrust(app) : undefined,
  (error) => (isKubeOutage(error) || isPodUnknown(error) ? awaitingKubernetes : undefined),
  // The container is being started again, or Pebble hangs until the kubelet does so.
  (error) =>
    error instanceof PebbleError && (error.code === 'unreachable' || error.code === 'timeout')
      ? waitingForContainer
      : undefined,
  // The watcher gives up some of its reserve, or somebody makes room.
  (error) => (isPebbleError(error, 'no-space') ? noSpaceLeft : undefined),
  (error) => (isPatroniOutage(error) ? awaitingPatroni : undefined),
  // The primary is on its way to another member, or Kubernetes does not let anybody in just now.
  (error) =>
    error instanceof PostgresError && error.code === 'unreachable'
      ? awaitingPrimaryEndpoint
      : undefined,
];

/** The handler, with outages borne. */
export function bearingOutages(handler: Handler<PostgresqlPorts>): Handler<PostgresqlPorts> {
  return async (hook) => {
    try {
      await handler(hook);
    } catch (error) {
      const [status] = outages.flatMap((outage) => outage(error, hook.juju.context.app) ?? []);
      if (status === undefined || !(error instanceof Error)) throw error;
      hook.walk.stop();
      hook.log(status.level === 'blocked' ? 'ERROR' : 'WARNING', error.message);
      hook.status(status);
      await leaveUnfinished(hook, 'everything');
    }
  };
}
