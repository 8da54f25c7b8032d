// Hook tools that answer from a script and refuse every call that is not in it.

import type { HookToolCall, HookToolPort, HookToolResult } from '../../lib/juju/tools/port.ts';

/** Standard output, or a whole result. */
export type Answer = string | Partial<HookToolResult>;

export interface ScriptedHookTools {
  readonly port: HookToolPort;
  /** The calls as command lines, standard input behind `<`, a private file behind `<<`. */
  readonly calls: () => readonly string[];
  /** Calls that the script does not have. */
  readonly unexpected: () => readonly string[];
}

/**
 * The keys of the script are command lines without `--format=json` and without input; a key that is
 * a tool's name alone answers whatever else it is called with.
 */
export function scriptHookTools(script: Readonly<Record<string, Answer>>): ScriptedHookTools {
  const calls: string[] = [];
  const unexpected: string[] = [];
  const port: HookToolPort = async (call) => {
    await Promise.resolve();
    calls.push(renderCall(call));
    const answer = script[renderCommand(call)] ?? script[call.tool];
    if (answer === undefined) {
      unexpected.push(renderCall(call));
      throw new Error(`unexpected call: ${renderCall(call)}`);
    }
    const result = typeof answer === 'string' ? { stdout: answer } : answer;
    return { exitCode: 0, stdout: '', stderr: '', ...result };
  };
  return { port, calls: () => calls, unexpected: () => unexpected };
}

/** A failure as a tool reports it. */
export function failure(stderr: string, exitCode = 1): Partial<HookToolResult> {
  return { exitCode, stderr: `ERROR ${stderr}\n` };
}

function renderCommand({ tool, args }: HookToolCall): string {
  return [tool, ...args.filter((each) => each !== '--format=json')].join(' ');
}

function renderCall(call: HookToolCall): string {
  const stdin = call.stdin === undefined ? '' : ` < ${call.stdin}`;
  const file = call.privateFile === undefined ? '' : ` << ${call.privateFile}`;
  return `${renderCommand(call)}${stdin}${file}`;
}
