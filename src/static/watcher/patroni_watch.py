"""Patroni, asked again and again whether it is alive, and told what has to be done at once."""

import http.client
import json
import threading

from members import SETTLE_S, Members
from patroni_api import PatroniApi
from system import clock, say

PROBE_S = 2.0
CONFIG_S = 20.0
# What the charm has PostgreSQL archive with until it is known that a restored database stays.
HELD = "/bin/false"


class Patroni:
    """Has a thread of its own, so that a Patroni that hangs stops nothing here."""

    def __init__(self, options, notices, seen):
        self.api = PatroniApi(options)
        self.members = Members(self.api, notices, seen)
        self.fine_at = clock()
        # Whether it has refused connections since the last time it was fine, and when that was.
        self.refuses, self.answered_at = False, 0.0
        # Life of the leader lock in seconds; Patroni's default until it says otherwise.
        self.ttl = 30.0
        self.wal_held = False
        self.wanted = threading.Event()
        self.wake_wanted = self.reload_wanted = False
        self.config_due = 0.0
        self.trouble = None
        threading.Thread(target=self.run, daemon=True).start()

    def wake(self):
        """Makes Patroni run its loop now instead of up to loop_wait later."""
        self.wake_wanted = True
        self.wanted.set()

    def reload(self):
        """Makes Patroni read its file again, now; it has when it answers."""
        self.reload_wanted = True
        self.wake()

    def run(self):
        while True:
            self.wanted.wait(PROBE_S if self.members.settled() else SETTLE_S)
            self.wanted.clear()
            try:
                self.look()
            except (TimeoutError, http.client.HTTPException):
                self.members.can_hand_over = False
            except Exception as error:
                self.members.can_hand_over = False
                # Refused: it is starting, or shutting down, which may take as long as a checkpoint.
                # Anything else is this program's trouble to ask or to understand, and no hang.
                self.fine_at = clock()
                if isinstance(error, ConnectionRefusedError):
                    self.refuses = True
                elif not isinstance(error, ConnectionError):
                    self.refuses = False
                self.complain(error)

    def look(self):
        if self.reload_wanted:
            self.reload_file()
        # Asked first: what comes then waits for Kubernetes, and may take longer than is waited for here.
        fine = self.api.ask("GET", "/liveness")[0] == 200
        if fine:
            self.fine_at = self.answered_at = clock()
            self.refuses = False
        if self.wake_wanted:
            self.wake_wanted = False
            # Removing a setting that is not there changes nothing and wakes the loop.
            self.api.ask("PATCH", "/config", {"charm_wake": None})
        if fine:
            self.look_at_config()
        self.members.look()

    def reload_file(self):
        status, _ = self.api.ask("POST", "/reload", {})
        self.reload_wanted = status >= 300
        if self.reload_wanted:
            self.complain(f"it does not reload, {status}")

    def complain(self, error):
        trouble = f"cannot watch Patroni: {error!r}"
        if not isinstance(error, ConnectionRefusedError) and trouble != self.trouble:
            self.trouble = trouble
            say(trouble)

    def look_at_config(self):
        if clock() < self.config_due:
            return
        status, body = self.api.ask("GET", "/config")
        if status == 200:
            self.config_due = clock() + CONFIG_S
            config = json.loads(body)
            self.ttl = float(config.get("ttl", self.ttl))
            parameters = (config.get("postgresql") or {}).get("parameters") or {}
            self.wal_held = parameters.get("archive_command") == HELD
