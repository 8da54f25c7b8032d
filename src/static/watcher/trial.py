"""A backup that is restored beside the data on trial, and what is left of one that was cut short.

The charm sees it in the file that every hook reads, and removes what it finds there.
"""

import glob
import os

from left import Left
from processes import children_of, is_postmaster, process_command


class Trial(Left):
    work = "a trial restore"
    notice = "trial-left"

    def __init__(self, options, notices, facts):
        super().__init__(f"{os.path.dirname(options.data)}/trial-restore", options, notices)
        self.facts = facts

    def look(self):
        if self.exists():
            self.facts["trial"] = True
        else:
            self.facts.pop("trial", None)
        super().look()

    def is_at_work(self):
        """Whether a program works on it; its server stays when nobody does any more, and only recovers."""
        for path in glob.glob("/proc/[0-9]*"):
            pid = path.rpartition("/")[2]
            if is_postmaster(pid, f"{self.path}/pgdata"):
                if any(is_recovery(child) for child in children_of(pid)):
                    return True
            elif any(self.path in word for word in process_command(pid)):
                return True
        return False


def is_recovery(pid):
    return process_command(pid)[0].startswith("postgres: trial-restore: startup")
