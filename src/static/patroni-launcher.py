"""Starts Patroni with one correction: only its loop may change what it believes about the leader lock.

Patroni's class for Kubernetes keeps the version of the lock object that a takeover is conditional on
as an attribute. Its loop sets it when it looks at the cluster, decides, and may then take the lock, if
that is still the version it has looked at. But requests to the REST interface (GET /cluster, PATCH
/config, POST /switchover and others) look at the cluster too, in threads of their own, and set the same
attribute. A request between the loop's look and its takeover makes the takeover conditional on a version
that the loop has never seen: a lock that somebody else has just taken is taken away. So a primary that
was frozen and thaws, or the second of two candidates, may become primary beside the real one.

Here these attributes can be set by the main thread alone, which runs the loop; others read them.
Seen in Patroni 4.0.7 and 4.1.5 (patroni/dcs/kubernetes.py, attempt_to_acquire_leader).
"""

import inspect
import sys
import threading

BELIEFS = ("_leader_resource_version", "_leader_observed_record", "_leader_observed_time")


class OfTheLoop:
    """An attribute that only the main thread sets; what others assign is dropped."""

    def __init__(self, name):
        self.name = name

    def __get__(self, instance, owner=None):
        return self if instance is None else instance.__dict__.get(self.name)

    def __set__(self, instance, value):
        if threading.current_thread() is threading.main_thread():
            instance.__dict__[self.name] = value


def correct(kubernetes):
    """Makes the beliefs of a class the loop's own; names those that it does not have."""
    source = inspect.getsource(kubernetes)
    missing = [name for name in BELIEFS if name not in source]
    for name in BELIEFS:
        setattr(kubernetes, name, OfTheLoop(name))
    if missing:
        print(f"Patroni keeps the lock differently now: no {', '.join(missing)}", flush=True)


def main():
    from patroni.dcs.kubernetes import Kubernetes
    correct(Kubernetes)
    from patroni.__main__ import main as start
    return start()


if __name__ == "__main__":
    sys.exit(main())
