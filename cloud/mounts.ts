/** Mounts that this process can see; none of the cloud's should be among them. */

import { readFile } from 'node:fs/promises';

import { execa } from 'execa';

/** Mount points from `/proc/self/mountinfo`, where spaces and the like are octal escapes. */
export function parseMountPoints(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point) => point !== undefined)
    .map((point) =>
      point.replaceAll(/\\(\d{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      ),
    );
}

/** Unmounts whatever is mounted below a folder, the deepest first, before the folder is removed. */
export async function unmountBelow(folder: string): Promise<void> {
  const points = await listMountsBelow(folder);
  for (const point of points.toSorted((a, b) => b.length - a.length)) {
    await execa('umount', ['--lazy', point]);
  }
}

export async function listMountsBelow(folder: string): Promise<readonly string[]> {
  const points = parseMountPoints(await readFile('/proc/self/mountinfo', 'utf8'));
  return points.filter((point) => point.startsWith(`${folder}/`));
}
