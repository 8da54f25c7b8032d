"""Space that is held back for a start with a full disk."""

import os

from system import say

# This share of the volume, within limits.
SHARE, LEAST, MOST = 0.02, 48 * 1024 * 1024, 256 * 1024 * 1024


class Reserve:
    def __init__(self, path):
        self.path = path

    @staticmethod
    def wanted(total):
        return int(min(MOST, max(LEAST, SHARE * total), total / 10))

    def held(self):
        return os.path.getsize(self.path) if os.path.exists(self.path) else 0

    def make(self, size):
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, size)
        except OSError:
            os.remove(self.path)
            raise
        finally:
            os.close(file)

    def give_up(self, rest):
        """All of it but the rest."""
        held = self.held()
        if held <= rest:
            return
        if rest == 0:
            os.remove(self.path)
            say(f"gave up {held} bytes held in reserve: the disk is full")
        else:
            os.truncate(self.path, rest)
            say(f"gave up {held - rest} of {held} bytes held in reserve: the disk is full")
