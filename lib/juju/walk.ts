// Records the path that a handler walks through its flowchart, and renders it as one line.

import type { Walk } from './hook.ts';

/** A node that was passed; decisions carry their answer. */
export interface WalkedNode {
  readonly node: string;
  readonly answer?: boolean;
}

/** One run of one handler. */
export interface WalkedPath {
  /** Key of the charm's table. */
  readonly handler: string;
  readonly path: readonly WalkedNode[];
}

/**
 * `defer`: it asked for its event again, and returned; `stopped`: cut short by something that no
 * chart draws; `failed`: it threw.
 */
export type WalkEnd = 'return' | 'defer' | 'stopped' | 'failed';

export interface WalkRecorder {
  readonly walk: Walk;
  readonly path: () => readonly WalkedNode[];
  readonly hasStopped: () => boolean;
}

export function recordWalk(): WalkRecorder {
  const path: WalkedNode[] = [];
  let stopped = false;
  return {
    walk: {
      step: (node) => {
        path.push({ node });
      },
      decide: (node, answer) => {
        path.push({ node, answer });
        return answer;
      },
      stop: () => {
        stopped = true;
      },
    },
    path: () => path,
    hasStopped: () => stopped,
  };
}

/** `leader-elected: is_first_leader=yes → generate_passwords → return` */
export function renderWalk(walked: WalkedPath, end: WalkEnd): string {
  const nodes = walked.path.map(({ node, answer }) =>
    answer === undefined ? node : `${node}=${answer ? 'yes' : 'no'}`,
  );
  return `${walked.handler}: ${[...nodes, end === 'defer' ? 'return' : end].join(' → ')}`;
}
