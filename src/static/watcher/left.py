"""What a hook makes for as long as it works, and leaves when it is killed.

The next hook takes it away; when nobody has been at work on it for a while, one is woken to do that.
"""

import os

from system import clock, say

# Steps of such work follow each other at once; that many times as long as a stop is put up with.
QUIET = 6
# A notice may get lost, and a hook may find that it cannot remove it yet.
AGAIN_S = 300.0


class Left:
    """To be given `is_at_work`, and what the work is, and the notice, by those that look."""

    work = ""
    notice = ""

    def __init__(self, path, options, notices):
        self.path = path
        self.quiet_s = QUIET * options.patience
        self.notices = notices
        self.quiet_since = None
        self.next_notice = 0.0

    def exists(self):
        return os.path.exists(self.path)

    def is_at_work(self):
        raise NotImplementedError

    def look(self):
        if not self.exists() or self.is_at_work():
            self.quiet_since, self.next_notice = None, 0.0
            return
        now = clock()
        if self.quiet_since is None:
            self.quiet_since = now
        if now - self.quiet_since < self.quiet_s or now < self.next_notice:
            return
        self.next_notice = now + AGAIN_S
        say(f"{self.work} was cut short")
        self.notices.send(self.notice)
