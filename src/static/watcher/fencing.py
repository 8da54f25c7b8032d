"""Kills with SIGKILL what must not go on:

- PostgreSQL or Patroni when one of them has been stopped (state T) for a while;
- both when Patroni hangs, so that nobody would demote this primary (on a standby Patroni alone);
- PostgreSQL when it is a primary and Patroni has been away (no process, or none that opens its port)
  for the whole life of the leader lock: another member may lead by then;
- both when this program itself did not run for half of the leader lock's life: the container was
  frozen, and what thaws still believes in a lock that others may hold by now.

Pebble starts Patroni again; the new process knows nothing and reads the lock as it is. While the
cluster is paused for maintenance, only the last happens: a manual failover may have come meanwhile, and
in a pause Patroni leaves a primary without the lock alone. Nobody starts PostgreSQL then until the pause
is over.
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
        # Since when a primary has been without Patroni.
        self.alone_since = None

    def look(self, now, gap):
        """`gap`: for how long this program did not run."""
        if gap > self.patroni.ttl / 2:
            self.fence(f"the container did not run for {gap:.0f} s", everything=True)
        elif not self.patroni.members.paused:
            self.look_for_hangs(now)
            self.look_for_absence(now)

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

    def look_for_absence(self, now):
        if not self.is_alone():
            self.alone_since = None
            return
        if self.alone_since is None:
            self.alone_since = now
        # Should the process not be recognised, its answers count all the same.
        alone = now - max(self.alone_since, self.patroni.answered_at)
        if alone > self.patroni.ttl:
            self.alone_since = None
            self.fence(f"a primary was without Patroni for {alone:.0f} s", postgresql=True)

    def is_alone(self):
        """Whether PostgreSQL is a primary that goes on by itself, while another may take the lock."""
        data, patroni = self.server.files.data, self.patroni
        away = patroni.refuses or self.watcher.patroni_process.pid is None
        going_on = not (data.standby or data.stopping or data.restoring)
        runs = self.server.process.pid is not None
        return away and runs and going_on and patroni.members.may_be_replaced

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
