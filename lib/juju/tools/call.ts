// What every hook tool has in common: run it, turn its failure into a typed error, read its JSON.
// The only place that looks at the text of Juju's messages.

import { ProcessError } from '../../base/process.ts';
import { HookToolError, type JujuErrorCode } from '../error.ts';
import type { HookToolCall, HookToolPort } from './port.ts';

/** What the kernel takes in one argument. */
export const longestArgumentBytes = 131_071;

/** Runs a tool that prints nothing of interest. Rejects with `HookToolError`. */
export async function runTool(port: HookToolPort, call: HookToolCall): Promise<void> {
  await readText(port, call);
}

/** Runs a tool and gives what it printed. Rejects with `HookToolError`. */
export async function readText(port: HookToolPort, call: HookToolCall): Promise<string> {
  const result = await port(call).catch((error: unknown) => {
    throw toStartFailure(call.tool, error);
  });
  if (result.exitCode === 0) return result.stdout;
  throw toFailure(call, result.exitCode, result.stderr);
}

/** Runs a tool with `--format=json` in front of its arguments; no output at all reads as `null`. */
export async function readJson(port: HookToolPort, call: HookToolCall): Promise<unknown> {
  const text = await readText(port, { ...call, args: ['--format=json', ...call.args] });
  if (text.trim() === '') return null;
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Not as a cause: the parser's message quotes the text, which may be a secret's content.
    throw unreadable(call.tool, 'its output is not JSON');
  }
}

/** The error for output of another shape than agreed. */
export function unreadable(tool: string, reason: string): HookToolError {
  return new HookToolError({ tool, code: 'unreadable-output', reason });
}

const startCodes: ReadonlyMap<string, JujuErrorCode> = new Map([
  ['missing', 'tool-missing'],
  ['not-permitted', 'tool-missing'],
  ['too-large', 'too-large'],
  ['timeout', 'timeout'],
]);

function toStartFailure(tool: string, error: unknown): unknown {
  if (!(error instanceof ProcessError)) return error;
  const code = startCodes.get(error.code) ?? 'failed';
  return new HookToolError({ tool, code, reason: error.reason, cause: error });
}

interface Meaning {
  readonly tools: RegExp;
  readonly text: RegExp;
  readonly code: JujuErrorCode;
  readonly hint?: string;
}

// Juju 4 says "is not allowed to read this secret".
const refused = /permission denied|access denied|unauthorized|is not allowed to/i;

const meanings: readonly Meaning[] = [
  { tools: /^secret-/, text: /is not the leader|not the leader/, code: 'not-leader' },
  { tools: /^secret-/, text: /not found/, code: 'secret-not-found' },
  { tools: /./, text: /relation not found|invalid relation id/, code: 'relation-not-found' },
  {
    tools: /^relation-get$/,
    text: /relation unit not found|application .* not found/,
    code: 'member-not-found',
  },
  { tools: /./, text: /not the leader|cannot write relation settings/, code: 'not-leader' },
  {
    tools: /^credential-get$/,
    text: /permission denied|access denied|unauthorized/,
    code: 'permission-denied',
    hint: 'Give the application access to the cloud with "juju trust".',
  },
  { tools: /./, text: refused, code: 'permission-denied' },
  { tools: /./, text: /unknown command|not running an action/, code: 'tool-missing' },
];

function toFailure(call: HookToolCall, exitCode: number, stderr: string): HookToolError {
  const { tool } = call;
  const meaning = meanings.find((each) => each.tools.test(tool) && each.text.test(stderr));
  return new HookToolError({
    tool,
    code: meaning?.code ?? 'failed',
    reason: describe(call, exitCode, stderr),
    exitCode,
    ...(meaning?.hint === undefined ? {} : { hint: meaning.hint }),
  });
}

/**
 * Juju's message without its prefix. What went in through a file or standard input may be secret,
 * and so may any piece of it that Juju quotes: the values are taken out of such messages, and of
 * quotations only those of an argument or a key are left.
 */
function describe(call: HookToolCall, exitCode: number, stderr: string): string {
  const text = stderr.trim().replace(/^ERROR /, '');
  if (text === '') return `exit code ${exitCode}`;
  const input = { ...parseInput(call.stdin), ...parseInput(call.privateFile) };
  const harmless = new Set([...call.args, ...Object.keys(input)]);
  const hasInput = call.stdin !== undefined || call.privateFile !== undefined;
  return Object.values(input)
    .reduce((rest, value) => (value.length < 3 ? rest : rest.replaceAll(value, '…')), text)
    .replaceAll(/`[^`]*`|"[^"]*"|'[^']*'/g, (quotation) =>
      !hasInput || harmless.has(quotation.slice(1, -1)) ? quotation : '…',
    );
}

/** What `renderTexts` made. */
function parseInput(json: string | undefined): Readonly<Record<string, string>> {
  if (json === undefined) return {};
  const value: unknown = JSON.parse(json);
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, String(each)]));
}
