"""Processes, as /proc tells of them."""

import glob
import os
import signal

from system import read_text


def process_state(pid):
    """One letter as in ps, or None when there is no such process."""
    fields = read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[0] if fields else None


def process_command(pid):
    return read_text(f"/proc/{pid}/cmdline").split("\0")


def children_of(pid):
    text = read_text(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in text.split()]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def find_patroni(config):
    for path in glob.glob("/proc/[0-9]*"):
        pid = int(path.rpartition("/")[2])
        command = process_command(pid)
        if config in command and any(os.path.basename(word) == "patroni" for word in command[:2]):
            return pid
    return None


def is_postmaster(pid, data):
    """Of these data: a process that has got the number of one that has died may be that of others."""
    command = process_command(pid)
    if os.path.basename(command[0]) not in ("postgres", "postmaster"):
        return False
    place = command.index("-D") + 1 if "-D" in command else len(command)
    named = command[place] if place < len(command) else data
    return os.path.normpath(named) == os.path.normpath(data)


class Process:
    """One long-lived process that may come and go: who it is now, and since when it is stopped."""

    def __init__(self, find):
        self.find = find
        self.pid = None
        self.stopped_since = None

    def look(self, now):
        """True when the process that was there is gone."""
        known = self.pid
        state = process_state(known) if known else None
        if state in (None, "Z", "X"):
            self.pid = self.find()
            self.stopped_since = None
            return known is not None and self.pid != known
        if state != "T":
            self.stopped_since = None
        elif self.stopped_since is None:
            self.stopped_since = now
        return False

    def stopped_for(self, now):
        return 0.0 if self.stopped_since is None else now - self.stopped_since
