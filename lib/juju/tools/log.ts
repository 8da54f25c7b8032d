// juju-log. The message is one argument: `longestArgumentBytes` at most.

import type { LogLevel } from '../../base/log.ts';
import { runTool } from './call.ts';
import type { HookToolPort } from './port.ts';

/** Writes one message, which may have several lines, into Juju's log. */
export async function jujuLog(port: HookToolPort, level: LogLevel, message: string): Promise<void> {
  await runTool(port, { tool: 'juju-log', args: ['--log-level', level, '--', message] });
}
