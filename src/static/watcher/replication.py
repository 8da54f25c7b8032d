"""What follows when replication stops, and what the charm is told of it."""

from system import time_text

# A standby that just restarts is back sooner.
GRACE_S = 3.0
# What stays broken is told again, because what helps depends on how long it has been.
RETELL_S = 60.0
# What has worked for this long was repaired, if anything was.
STEADY_S = 300.0


class Replication:
    def __init__(self, watcher, seen, notices):
        self.data = watcher.files.data
        self.patroni = watcher.patroni
        self.lock_release = watcher.lock_release
        self.seen = seen
        self.notices = notices
        self.broken_since = self.broken_told = self.broken_at = None
        # Since when it has worked, and when that had last been so for a while.
        self.fine_since = self.steady_at = None
        self.steady_told = False

    def interrupted(self):
        """PostgreSQL is down, or has been started anew."""
        self.fine_since = None

    def report(self, streaming, now):
        standby = self.data.standby
        self.note_steadiness(not standby or "walreceiver" in streaming, now)
        known = self.seen.get("replication")
        if known is None or known["standby"] != standby:
            self.broken_since = self.broken_told = None
            self.lock_release.stream_back()
        elif standby:
            self.report_receiver("walreceiver" in streaming, now)
        elif set(streaming) != set(known["streams"]):
            # Whether commits wait for those is Patroni's to decide, now.
            self.patroni.wake()
        seen = {"standby": standby, "streams": streaming}
        if self.broken_told is not None:
            seen["broken_at"] = self.broken_at
        if self.steady_at is not None:
            seen["steady_at"] = self.steady_at
        self.seen["replication"] = seen

    def note_steadiness(self, fine, now):
        """Told once for each time that it lasts: nothing is repaired meanwhile."""
        if not fine:
            self.fine_since = None
        elif self.fine_since is None:
            self.fine_since, self.steady_told = now, False
        elif not self.steady_told and now - self.fine_since >= STEADY_S:
            self.steady_at, self.steady_told = time_text(), True

    def report_receiver(self, receiving, now):
        if receiving:
            self.lock_release.stream_back()
            if self.broken_told is not None:
                self.notices.send("replication-recovered")
            self.broken_since = self.broken_told = None
            return
        if self.broken_since is None:
            self.broken_since, self.broken_at = now, time_text()
            self.lock_release.stream_lost()
        for_s = now - self.broken_since
        told = self.broken_told
        due = for_s > GRACE_S if told is None else now - told > RETELL_S
        if due:
            self.broken_told = now
            self.notices.send("replication-broken", seconds=int(for_s))
