/** What the caller of the matrix wants, from the command line. Pure. */

import { parseArgs } from 'node:util';

export interface Options {
  /** Names of faults; all when empty. */
  readonly names: readonly string[];
  /** How often each is tried; each fault's own number when absent. */
  readonly rounds: number | undefined;
  /** Leave the model as it is at the end, and go on with one that was left. */
  readonly keep: boolean;
  readonly model: string;
  /** A packed charm; packed anew when absent. */
  readonly charm: string | undefined;
  readonly format: 'table' | 'json';
}

export const usage = `usage: make faults [FAULTS=NAME,NAME] [ROUNDS=3] [MODEL=keep]
       main.ts [--faults NAME,NAME] [--rounds 3] [--keep] [--model NAME] [--charm FILE] [--format table|json]
`;

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      faults: { type: 'string', default: '' },
      rounds: { type: 'string' },
      keep: { type: 'boolean', default: false },
      model: { type: 'string', default: 'faults' },
      charm: { type: 'string' },
      format: { type: 'string', default: 'table' },
    },
  });
  const { format, rounds } = values;
  if (format !== 'table' && format !== 'json') throw new Error(`cannot print as "${format}"`);
  if (rounds !== undefined && !/^[1-9]\d*$/.test(rounds)) {
    throw new Error(`cannot play "${rounds}" rounds`);
  }
  return {
    names: values.faults.split(',').filter((name) => name !== ''),
    rounds: rounds === undefined ? undefined : Number(rounds),
    keep: values.keep,
    model: values.model,
    charm: values.charm,
    format,
  };
}
