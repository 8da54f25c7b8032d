/** Data directories emptied under a running server. */

import type { Fault } from './fault.ts';
import { dataDirectory, runInPod } from './sql.ts';

const boundS = 240;

export const dataFaults: readonly Fault[] = [
  { name: 'wipe-data', target: 'replica', inject: wipe, lastsS: 0, boundS },
  { name: 'wipe-data', target: 'primary', inject: wipe, lastsS: 0, boundS },
];

async function wipe({ model, victim }: Parameters<Fault['inject']>[0]): Promise<void> {
  const script = `find ${dataDirectory} -mindepth 1 -delete`;
  // The server may write a file into a folder that is just being removed.
  const again = `${script} || ${script}`;
  await runInPod({ namespace: model.name, pod: victim.name }, { script: again });
}
