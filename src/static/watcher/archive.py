"""The archiver's waiting list."""

import glob
import os

from system import clock

# An archive may take nothing for that many times as long as a stop is put up with.
STILL = 12


class Archive:
    """Archiving fails when nothing that waits goes, and lags when something waits for too long.

    A long list alone is much to do. WAL that is held on purpose is to wait, and gets its time when it
    no longer is.
    """

    def __init__(self, options, seen, notices):
        self.folder = f"{options.data}/pg_wal/archive_status"
        self.seen = seen
        self.notices = notices
        self.held = lambda: False
        self.waiting = set()
        # Since when nothing of the list has gone, and how long that may be.
        self.still_since, self.still_s = clock(), STILL * options.patience
        # How long a file may wait; and since when each does that waits now.
        self.lag = options.lag
        self.first_seen = {}

    def look(self):
        now = clock()
        waiting = {os.path.basename(path) for path in glob.iglob(f"{self.folder}/*.ready")}
        held = self.held()
        if held or not self.waiting or self.waiting - waiting:
            self.still_since = now
        self.waiting = waiting
        self.first_seen = {name: now if held else self.first_seen.get(name, now) for name in waiting}
        known = self.seen.get("archive", {})
        failing = bool(waiting) and now - self.still_since > self.still_s
        lags = self.lags(now, known.get("lags", False))
        self.seen["archive"] = {"waiting": len(waiting), "failing": failing, "lags": lags}
        if failing != known.get("failing", False):
            name = "archiving-failed" if failing else "archiving-recovered"
            self.notices.send(name, waiting=len(waiting))
        elif lags != known.get("lags", False) and not failing:
            self.notices.send("archiving-lags" if lags else "archiving-recovered",
                              waiting=len(waiting))

    def lags(self, now, known):
        """It has caught up when it is well below the limit, so that it does not come and go."""
        oldest = now - min(self.first_seen.values(), default=now)
        return oldest > (self.lag / 2 if known else self.lag)
