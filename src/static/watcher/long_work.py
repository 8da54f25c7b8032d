"""A backup, or a verification of backups, whose hook was killed: its unit would go on showing it.

Pebble ends pgBackRest with the hook that has started it, so nothing that is left does any more.
"""

import glob
import os

from left import Left
from processes import process_command
from system import read_text

# What pgBackRest does for PostgreSQL, whoever works on backups.
SERVICES = "archive-"


class LongWork(Left):
    work = "work on backups"
    notice = "work-left"

    def __init__(self, options, notices, trial):
        super().__init__(options.long_work, options, notices)
        self.trial = trial

    def is_at_work(self):
        """A trial restore is a part of it that tells of itself."""
        if self.trial.exists():
            return True
        stanza = f"--stanza={read_text(self.path).strip()}"
        pids = (path.rpartition("/")[2] for path in glob.glob("/proc/[0-9]*"))
        return any(is_work(process_command(pid), stanza) for pid in pids)


def is_work(command, stanza):
    if os.path.basename(command[0]) != "pgbackrest" or stanza not in command:
        return False
    return not any(word.startswith(SERVICES) for word in command)
