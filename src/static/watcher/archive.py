"""The archiver's waiting list."""

import glob
import os

from system import clock

PATIENCE_S = 60.0


class Archive:
    """Archiving fails when nothing that waits goes; a long list alone is much to do.

    WAL that is held on purpose is to wait, and gets its time when it no longer is.
    """

    def __init__(self, data, seen, notices):
        self.folder = f"{data}/pg_wal/archive_status"
        self.seen = seen
        self.notices = notices
        self.held = lambda: False
        self.waiting = set()
        # Since when nothing of the list has gone.
        self.still_since = clock()

    def look(self):
        now = clock()
        waiting = {os.path.basename(path) for path in glob.iglob(f"{self.folder}/*.ready")}
        if self.held() or not self.waiting or self.waiting - waiting:
            self.still_since = now
        self.waiting = waiting
        known = self.seen.get("archive", {}).get("failing", False)
        failing = bool(waiting) and now - self.still_since > PATIENCE_S
        self.seen["archive"] = {"waiting": len(waiting), "failing": failing}
        if failing != known:
            name = "archiving-failed" if failing else "archiving-recovered"
            self.notices.send(name, waiting=len(waiting))
