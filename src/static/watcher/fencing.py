"""Kills with SIGKILL what must not go on:

- PostgreSQL or Patroni when one of them has been stopped (state T) for a while;
- both when Patroni hangs, so that nobody would demote this primary (on a standby Patroni alone);
- both when this program itself did not run for half of the leader lock's life: the container was
  frozen, and what thaws still believes in a lock that others may hold by now.

Pebble starts Patroni again; the new process knows nothing and reads the lock as it is. While the
cluster is paused for maintenance, only the third happens.
"""

from processes import children_of, kill
from system import clock, say, time_text


class Fencing:
    def __init__(self, watcher, seen, notices):
        self.watcher = watcher
        self.server = watcher.server
        self.patroni = watcher.patroni
        self.seen = seen
        self.notices = notices

    def look(self, now, gap):
        """`gap`: for how long this program did not run."""
        if gap > self.patroni.ttl / 2:
            self.fence(f"the container did not run for {gap:.0f} s", everything=True)
        elif not self.patroni.members.paused:
            self.look_for_hangs(now)

    def look_for_hangs(self, now):
        limit = self.watcher.options.patience
        server, process = self.server, self.watcher.patroni_process
        if server.process.stopped_for(now) > limit:
            self.fence(f"PostgreSQL was stopped for {limit:.0f} s", postgresql=True)
        if server.orphan_since is not None and now - server.orphan_since > limit:
            server.orphan_since = None
            self.fence("PostgreSQL ran without its data directory", postgresql=True)
        if process.stopped_for(now) > limit:
            self.fence(f"Patroni was stopped for {limit:.0f} s", patroni=True)
        silent = now - self.patroni.fine_at
        if process.pid is not None and silent > self.patroni.ttl / 2:
            primary = not server.files.data.standby
            self.fence(f"Patroni was silent for {silent:.0f} s", patroni=True, postgresql=primary)

    def fence(self, reason, everything=False, postgresql=False, patroni=False):
        say(f"fencing: {reason}")
        postmaster, process = self.server.process.pid, self.watcher.patroni_process.pid
        if (everything or postgresql) and postmaster is not None:
            for pid in [postmaster, *children_of(postmaster)]:
                kill(pid)
        if (everything or patroni) and process is not None:
            kill(process)
        self.patroni.fine_at = clock()
        self.patroni.wake()
        self.tell(reason)

    def tell(self, reason):
        fence = {"at": time_text(), "reason": reason}
        self.seen["fences"] = [*self.seen["fences"], fence][-5:]
        self.notices.send("fenced", reason=reason)
