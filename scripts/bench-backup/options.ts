/** What the caller of the benchmark wants, from the command line. Pure. */

import { parseArgs } from 'node:util';

import { type PgbackrestSettings, parseSettings } from './settings.ts';

export interface Options {
  readonly megabytes: number;
  /** How often everything is measured. */
  readonly rounds: number;
  /** On which the best settings are looked for. */
  readonly sampleMegabytes: number;
  /** The best settings, if they are known already: nothing is looked for. */
  readonly best: PgbackrestSettings | undefined;
  readonly model: string;
  /** Leave the model as it is at the end. */
  readonly keep: boolean;
  /** Use the charms that are packed already. */
  readonly packed: boolean;
}

export const usage = `usage: make bench-backup [MB=2000] [ROUNDS=3] [BEST=4:zst/3:block] [MODEL=keep]
       main.ts [--mb 2000] [--sample-mb 300] [--rounds 3] [--best PROCESSES:TYPE[/LEVEL]:block|bundle|files]
                       [--model NAME] [--keep] [--packed]
`;

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      mb: { type: 'string', default: '2000' },
      'sample-mb': { type: 'string', default: '300' },
      rounds: { type: 'string', default: '3' },
      best: { type: 'string', default: '' },
      model: { type: 'string', default: 'bench-backup' },
      keep: { type: 'boolean', default: false },
      packed: { type: 'boolean', default: false },
    },
  });
  const megabytes = sizeOf(values.mb);
  return {
    megabytes,
    sampleMegabytes: Math.min(sizeOf(values['sample-mb']), megabytes),
    rounds: roundsOf(values.rounds),
    best: values.best === '' ? undefined : parseSettings(values.best),
    model: values.model,
    keep: values.keep,
    packed: values.packed,
  };
}

function sizeOf(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`cannot fill a database with "${text}" MB`);
  return Number(text);
}

function roundsOf(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new Error(`cannot measure "${text}" times`);
  return Number(text);
}
