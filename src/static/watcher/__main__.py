"""Watches PostgreSQL and Patroni from beside them, wakes the charm, and fences what hangs.

Run by Pebble as root, because Juju only sees notices that root sent. It asks PostgreSQL nothing and
needs no connection: it reads Patroni's callbacks from a FIFO, and for the rest looks at processes and
files. What it sees stands in a JSON file; what changed is told with a Pebble notice.

The main thread touches nothing but /proc, so that neither Pebble nor a disk that hangs looks like a
frozen container; telling, asking Patroni and Kubernetes, and reading and writing files have threads of
their own.

Python, because wherever Patroni is Python is, and only modules that come with either.
"""

import argparse
import selectors

from callbacks import Callbacks
from fencing import Fencing
from files import Files
from heartbeat import Heartbeat
from lock_release import LockRelease
from notices import Notices
from patroni_watch import Patroni
from processes import Process, find_patroni
from restoring import Restoring
from seen import Seen
from server import Server
from streams import Streams
from succession import Succession
from system import TICK_S, clock, say


class Watcher:
    """The main thread: what is looked at in each tick, in this order."""

    def __init__(self, options):
        self.options = options
        seen = Seen(options.state)
        notices = Notices(options, seen)
        self.selector = selectors.DefaultSelector()
        self.callbacks = Callbacks(options, notices, self.selector)
        self.files = Files(options, notices, seen)
        self.patroni = Patroni(options, notices, seen.facts)
        self.files.disk.changed = self.patroni.reload
        self.files.archive.held = lambda: self.patroni.wal_held
        self.patroni_process = Process(lambda: find_patroni(options.config))
        self.server = Server(self.files, self.patroni, seen.facts, self.selector)
        self.fencing = Fencing(self, seen.facts, notices)
        self.lock_release = LockRelease(options, self.patroni)
        self.streams = Streams(self, seen.facts, notices)
        self.succession = Succession(self, seen.facts)
        self.restoring = Restoring(self, notices)
        self.heartbeat = Heartbeat(options.pid)
        self.last_tick = clock()
        if seen.has_predecessor:
            # Nobody was told of what came in between.
            notices.send("watcher-restarted")

    def run(self):
        say(f"watching {self.options.data}")
        while True:
            for key, _ in self.selector.select(TICK_S):
                key.data()
            self.tick(clock())

    def tick(self, now):
        gap, self.last_tick = now - self.last_tick, now
        patroni_gone = self.patroni_process.look(now)
        self.server.look(now)
        self.fencing.look(now, gap)
        if patroni_gone or self.patroni_process.pid is None:
            self.patroni.fine_at = now
        self.streams.look(now)
        self.succession.look(now)
        self.restoring.look(now)
        self.heartbeat.beat()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("config", "data", "logs", "fifo", "state", "pid", "domain", "backup-due",
                 "long-work"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--scheme", choices=("http", "https"), default="http")
    parser.add_argument("--port", type=int, default=8008)
    parser.add_argument("--patience", type=float, default=5, help="how long a stop is put up with")
    parser.add_argument("--lag", type=float, default=300, help="how long WAL may wait")
    parser.add_argument("--pebble", default="/charm/bin/pebble")
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    parser.add_argument("--account", default=account, help="folder of the pod's service account")
    parser.add_argument("--kubernetes", help="address of the API; that of the pod when left out")
    return parser.parse_args()


if __name__ == "__main__":
    Watcher(parse_options()).run()
