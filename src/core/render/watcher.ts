// The two small scripts that wake the charm. Patroni calls the first one as the postgres user; it
// writes one line into a FIFO, opened for reading and writing so that it never waits. The second
// one, run by Pebble as root, reads the lines and sends a Pebble custom notice for each.
// Both are POSIX sh: the image may be anybody's.

import { watcherDirectory, workloadUser } from '../names.ts';

export const noticeDomain = 'postgresql.charm';
/**
 * Patroni's callbacks and the keys of their notices (`postgresql.charm/on-start`): Pebble takes no
 * underscore in a key.
 */
export const noticeOfCallback: Readonly<Record<string, string>> = {
  on_start: `${noticeDomain}/on-start`,
  on_stop: `${noticeDomain}/on-stop`,
  on_restart: `${noticeDomain}/on-restart`,
  on_role_change: `${noticeDomain}/on-role-change`,
};

const fifo = '/run/charm-notices';

export const callbackScript = `#!/bin/sh
# Called by Patroni: callback, role, cluster. Tells the watcher and ends at once.
[ -p ${fifo} ] || exit 0
printf '%s %s\\n' "$1" "$2" 1<>${fifo}
`;

const cases = Object.entries(noticeOfCallback)
  .map(([callback, key]) => `    ${callback}) key=${key} ;;`)
  .join('\n');

export const watcherScript = `#!/bin/sh
# Run by Pebble as root: one Pebble notice for each line that a callback writes.
set -eu
rm -f ${fifo}
mkfifo -m 0660 ${fifo}
chown root:${workloadUser} ${fifo}
exec 3<>${fifo}
while read -r callback role <&3; do
  case $callback in
${cases}
    *) continue ;;
  esac
  /charm/bin/pebble notify "$key" "role=$role" >/dev/null || true
done
`;

export const scripts: Readonly<Record<string, string>> = {
  [`${watcherDirectory}/patroni-callback`]: callbackScript,
  [`${watcherDirectory}/watcher`]: watcherScript,
};
