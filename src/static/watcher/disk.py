"""Space on the data volume.

On a full disk the watcher depends on nobody: it makes Patroni's file let clients only read, and gives
up what it holds in reserve.
"""

import os

from patroni_file import let_only_read, read_only_word
from reserve import Reserve
from system import clock, say

# Of the data volume: when to say so, when to let nobody write, and when it is over again.
LOW, FULL, HYSTERESIS = 0.10, 0.03, 0.02
# PostgreSQL ends when it cannot make its next file of WAL, of 16 MiB.
FULL_BYTES = 32 * 1024 * 1024
# Not even the charm can write its files then.
NOTHING_BYTES = 1024 * 1024
RESERVE_PATIENCE_S = 60.0


class Disk:
    def __init__(self, options, notices, seen, data):
        self.options = options
        self.notices = notices
        self.seen = seen
        self.data = data
        self.volume = os.path.dirname(options.data)
        self.reserve = Reserve(f"{self.volume}/disk-reserve")
        self.full_since = None
        # Called when Patroni's file has been changed here.
        self.changed = lambda: None
        # Whether PostgreSQL has not been up for a while, which the main thread knows.
        self.unsteady = False

    def look(self):
        volume = os.statvfs(self.volume)
        total, free = volume.f_blocks * volume.f_frsize, volume.f_bavail * volume.f_frsize
        held, wanted = self.reserve.held(), self.reserve.wanted(total)
        # Without the reserve, be it held or given up: giving it up makes a disk no less full.
        usable = max(0, free + held - wanted)
        known = self.seen.get("disk", {}).get("level", "ok")
        level = disk_level(usable, total, known)
        # Rounded, so that the file does not change with every transaction.
        percent = int(usable * 100 / total) if total else 100
        word = read_only_word(self.options.config)
        # For the sake of the disk: what the operator wants is nobody's to undo.
        self.seen["disk"] = {"level": level, "free_percent": percent, "total": total,
                             "read_only": word == "yes"}
        if level != known:
            self.notices.send("disk-space", level=level)
        if level != "full":
            self.full_since = None
            if level == "ok" and held < wanted:
                self.reserve.make(wanted)
            return
        self.give_up_reserve(free, wanted, word is not None)
        if word is None and let_only_read(self.options.config):
            say("the disk is full: clients may only read")
            self.changed()

    def give_up_reserve(self, free, wanted, read_only):
        """Half of it to start PostgreSQL, or to let the charm write; all once clients may only read.

        Whoever may still write would have all of it used up at once.
        """
        if self.full_since is None:
            self.full_since = clock()
        late = clock() - self.full_since > RESERVE_PATIENCE_S
        down = self.data.find_postmaster() is None or self.unsteady
        if read_only and (down or late):
            self.reserve.give_up(0)
        elif down or free < NOTHING_BYTES:
            self.reserve.give_up(wanted // 2)


def disk_level(usable, total, known):
    low = LOW + (HYSTERESIS if known != "ok" else 0)
    full = FULL + (HYSTERESIS if known == "full" else 0)
    if usable < max(full * total, min(FULL_BYTES, LOW * total)):
        return "full"
    return "low" if usable < low * total else "ok"
