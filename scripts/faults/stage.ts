/** A cluster together with what is known of its data: a new cluster has an empty ledger. */

import { loadavg } from 'node:os';
import path from 'node:path';

import type { Model } from '../demo/model.ts';
import { app, size } from './deployment.ts';
import { type Fault, titleOf } from './fault.ts';
import { judgeRound } from './judge.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { findPrimary } from './primary.ts';
import type { Result } from './result.ts';
import { playRound, type RoundRecord } from './round.ts';
import { createTestTable, database, user } from './test-table.ts';
import type { UndoList } from './undo.ts';

export interface Stage {
  readonly model: Model;
  readonly password: string;
  readonly ledger: Ledger;
  /** The first number that has not been tried. */
  nextId: number;
}

export interface Play {
  readonly fault: Fault;
  readonly round: number;
  readonly undo: UndoList;
  /** Where the writer's own record goes. */
  readonly folder: string;
  readonly say: (text: string) => void;
}

export interface Played {
  readonly fault: Fault;
  readonly result: Result;
  readonly record: RoundRecord;
}

const writerPace = { intervalMs: 20, connectTimeoutMs: 1000, statementTimeoutMs: 1000 };

/** Makes the table that is written to. */
export async function openStage(model: Model): Promise<Stage> {
  const primary = await findPrimary(model.name, app);
  const password = await createTestTable({ namespace: model.name, pod: primary });
  return { model, password, ledger: createLedger(), nextId: 1 };
}

/** Plays one round and judges it; nothing when the fault cannot be tried here. */
export async function playFault(stage: Stage, play: Play): Promise<Played | undefined> {
  const { fault, round, folder, say } = play;
  const { model, ledger, password } = stage;
  const host = `${app}-primary.${model.name}.svc.cluster.local`;
  const load = Math.round((loadavg()[0] ?? 0) * 10) / 10;
  const outcome = await playRound({
    model,
    app,
    size,
    round,
    fault,
    ledger,
    undo: play.undo,
    say,
    writer: { host, database, user, password, firstId: stage.nextId, ...writerPace },
    writesFile: path.join(folder, `${titleOf(fault)}-${round}.writes`),
  });
  if (outcome.kind === 'skipped') {
    say(`${titleOf(fault)} is left out: ${outcome.why}`);
    return undefined;
  }
  const { record } = outcome;
  stage.nextId = record.nextId;
  return { fault, record, result: judgeRound(fault, { round, load, record }) };
}
