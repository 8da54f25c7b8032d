"""What the main thread has to know of the data directory."""

import os

from processes import is_postmaster


class DataDirectory:
    def __init__(self, path):
        self.path = path
        # The process that its lock file names.
        self.postmaster = None
        self.standby = False
        self.identity = None
        self.control = True
        self.restoring = False

    def look(self):
        try:
            with open(f"{self.path}/postmaster.pid", encoding="utf-8") as file:
                first = file.readline().strip()
        except (FileNotFoundError, NotADirectoryError):
            first = ""
        self.postmaster = int(first) if first.isdigit() else None
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
        return pid if pid is not None and is_postmaster(pid) else None
