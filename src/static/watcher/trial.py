"""A backup that is restored beside the data on trial, and what is left of one that was cut short.

The charm sees it in the file that every hook reads, and removes what it finds there; when nobody has
been at work on it for a while, a hook is woken to do that.
"""

import glob
import os

from processes import children_of, is_postmaster, process_command
from system import clock, say

# Steps of a trial follow each other at once; that many times as long as a stop is put up with.
QUIET = 6
# A notice may get lost, and a hook may find that it cannot remove it yet.
AGAIN_S = 300.0


class Trial:
    def __init__(self, options, notices, facts):
        self.place = f"{os.path.dirname(options.data)}/trial-restore"
        self.quiet_s = QUIET * options.patience
        self.notices = notices
        self.facts = facts
        self.quiet_since = None
        self.next_notice = 0.0

    def look(self):
        if not os.path.exists(self.place):
            self.facts.pop("trial", None)
            self.quiet_since = None
            return
        self.facts["trial"] = True
        now = clock()
        if self.is_at_work():
            self.quiet_since = None
            return
        if self.quiet_since is None:
            self.quiet_since = now
        if now - self.quiet_since < self.quiet_s or now < self.next_notice:
            return
        self.next_notice = now + AGAIN_S
        say("a trial restore was cut short")
        self.notices.send("trial-left")

    def is_at_work(self):
        """Whether a program works on it; its server stays when nobody does any more, and only recovers."""
        for path in glob.glob("/proc/[0-9]*"):
            pid = path.rpartition("/")[2]
            if is_postmaster(pid, f"{self.place}/pgdata"):
                if any(is_recovery(child) for child in children_of(pid)):
                    return True
            elif any(self.place in word for word in process_command(pid)):
                return True
        return False


def is_recovery(pid):
    return process_command(pid)[0].startswith("postgres: trial-restore: startup")
