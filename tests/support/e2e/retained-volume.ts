/**
 * Volumes that Juju keeps when it detaches the storage of a removed unit, and how an operator gives
 * one to another unit: by reserving it for the claim that the unit's pod is going to make.
 */

import * as v from 'valibot';

import { kubectl } from '../../../cloud/client.ts';
import { notYet, type Say, there, waitFor } from '../../../scripts/demo/wait.ts';

const claimSchema = v.object({ spec: v.object({ volumeName: v.string() }) });
const templateSchema = v.object({
  spec: v.object({
    volumeClaimTemplates: v.array(v.object({ metadata: v.object({ name: v.string() }) })),
  }),
});

/** `postgresql-k8s/2` → the name of the claim that its pod makes. */
export async function claimOf(namespace: string, unit: string): Promise<string> {
  const app = unit.slice(0, unit.lastIndexOf('/'));
  const args = ['-n', namespace, 'get', 'statefulset', app, '-o', 'json'];
  const { stdout } = await kubectl(args);
  const [template] = v.parse(templateSchema, JSON.parse(stdout)).spec.volumeClaimTemplates;
  if (template === undefined) throw new Error(`${app} has no storage`);
  return `${template.metadata.name}-${unit.replace('/', '-')}`;
}

/** The volume that a unit uses now. */
export async function volumeOf(namespace: string, unit: string): Promise<string> {
  const claim = await claimOf(namespace, unit);
  const { stdout } = await kubectl(['-n', namespace, 'get', 'pvc', claim, '-o', 'json']);
  return v.parse(claimSchema, JSON.parse(stdout)).spec.volumeName;
}

/** Waits until nobody uses the volume any more. */
export async function waitUntilReleased(volume: string, say: Say): Promise<void> {
  await waitFor(
    async () => {
      const { stdout } = await kubectl(['get', 'pv', volume, '-o', 'jsonpath={.status.phase}']);
      return stdout === 'Released' ? there(true) : notYet(`volume ${volume} is ${stdout}`);
    },
    { what: 'the volume to be released', timeoutMs: 180_000, say, intervalMs: 500 },
  );
}

/** Keeps the volume for the claim that the unit's pod is going to make. */
export async function reserveVolume(
  volume: string,
  target: { readonly namespace: string; readonly unit: string },
): Promise<void> {
  const { namespace, unit } = target;
  const claimRef = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace,
    name: await claimOf(namespace, unit),
    uid: null,
    resourceVersion: null,
  };
  const patch = JSON.stringify({ spec: { claimRef } });
  await kubectl(['patch', 'pv', volume, '--type', 'merge', '-p', patch]);
}
