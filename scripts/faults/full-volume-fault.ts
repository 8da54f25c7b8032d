/**
 * The primary's volume filled up to the last byte for a while, next to the WAL. Only on a volume of
 * limited size: the local cloud's are folders of the machine, whose disk nobody wants to fill.
 */

import type { Fault, Scene } from './fault.ts';
import { dataDirectory, type Member, runInPod } from './sql.ts';

/** A volume that is larger than this is the machine's own disk. */
const limitBytes = 4 * 1024 ** 3;
const filler = `${dataDirectory}/pg_wal/filler`;

export const fullVolumeFault: Fault = {
  name: 'fill-volume',
  target: 'primary',
  obstacle: async (scene) => {
    const script = `df --output=size --block-size=1 ${dataDirectory}/pg_wal | tail -n 1`;
    const sizeBytes = Number((await runInPod(memberOf(scene), { script })).trim());
    if (sizeBytes <= limitBytes) return undefined;
    return 'the volume of the data is not limited in size';
  },
  inject: async (scene) => {
    const member = memberOf(scene);
    scene.undo.add(`${scene.victim.name}: there is room again`, async () => {
      await runInPod(member, { script: `rm -f ${filler}` });
    });
    // In small steps to the end: a file that cannot be made as large as wanted is not made at all.
    const script = `dd if=/dev/zero of=${filler} bs=64k 2>/dev/null; [ -s ${filler} ]`;
    await runInPod(member, { script });
  },
  lastsS: 60,
  boundS: 240,
};

function memberOf({ model, victim }: Scene): Member {
  return { namespace: model.name, pod: victim.name };
}
