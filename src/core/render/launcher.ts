// How Patroni is started: by static/patroni-launcher.py, under the interpreter that the image's own program
// names, since Patroni may have an environment of its own.

import launcher from '../../static/patroni-launcher.py';
import { logDirectory, patroniConfigPath, watcherDirectory } from '../names.ts';

/** Called like Patroni's own program, by which the watcher knows it. */
const launcherPath = `${watcherDirectory}/patroni`;
const startPath = `${watcherDirectory}/start-patroni`;

const startScript = `#!/bin/sh
# start-patroni FILE: Patroni on this configuration.
program=$(command -v patroni) || { echo 'no patroni in this image'; exit 127; }
interpreter=$(sed -n '1s/^#! *//p' "$program")
case $interpreter in
  *python*) exec $interpreter ${launcherPath} "$1" ;;
  *) echo "$program is no Python program: started as it is"; exec "$program" "$1" ;;
esac
`;

export const launcherScripts: Readonly<Record<string, string>> = {
  [launcherPath]: launcher,
  [startPath]: startScript,
};

/**
 * Into a file, not into Pebble's pipe: PostgreSQL inherits the output and outlives a Patroni that
 * dies, and Pebble starts a service again only when its output has been closed, or after most of the
 * kill delay. Patroni itself logs into files of its own; here is what PostgreSQL says before its
 * logging collector runs.
 */
export const patroniCommand = `/bin/sh -c "exec ${startPath} ${patroniConfigPath} >>${logDirectory}/patroni-output.log 2>&1"`;
