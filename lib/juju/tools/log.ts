// juju-log. The message is one argument, and the kernel takes 131,071 bytes in one.

import type { LogLevel } from '../../base/log.ts';
import { runTool } from './call.ts';
import type { HookToolPort } from './port.ts';

export const longestMessageBytes = 131_071;

/** Writes one message, which may have several lines, into Juju's log. */
export async function jujuLog(port: HookToolPort, level: LogLevel, message: string): Promise<void> {
  await runTool(port, { tool: 'juju-log', args: ['--log-level', level, '--', message] });
}
