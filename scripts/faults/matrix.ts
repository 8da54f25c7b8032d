/** Plays every chosen fault as often as wanted, on a new cluster whenever one was left broken. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describeTrouble } from '../demo/diagnosis.ts';
import type { Juju } from '../demo/juju.ts';
import type { Model } from '../demo/model.ts';
import { deployCluster, findCluster } from './deployment.ts';
import { type Fault, titleOf } from './fault.ts';
import { hasPassed } from './result.ts';
import { NotReadyError } from './round.ts';
import { openStage, type Play, type Played, playFault, type Stage } from './stage.ts';
import type { UndoList } from './undo.ts';

export interface MatrixOptions {
  readonly juju: Juju;
  readonly model: string;
  /** Go on with a model that an earlier run has left. */
  readonly keep: boolean;
  readonly charm: string | undefined;
  readonly faults: readonly Fault[];
  readonly rounds: number | undefined;
  readonly undo: UndoList;
  readonly folder: string;
  readonly say: (text: string) => void;
  /** Called after each round. */
  readonly onRound: (played: Played) => Promise<void>;
}

const defaultRounds = 3;

export async function playMatrix(options: MatrixOptions): Promise<void> {
  const { faults, folder, undo, say } = options;
  await mkdir(folder, { recursive: true });
  const kept = options.keep ? await findCluster(options.juju, options.model) : undefined;
  let stage = await openStage(kept ?? (await deployCluster(options)));
  for (const fault of faults) {
    const rounds = options.rounds ?? fault.rounds ?? defaultRounds;
    for (let round = 1; round <= rounds; round += 1) {
      say(`${titleOf(fault)}, round ${round} of ${rounds}`);
      const play = { fault, round, undo, folder, say };
      let played = await playIfReady(stage, play);
      if (played === 'not ready') {
        await writeTrouble(options, stage.model, `before-${titleOf(fault)}-${round}`);
        stage = await openStage(await deployCluster(options));
        played = await playFault(stage, play);
      }
      if (played === undefined) break;
      await options.onRound(played);
      if (hasPassed(played.result)) continue;
      await writeTrouble(options, stage.model, `${titleOf(fault)}-${round}`);
    }
  }
}

async function playIfReady(stage: Stage, play: Play): Promise<Played | undefined | 'not ready'> {
  try {
    return await playFault(stage, play);
  } catch (error) {
    if (!(error instanceof NotReadyError)) throw error;
    play.say(error.message);
    return 'not ready';
  }
}

async function writeTrouble(options: MatrixOptions, model: Model, name: string): Promise<void> {
  const file = path.join(options.folder, `${name}.log`);
  await writeFile(file, `${await describeTrouble(model)}\n`);
  options.say(`see ${path.relative(process.cwd(), file)}`);
}
