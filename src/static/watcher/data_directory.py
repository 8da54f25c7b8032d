"""What the main thread has to know of the data directory."""

import os

from processes import is_postmaster

# Where the lock file has what the server does.
STATUS_LINE = 7


class DataDirectory:
    def __init__(self, path):
        self.path = path
        # The process that its lock file names.
        self.postmaster = None
        # Whether that is on its way to its end, after which a checkpoint of hours may come.
        self.stopping = False
        self.standby = False
        self.identity = None
        self.control = True
        self.restoring = False

    def look(self):
        try:
            with open(f"{self.path}/postmaster.pid", encoding="utf-8") as file:
                lines = [line.strip() for line in file]
        except (FileNotFoundError, NotADirectoryError):
            lines = []
        self.postmaster = int(lines[0]) if lines and lines[0].isdecimal() else None
        self.stopping = lines[STATUS_LINE:STATUS_LINE + 1] == ["stopping"]
        try:
            facts = os.stat(f"{self.path}/PG_VERSION")
            self.identity = (facts.st_ino, facts.st_mtime_ns)
        except FileNotFoundError:
            self.identity = None
        self.control = os.path.exists(f"{self.path}/global/pg_control")
        self.standby = os.path.exists(f"{self.path}/standby.signal")
        self.restoring = os.path.exists(f"{os.path.dirname(self.path)}/restore.json")

    def find_postmaster(self):
        pid = self.postmaster
        return pid if pid is not None and is_postmaster(pid, self.path) else None
