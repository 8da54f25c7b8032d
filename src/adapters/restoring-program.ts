// pgBackRest while it restores into the data directory. Patroni starts it, but it does not end with a
// Patroni that is killed, and would go on writing into whatever stands in its place: the data of before,
// which have come back.

import { CodedError } from '../../lib/base/error.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { dataDirectory } from '../core/names.ts';

/** Its first argument is the directory. Fails when one of the programs does not end. */
const script = `found() {
  for file in $(grep -lzxF -e "--pg1-path=$1" /proc/[0-9]*/cmdline 2>/dev/null); do
    grep -qzxE -e 'restore(:local)?' "$file" 2>/dev/null || continue
    file=\${file#/proc/}
    echo "\${file%/cmdline}"
  done
}
tries=100
while programs=$(found "$1"); [ -n "$programs" ]; do
  [ "$tries" -gt 0 ] || exit 1
  tries=$((tries - 1))
  kill -KILL $programs 2>/dev/null
  sleep 0.1
done`;

/** Without the directory. */
export const endingCommand = ['/bin/sh', '-c', script, 'end-restore'] as const;

const endTimeoutMs = 60_000;

/** Kills what restores here; nothing writes into the directory then. Rejects with `CodedError`. */
export async function endRestoringProgram(pebble: Pebble): Promise<void> {
  const command = [...endingCommand, dataDirectory];
  const { exitCode } = await pebble.exec(command, { timeoutMs: endTimeoutMs });
  if (exitCode === 0) return;
  throw new CodedError('pgBackRest does not end', { code: 'still-running' });
}
