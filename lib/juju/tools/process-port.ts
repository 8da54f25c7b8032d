// The real port to the hook tools: one process per call. Private content lives in a file that only
// this user can read, in a folder that only this user can enter, for as long as the call takes.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type ProcessPort, runProcess } from '../../base/process.ts';
import type { HookToolCall, HookToolPort } from './port.ts';

// A call is a round trip to the unit's agent and, for most tools, to the controller: milliseconds,
// but a controller that is failing over keeps it waiting. Longer than that, and retrying the hook
// is better than a hook that hangs.
const timeoutMs = 120_000;

// Downloads from the controller.
const resourceTimeoutMs = 1_800_000;

/** Hook tools from PATH, as Juju provides them to a hook. */
export function createHookToolPort(run: ProcessPort = runProcess): HookToolPort {
  return async (call) => {
    if (call.privateFile === undefined) return await run(toProcess(call, call.args));
    const folder = await mkdtemp(join(tmpdir(), 'hook-tool-'));
    try {
      const path = join(folder, 'content');
      await writeFile(path, call.privateFile, { mode: 0o600, flag: 'wx' });
      return await run(toProcess(call, ['--file', path, ...call.args]));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

function toProcess(call: HookToolCall, args: readonly string[]): Parameters<ProcessPort>[0] {
  return {
    command: call.tool,
    args,
    timeoutMs: call.tool === 'resource-get' ? resourceTimeoutMs : timeoutMs,
    ...(call.stdin === undefined ? {} : { stdin: call.stdin }),
  };
}
