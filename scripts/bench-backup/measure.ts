/** The order of the measurements: settings on a sample, then each way of backing up the whole database. */

import { type CharmBench, createBackup, restore as restoreByCharm } from './charm.ts';
import { changeSql, createTables, database, fillSql, type Load, loadOf } from './load.ts';
import { type Bench, backUp, countCores, restore, sql } from './pod.ts';
import { bestOf, type Comparison, type Measured, type Measurement, type Trial } from './rows.ts';
import {
  backupArguments,
  describeSettings,
  type PgbackrestSettings,
  restoreArguments,
  sweepOf,
  upstreamSettings,
} from './settings.ts';

export interface Plan {
  readonly megabytes: number;
  readonly sampleMegabytes: number;
  /** How often each way is measured; they take turns. */
  readonly rounds: number;
  readonly best: PgbackrestSettings | undefined;
}

export interface Outcome {
  readonly cores: number;
  readonly best: PgbackrestSettings;
  readonly trials: readonly Trial[];
  readonly comparison: Comparison;
}

type Say = (text: string) => void;

/** One way of doing it. */
interface Way {
  readonly name: string;
  backup(kind: 'full' | 'differential' | 'incremental'): Promise<Measurement>;
  restore(): Promise<Measurement>;
}

export async function measureAll(charm: CharmBench, plan: Plan): Promise<Outcome> {
  const { bench, say } = charm;
  const cores = await countCores(bench);
  await sql(bench, 'postgres', `create database ${database};`);
  await sql(bench, database, createTables);
  const sample = loadOf(plan.sampleMegabytes);
  say(`filling ${plan.sampleMegabytes} MB`);
  await sql(bench, database, fillSql({ accounts: 0, notes: 0 }, sample));
  const trials = plan.best === undefined ? await tryAll(bench, { cores, say }) : [];
  const best = plan.best ?? bestOf(trials);
  say(`best settings: ${describeSettings(best)}`);
  const whole = loadOf(plan.megabytes);
  say(`filling ${plan.megabytes} MB`);
  await sql(bench, database, fillSql(sample, whole));
  const turns = { next: 0, load: whole };
  const ways = {
    bare: bareWay(bench, 'bare', best),
    upstream: bareWay(bench, "upstream's settings", upstreamSettings(cores)),
    // Last of a round: its restore takes the database itself back.
    charm: charmWay(charm),
  };
  const comparison: Record<keyof Comparison, Measured[]> = { bare: [], upstream: [], charm: [] };
  for (let round = 1; round <= plan.rounds; round += 1) {
    say(`round ${round} of ${plan.rounds}`);
    for (const name of ['bare', 'upstream', 'charm'] as const)
      comparison[name].push(await measureWay(ways[name], { bench, turns, say }));
  }
  return { cores, best, trials, comparison };
}

async function tryAll(
  bench: Bench,
  { cores, say }: { readonly cores: number; readonly say: Say },
): Promise<readonly Trial[]> {
  const trials: Trial[] = [];
  // Nobody's time: it brings the files into memory for all that follow.
  await backUp(bench, { type: 'full', args: backupArguments(upstreamSettings(cores)) });
  for (const settings of sweepOf(cores)) {
    const measurement = await backUp(bench, { type: 'full', args: backupArguments(settings) });
    trials.push({ settings, measurement });
    say(`${describeSettings(settings)}: ${describe(measurement)}`);
  }
  return trials;
}

function bareWay(bench: Bench, name: string, settings: PgbackrestSettings): Way {
  const args = backupArguments(settings);
  const types = { full: 'full', differential: 'diff', incremental: 'incr' } as const;
  return {
    name: `${name} (${describeSettings(settings)})`,
    backup: async (kind) => await backUp(bench, { type: types[kind], args }),
    restore: async () => await restore(bench, restoreArguments(settings)),
  };
}

function charmWay(charm: CharmBench): Way {
  return {
    name: 'the charm',
    backup: async (kind) => await createBackup(charm, kind),
    restore: async () => await restoreByCharm(charm),
  };
}

interface Scene {
  readonly bench: Bench;
  readonly turns: { next: number; readonly load: Load };
  readonly say: Say;
}

/** A full backup, and the others each after a tenth has changed; then the last is restored. */
async function measureWay(way: Way, { bench, turns, say }: Scene): Promise<Measured> {
  const told = async (what: string, work: () => Promise<Measurement>): Promise<Measurement> => {
    const measurement = await work();
    say(`${way.name}: ${what}: ${describe(measurement)}`);
    return measurement;
  };
  const change = async (): Promise<void> => {
    await sql(bench, database, changeSql(turns.load, turns.next));
    turns.next += 1;
  };
  const full = await told('full', async () => await way.backup('full'));
  await change();
  const differential = await told('differential', async () => await way.backup('differential'));
  await change();
  const incremental = await told('incremental', async () => await way.backup('incremental'));
  const restored = await told('restore', async () => await way.restore());
  return { full, differential, incremental, restore: restored };
}

function describe({ seconds, bytes, repoBytes }: Measurement): string {
  const megabytes = (size: number): string => `${(size / 1e6).toFixed(1)} MB`;
  return `${seconds.toFixed(1)} s for ${megabytes(bytes)}, ${megabytes(repoBytes)} stored`;
}
