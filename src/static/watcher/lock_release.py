"""Gives back the leader lock of a primary whose container or pod is no more, which nobody else does.

Done by a synchronous replica that has lost its stream. Everything depends on a proof: that the container
which renewed the lock has ended, or that its pod has been deleted and nobody listens at its address. A
node that cannot be seen proves nothing.
"""

import errno
import json
import threading
import time
from urllib.parse import quote

from kubernetes_api import KubernetesApi
from lock import Lock, runs
from system import TICK_S, clock, say

# Looked for that much longer than the lock lives.
BEYOND_S = 5.0
# A kernel looks for an address on its own network three times, a second each, before it gives up.
GONE_S = 4.0


class LockRelease:
    """Has a thread of its own: the API may hang."""

    def __init__(self, options, patroni):
        self.patroni = patroni
        self.api = KubernetesApi(options)
        # Since when there is no stream; None while there is one, or none is waited for.
        self.lost_since = None
        self.wanted = threading.Event()
        self.trouble = None
        threading.Thread(target=self.run, daemon=True).start()

    def stream_lost(self):
        self.lost_since = clock()
        self.wanted.set()

    def stream_back(self):
        """Or this member waits for none any more."""
        self.lost_since = None

    def run(self):
        while True:
            self.wanted.wait()
            self.wanted.clear()
            self.attend(self.lost_since)

    def attend(self, since):
        """Looks again and again while the stream stays lost and the same member leads."""
        leader = None
        while since is not None and since == self.lost_since:
            if clock() - since > self.patroni.ttl + BEYOND_S:
                return
            try:
                leader = self.look(leader)
                if leader is None:
                    return
            except Exception as error:
                self.complain(error)
            time.sleep(TICK_S)

    def look(self, known):
        """Who leads, or None when there is nothing more to look for."""
        settings = self.patroni.api.settings()
        own, scope = str(settings.get("name")), str(settings.get("scope"))
        namespace = (settings.get("kubernetes") or {}).get("namespace") or "default"
        path = f"/api/v1/namespaces/{quote(namespace)}"
        label = quote(f"cluster-name={scope}")
        lock = Lock(scope, self.read(f"{path}/endpoints?labelSelector={label}"))
        leader = lock.leader
        if not leader or leader == own or known not in (None, leader):
            return None
        if not lock.may_pass_to(own) or json.loads(lock.config).get("pause"):
            return leader
        pod = self.read(f"{path}/pods/{quote(leader)}")
        end = self.end_of(lock, pod)
        return None if end and self.release(path, scope, lock, end) else leader

    def end_of(self, lock, pod):
        """What has become of the lock's holder, when it is proven that it is no more; else None."""
        if lock.is_without_pod(pod):
            return "pod is gone" if self.is_gone(lock.holder()[1]) else None
        if not lock.outlived(pod) or runs(pod) and self.is_primary(pod["status"]["podIP"]):
            return None
        return "container has died"

    def is_gone(self, address):
        """Whether nobody listens there, or nobody is there; silence proves nothing, and raises."""
        try:
            self.patroni.api.ask("GET", "/patroni", host=address, timeout_s=GONE_S)
        except ConnectionRefusedError:
            return True
        except OSError as error:
            if error.errno == errno.EHOSTUNREACH:
                return True
            raise
        return False

    def is_primary(self, address):
        """Whether Patroni there leads. One that was started anew does not before it has renewed the lock.

        A refusal is an answer, too; none at all proves nothing, and raises.
        """
        try:
            _, body = self.patroni.api.ask("GET", "/patroni", host=address)
        except ConnectionRefusedError:
            return False
        return json.loads(body).get("role") in ("primary", "master")

    def release(self, path, scope, lock, end):
        """As Patroni does it itself, if nobody has touched the lock meanwhile."""
        change = {"metadata": {"resourceVersion": lock.version, "annotations": {"leader": None}},
                  "subsets": []}
        status, _ = self.api.ask("PATCH", f"{path}/endpoints/{quote(scope)}", change)
        if status == 409:
            return False
        if status != 200:
            raise OSError(f"PATCH {status}")
        say(f"gave back the leader lock of {lock.leader}, whose {end}")
        self.patroni.wake()
        return True

    def read(self, path):
        status, content = self.api.ask("GET", path)
        if status == 404:
            return {}
        if status != 200:
            raise OSError(f"GET {status}")
        return content

    def complain(self, error):
        trouble = f"cannot look after the leader lock: {error!r}"
        if trouble != self.trouble:
            self.trouble = trouble
            say(trouble)
