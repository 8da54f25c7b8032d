/** Pods taken away: politely, as `kubectl delete pod` does, and at once, as when a node is lost. */

import { kubectl } from '../../cloud/client.ts';
import type { Fault, Scene } from './fault.ts';

/** One second for the processes in it would be a kind of politeness. */
export const atOnce = ['--force', '--grace-period=0'];
const boundS = 240;

export const podFaults: readonly Fault[] = [
  { name: 'delete-pod', target: 'primary', inject: deleteVictim([]), lastsS: 0, boundS },
  { name: 'delete-pod', target: 'replica', inject: deleteVictim([]), lastsS: 0, boundS },
  { name: 'delete-pod', target: 'all', inject: deleteAll([]), lastsS: 0, boundS },
  { name: 'lose-pod', target: 'primary', inject: deleteVictim(atOnce), lastsS: 0, boundS },
  { name: 'lose-pod', target: 'replica', inject: deleteVictim(atOnce), lastsS: 0, boundS },
  { name: 'lose-pod', target: 'all', inject: deleteAll(atOnce), lastsS: 0, boundS },
];

function deleteVictim(options: readonly string[]): Fault['inject'] {
  return async ({ model, victim }) => {
    await deletePods(model.name, [victim.name], options);
  };
}

function deleteAll(options: readonly string[]): Fault['inject'] {
  return async ({ model, pods }: Scene) => {
    await deletePods(
      model.name,
      pods.map(({ name }) => name),
      options,
    );
  };
}

export async function deletePods(
  namespace: string,
  names: readonly string[],
  options: readonly string[],
): Promise<void> {
  const args = ['-n', namespace, 'delete', 'pod', ...names, '--wait=false', ...options];
  await kubectl(args, { timeoutMs: 30_000 });
}
