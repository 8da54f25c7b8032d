"""Tells the charm when Patroni gives up a restore: Pebble does not start it again then."""

# A Patroni that is started again is there sooner.
END_S = 2.0


class Restoring:
    def __init__(self, watcher, notices):
        self.watcher = watcher
        self.notices = notices
        self.gone_since = None
        self.told = False

    def look(self, now):
        if self.watcher.patroni_process.pid is not None:
            self.gone_since, self.told = None, False
            return
        if self.gone_since is None:
            self.gone_since = now
        late = now - self.gone_since > END_S
        if late and self.watcher.files.data.restoring and not self.told:
            self.told = True
            self.notices.send("restore-ended")
