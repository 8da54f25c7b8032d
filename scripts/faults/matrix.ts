/** Plays every chosen fault as often as wanted, and writes down each round as soon as it is over. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describeTrouble } from '../demo/diagnosis.ts';
import type { Juju } from '../demo/juju.ts';
import type { Model } from '../demo/model.ts';
import { app, deployCluster, findCluster, size } from './deployment.ts';
import { type Fault, titleOf } from './fault.ts';
import { judgeRound } from './judge.ts';
import { createLedger, type Ledger } from './ledger.ts';
import { findPrimary } from './primary.ts';
import { hasPassed, type Result } from './result.ts';
import { playRound, type RoundRecord } from './round.ts';
import { createTestTable, database, user } from './test-table.ts';
import type { UndoList } from './undo.ts';

export interface MatrixOptions {
  readonly juju: Juju;
  readonly model: string;
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

export interface Played {
  readonly fault: Fault;
  readonly result: Result;
  readonly record: RoundRecord;
}

/** A cluster with what belongs to its data: a new cluster has an empty ledger. */
interface Stage {
  readonly model: Model;
  readonly password: string;
  readonly ledger: Ledger;
  nextId: number;
}

const defaultRounds = 3;
const writerPace = { intervalMs: 20, connectTimeoutMs: 1000, statementTimeoutMs: 1000 };

export async function playMatrix(options: MatrixOptions): Promise<void> {
  const { faults, say } = options;
  await mkdir(options.folder, { recursive: true });
  let stage = await openStage(options, options.keep ? 'the one that was kept' : 'a new one');
  for (const fault of faults) {
    const rounds = options.rounds ?? fault.rounds ?? defaultRounds;
    for (let round = 1; round <= rounds; round += 1) {
      say(`${titleOf(fault)}, round ${round} of ${rounds}`);
      const played = await playOne(options, stage, { fault, round });
      if (played === undefined) break;
      await options.onRound(played);
      if (hasPassed(played.result)) continue;
      await writeTrouble(options, stage.model, `${titleOf(fault)}-${round}`);
      if (played.result.recovered === null) stage = await openStage(options, 'a new one');
    }
  }
}

async function openStage(
  options: MatrixOptions,
  which: 'a new one' | 'the one that was kept',
): Promise<Stage> {
  const { juju, say, charm } = options;
  const kept = which === 'a new one' ? undefined : await findCluster(juju, options.model);
  const model = kept ?? (await deployCluster({ juju, model: options.model, charm, say }));
  const primary = await findPrimary(model.name, app);
  return {
    model,
    password: await createTestTable({ namespace: model.name, pod: primary }),
    ledger: createLedger(),
    nextId: 1,
  };
}

async function playOne(
  options: MatrixOptions,
  stage: Stage,
  { fault, round }: { readonly fault: Fault; readonly round: number },
): Promise<Played | undefined> {
  const { undo, say } = options;
  const { model, ledger, password } = stage;
  const host = `${app}-primary.${model.name}.svc.cluster.local`;
  const outcome = await playRound({
    model,
    app,
    size,
    round,
    fault,
    ledger,
    undo,
    say,
    writer: { host, database, user, password, firstId: stage.nextId, ...writerPace },
    writesFile: path.join(options.folder, `${titleOf(fault)}-${round}.writes`),
  });
  if (outcome.kind === 'skipped') {
    say(`${titleOf(fault)} is left out: ${outcome.why}`);
    return undefined;
  }
  stage.nextId = outcome.record.nextId;
  return { fault, record: outcome.record, result: judgeRound(fault, round, outcome.record) };
}

async function writeTrouble(options: MatrixOptions, model: Model, name: string): Promise<void> {
  const file = path.join(options.folder, `${name}.log`);
  await writeFile(file, `${await describeTrouble(model)}\n`);
  options.say(`see ${path.relative(process.cwd(), file)}`);
}
