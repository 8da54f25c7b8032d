// An in-memory jujuc: takes hook-tool calls at argument-list level and answers with the texts and
// exit codes of the real one. A tool that Juju 4 does not have cannot be started at all.

import { stringify } from 'yaml';

import { ProcessError } from '../../../../lib/base/process.ts';
import type {
  HookToolCall,
  HookToolPort,
  HookToolResult,
} from '../../../../lib/juju/tools/port.ts';
import { actionTools } from './action-tools.ts';
import { agentTools } from './agent-tools.ts';
import { type Arguments, parseArguments, ToolError } from './arguments.ts';
import { type OpenHook, Text, type Tool } from './open-hook.ts';
import { relationTools } from './relation-tools.ts';
import { secretReadTools } from './secret-read-tools.ts';
import { secretWriteTools } from './secret-write-tools.ts';
import { unitTools } from './unit-tools.ts';

const tools: Readonly<Record<string, Tool>> = {
  ...unitTools,
  ...actionTools,
  ...relationTools,
  ...secretReadTools,
  ...secretWriteTools,
  ...agentTools,
};

// What the kernel takes in one argument.
const longestArgumentBytes = 131_071;

/** The hook tools of one run. */
export function jujucFor(hook: OpenHook): HookToolPort {
  return async (call) => {
    hook.calls.push(call);
    const tool = tools[call.tool];
    if (tool === undefined) throw new ProcessError(call.tool, 'missing', 'no such command');
    if (call.args.some((arg) => Buffer.byteLength(arg) > longestArgumentBytes)) {
      throw new ProcessError(call.tool, 'too-large', 'its arguments are too long');
    }
    return await Promise.resolve(runTool(hook, tool, call));
  };
}

function runTool(hook: OpenHook, tool: Tool, call: HookToolCall): HookToolResult {
  try {
    if (hook.state.unansweredTools?.includes(call.tool) === true) {
      throw new ToolError('connection is shut down');
    }
    const args = parseArguments(call.args, tool.flags ?? {});
    const value = tool.run(hook, args, call);
    return { exitCode: 0, stdout: value === undefined ? '' : print(value, args), stderr: '' };
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    return { exitCode: error.exitCode, stdout: '', stderr: `ERROR ${error.message}\n` };
  }
}

function print(value: unknown, args: Arguments): string {
  if (value instanceof Text) return value.text;
  switch (args.text('format') ?? 'smart') {
    case 'json':
      return `${JSON.stringify(value)}\n`;
    case 'smart':
      return printSmart(value);
    default:
      return stringify(value, { sortMapEntries: true });
  }
}

function printSmart(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True\n' : 'False\n';
  const text = Array.isArray(value) ? value.join('\n') : (value ?? '');
  if (typeof text !== 'string') return stringify(text, { sortMapEntries: true });
  return text === '' ? '' : `${text}\n`;
}
