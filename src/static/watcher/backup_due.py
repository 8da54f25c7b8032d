"""Wakes the charm when a backup is due.

The charm writes the time into a file, and decides by itself whether there is something to do: it may be
woken once too often, and is woken again as long as the time in the file has passed.
"""

import calendar
import time

from system import clock, read_text, say

# A notice may get lost, and what the backup has to wait for may take long.
AGAIN_S = 300.0


class BackupDue:
    def __init__(self, path, notices):
        self.path = path
        self.notices = notices
        self.text, self.due = "", None
        self.next_notice = 0.0

    def look(self):
        text = read_text(self.path).strip()
        if text != self.text:
            self.text, self.due, self.next_notice = text, parse_time(text), 0.0
        if self.due is None or time.time() < self.due or clock() < self.next_notice:
            return
        self.next_notice = clock() + AGAIN_S
        self.notices.send("backup-due", at=text)


def parse_time(text):
    if not text:
        return None
    try:
        return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        say(f"no time at which a backup is due: {text[:40]}")
        return None
