// Argument lists as Juju's hook tools read them: flags and operands may be mixed, `--` ends the
// flags, one or two dashes mean the same, a flag's value is the next argument or follows `=`.

/** A hook tool's failure: 2 for a wrong call, 1 for what went wrong while it ran. */
export class ToolError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'ToolError';
    this.exitCode = exitCode;
  }
}

/** A wrong call of a hook tool. */
export function usageError(message: string): ToolError {
  return new ToolError(message, 2);
}

export interface FlagTable {
  readonly text?: readonly string[];
  readonly boolean?: readonly string[];
}

export interface Arguments {
  readonly operands: readonly string[];
  text(name: string): string | undefined;
  flag(name: string): boolean;
}

export function parseArguments(args: readonly string[], table: FlagTable): Arguments {
  const texts = new Map<string, string>();
  const operands: string[] = [];
  const queue = [...args];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (next === '--') {
      operands.push(...queue.splice(0));
    } else if (next.length < 2 || !next.startsWith('-')) {
      operands.push(next);
    } else {
      takeFlag(next, { table, texts, queue });
    }
  }
  return {
    operands,
    text: (name) => texts.get(name),
    flag: (name) => texts.get(name) === 'true',
  };
}

interface Reading {
  readonly table: FlagTable;
  readonly texts: Map<string, string>;
  readonly queue: string[];
}

function takeFlag(written: string, { table, texts, queue }: Reading): void {
  const [dashed = '', ...assigned] = written.split('=');
  const name = dashed.replace(/^--?/, '');
  if (table.boolean?.includes(name) === true) {
    texts.set(name, assigned.length === 0 ? 'true' : truthOf(assigned.join('='), dashed));
    return;
  }
  if (table.text?.includes(name) !== true) {
    throw usageError(`option provided but not defined: ${dashed}`);
  }
  const value = assigned.length > 0 ? assigned.join('=') : queue.shift();
  if (value === undefined) throw usageError(`option needs an argument: ${dashed}`);
  texts.set(name, value);
}

function truthOf(value: string, dashed: string): string {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return 'true';
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return 'false';
  throw usageError(`invalid boolean value ${JSON.stringify(value)} for ${dashed}`);
}

/** `key=value` operands, as relation-set and state-set take them. */
export function parsePairs(operands: readonly string[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const operand of operands) {
    const at = operand.indexOf('=');
    if (at < 1) throw usageError(`expected "key=value", got ${JSON.stringify(operand)}`);
    const key = operand.slice(0, at);
    if (pairs.has(key)) throw usageError(`key ${JSON.stringify(key)} specified more than once`);
    pairs.set(key, operand.slice(at + 1));
  }
  return pairs;
}

/** Refuses operands beyond those that the tool takes. */
export function expectAtMost(operands: readonly string[], count: number): void {
  const extra = operands.slice(count);
  if (extra.length > 0) {
    throw usageError(`unrecognized args: [${extra.map((one) => JSON.stringify(one)).join(' ')}]`);
  }
}
