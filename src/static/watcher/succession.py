"""A primary that does not stay up on a full disk gives way to a member that has the same data.

Patroni does so itself after a start that fails, but not when starts succeed and do not last. It is
ended in good order, which gives the leader lock back to those who have all that was acknowledged.
"""

import os
import signal

from system import say

# How long PostgreSQL may not stay up on a full disk, and when the next attempt is made.
HAND_OVER_S, AGAIN_S = 20.0, 60.0
# So many ends and crashes in this time, with a while between them, are as bad.
CRASHES, CRASHES_S = 3, 120.0


class Succession:
    def __init__(self, watcher, seen):
        self.watcher = watcher
        self.seen = seen
        self.due = 0.0

    def look(self, now):
        server, patroni = self.watcher.server, self.watcher.patroni
        server.ends = [end for end in server.ends if now - end < CRASHES_S]
        full = self.seen.get("disk", {}).get("level") == "full"
        down = server.unsteady_since is not None and now - server.unsteady_since > HAND_OVER_S
        if not full or not (down or len(server.ends) >= CRASHES) or now < self.due:
            return
        pid, members = self.watcher.patroni_process.pid, patroni.members
        if pid is None or members.paused or server.files.data.standby or not members.can_hand_over:
            return
        self.due = now + AGAIN_S
        say("handing over: the disk is full and PostgreSQL does not stay up")
        self.watcher.fencing.tell("the disk is full and PostgreSQL does not stay up")
        # Patroni ends PostgreSQL and then gives up the lock. Pebble starts it again.
        os.kill(pid, signal.SIGTERM)
