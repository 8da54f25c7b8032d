"""PostgreSQL as a process: when it ends, and whether its starts last."""

import os
import selectors

from processes import Process
from system import say, time_text

# PostgreSQL that has run for this long has been started.
STEADY_S = 10.0


class Server:
    def __init__(self, files, patroni, seen, selector):
        self.files = files
        self.patroni = patroni
        self.seen = seen
        self.selector = selector
        self.process = Process(files.data.find_postmaster)
        self.orphan_since = self.identity = self.ended = None
        self.up_since = 0.0
        # Since when PostgreSQL has not been up for a while; its latest ends and crashes.
        self.unsteady_since, self.ends = None, []

    def look(self, now):
        known = self.process.pid
        gone = self.process.look(now)
        pid = self.process.pid
        self.look_at_starts(now, known)
        if pid is None or self.files.data.postmaster == pid:
            self.orphan_since = None
        elif self.orphan_since is None:
            self.orphan_since = now
        if gone:
            say(f"PostgreSQL (process {known}) ended")
            self.note_end(now)
            self.patroni.wake()
        if pid != known:
            self.await_end(pid)

    def crashed(self, now):
        """It starts itself anew, under the same process id."""
        say(f"PostgreSQL (process {self.process.pid}) crashed")
        self.note_end(now)
        self.up_since = now

    def note_end(self, now):
        """A crash may end its own recovery, and then the postmaster: that is one end."""
        if not self.ends or now - self.ends[-1] > STEADY_S:
            self.ends.append(now)

    def look_at_starts(self, now, known):
        """Since when PostgreSQL has not been up for a while, and how often it was started in vain."""
        pid, down = self.process.pid, self.seen.get("down")
        data = self.files.data
        if pid != known:
            self.up_since = now
        steady = pid is not None and now - self.up_since > STEADY_S
        if steady:
            self.unsteady_since = None
        elif self.unsteady_since is None and (pid is None or self.ends):
            self.unsteady_since = now
        self.files.disk.unsteady = self.unsteady_since is not None
        if steady:
            self.seen.pop("down", None)
        elif pid is None and down is None or down and data.identity != self.identity:
            # What another data directory has been through does not count.
            self.seen["down"] = {"at": time_text(), "starts": 0}
        elif down and known is not None and pid != known:
            self.seen["down"] = {**down, "starts": down["starts"] + 1}
        if "down" in self.seen:
            # Without it no start is even tried.
            self.seen["down"] = {**self.seen["down"], "control": data.control,
                                 "refusal": self.files.refusal}
        self.identity = data.identity

    def await_end(self, pid):
        """Has the end of a process reported at once, not at the next tick."""
        if self.ended is not None:
            self.selector.unregister(self.ended)
            os.close(self.ended)
            self.ended = None
        if pid is None or not hasattr(os, "pidfd_open"):
            return
        try:
            self.ended = os.pidfd_open(pid)
        except OSError:
            return
        self.selector.register(self.ended, selectors.EVENT_READ, self.process_ended)

    def process_ended(self):
        self.await_end(None)
        self.patroni.wake()
