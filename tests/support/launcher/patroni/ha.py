"""A stand-in with the waits of a handover, in the methods in which Patroni has them."""

import os
import time


class Ha:
    def __init__(self, dcs, state_handler):
        self.dcs = dcs
        self.state_handler = state_handler
        self.waits = []

    def wait(self, seconds):
        start = time.monotonic()
        time.sleep(seconds)
        waited = time.monotonic() - start
        self.waits.append({"atLeast": int(waited), "wholeTime": waited >= seconds})

    def process_unhealthy_cluster(self):
        self.wait(2)

    def demote(self, mode):
        # For the standbys to receive the end.
        self.wait(1)
        self.dcs.delete_leader()
        # For somebody to take the lock.
        self.wait(2)

    def shutdown(self):
        self.wait(1)
        self.dcs.delete_leader()

    def anything_else(self):
        self.wait(1)


if os.environ.get("PATRONI_IS_ANOTHER"):
    del Ha.demote
