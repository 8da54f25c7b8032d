/**
 * The cluster's surroundings gone: the Kubernetes API, which keeps Patroni's lock, and the Juju
 * controller while the database fails over. They hit every model of the cloud.
 */

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { execa } from 'execa';
import * as v from 'valibot';

import { kubectl } from '../../cloud/client.ts';
import type { Fault, Scene } from './fault.ts';
import { cutPod } from './network-faults.ts';
import { atOnce, deletePods } from './pod-faults.ts';

const component = path.join(import.meta.dirname, '..', '..', 'cloud', 'component');
const apiServer = 'kube-apiserver';
const controller = { namespace: 'controller-local', pod: 'controller-0' };
const lastsS = 60;
const boundS = 300;
/** The units have lost the controller before the primary goes. */
const leadMs = 5000;

export const outageFaults: readonly Fault[] = [
  {
    name: 'stop-kubernetes-api',
    target: 'all',
    inject: stopApi,
    lastsS,
    boundS,
    away: 'everybody',
    everywhere: true,
  },
  {
    name: 'stop-juju-and-lose-pod',
    target: 'primary',
    inject: cutControllerAndLosePod,
    lastsS,
    boundS,
    away: 'everybody',
    everywhere: true,
  },
];

async function stopApi({ undo, say }: Scene): Promise<void> {
  say('the Kubernetes API of the whole cloud goes away now');
  undo.add('the Kubernetes API is back', async () => {
    await execa(component, ['start', apiServer]);
  });
  await execa(component, ['stop', apiServer]);
}

const podSchema = v.object({
  metadata: v.object({ uid: v.string() }),
  status: v.object({ podIP: v.string() }),
});

async function cutControllerAndLosePod({ model, victim, undo, say }: Scene): Promise<void> {
  say('the Juju controller of the whole cloud goes away now');
  const { namespace, pod: name } = controller;
  const { stdout } = await kubectl(['-n', namespace, 'get', 'pod', name, '-o', 'json']);
  const { metadata, status } = v.parse(podSchema, JSON.parse(stdout));
  await cutPod({ name, uid: metadata.uid, address: status.podIP }, undo);
  await sleep(leadMs);
  await deletePods(model.name, [victim.name], atOnce);
}
