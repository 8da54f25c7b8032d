/**
 * Answers the kubelet's probes for a pod that is frozen. On a node that stands still the kubelet
 * stands still as well, and everything goes on from where it was; without this, the kubelet would
 * replace the container instead.
 */

import path from 'node:path';
import { createInterface } from 'node:readline';

import { execa } from 'execa';

import { act } from './agent.ts';
import type { Pod } from './pods.ts';
import type { UndoList } from './undo.ts';

const enter = path.join(import.meta.dirname, '..', '..', 'cloud', 'enter');
const program = path.join(import.meta.dirname, 'probe-answerer.ts');

export async function answerProbes(pod: Pod, undo: UndoList): Promise<void> {
  const child = execa(enter, [process.execPath, program], {
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const mark = `faults-probes-${pod.uid}`;
  undo.add(`${pod.name}: the kubelet asks the pod itself`, async () => {
    await act({ kind: 'mend', mark });
    child.stdin.end();
    await child;
  });
  const port = await readPort(createInterface({ input: child.stdout }));
  await act({ kind: 'divert-probes', address: pod.address, port, mark });
}

async function readPort(lines: AsyncIterable<string>): Promise<number> {
  for await (const line of lines) return Number(line);
  throw new Error('cannot answer probes: the program that does it has ended');
}
