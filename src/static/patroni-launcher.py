"""Starts Patroni with four corrections.

Only its loop may change what it believes about the leader lock. Patroni's class for Kubernetes keeps
the version of the lock object that a takeover is conditional on as an attribute. Its loop sets it when
it looks at the cluster, decides, and may then take the lock, if that is still the version it has looked
at. But requests to the REST interface (GET /cluster, PATCH /config, POST /switchover and others) look at
the cluster too, in threads of their own, and set the same attribute. A request between the loop's look
and its takeover makes the takeover conditional on a version that the loop has never seen: a lock that
somebody else has just taken is taken away. So a primary that was frozen and thaws, or the second of two
candidates, may become primary beside the real one. Here these attributes can be set by the main thread
alone, which runs the loop; others read them.

A handover takes no longer than it has to. Patroni waits a fixed time for things that mostly come at
once: two seconds for somebody to take the lock, on the former primary and on every standby that is not
the candidate, so that no standby confirms a commit meanwhile; one for the standbys to receive the last
WAL; one between two looks at a PostgreSQL that stops, starts or is promoted. Here each of these waits
ends when what it is for has come, and is as long as ever when it does not come. And the address of the
primary is exchanged, not taken away and put back: kube-proxy makes the second of two changes wait.

One that ends refuses connections. Patroni stops answering then but goes on listening, so that whoever
asks waits in vain: other members in the race for its lock, and the watcher, to whom a Patroni that ends
would look like one that hangs, and is killed while PostgreSQL writes its last checkpoint.

A leader is followed for as long as it has the lock. Patroni finds the address of a leader at its pod, and
when the API has no pod of that name any more, the standbys leave at once; but the program in that pod may
go on for seconds, or behind a node that cannot be reached for longer. It has no standby then, says so in
the cluster's records, and when it ends nobody may take its place. Here its last known address is gone by.

Seen in Patroni 4.0.7 and 4.1.5 (patroni/dcs/kubernetes.py, ha.py, api.py,
postgresql/__init__.py).
"""

import functools
import inspect
import sys
import threading
import time

BELIEFS = ("_leader_resource_version", "_leader_observed_record", "_leader_observed_time")
# Methods of Patroni's loop that wait in a handover, and what is special then. One that shuts down is
# not there any more to take its address away if nobody comes.
PARTS = {
    "process_unhealthy_cluster": {"leaving": False, "keeping": False},
    "demote": {"leaving": True, "keeping": True},
    "shutdown": {"leaving": True, "keeping": False},
}
# Between two looks at the lock, and at a PostgreSQL that starts, stops or is promoted.
TICK_S, LOOK_S = 0.05, 0.2
# The least time between two changes that kube-proxy makes.
SERVICE_S = 1.0


class OfTheLoop:
    """An attribute that only the main thread sets; what others assign is dropped."""

    def __init__(self, name):
        self.name = name

    def __get__(self, instance, owner=None):
        return self if instance is None else instance.__dict__.get(self.name)

    def __set__(self, instance, value):
        if threading.current_thread() is threading.main_thread():
            instance.__dict__[self.name] = value


class Handover(threading.local):
    """The handover that a thread has its part in: what it waits for there, and whether it has come."""

    ha = None
    leaving = False
    # Whether the Service goes on leading to the former primary until it leads to the next one.
    keeping = False
    # Since when somebody else has had the lock.
    taken_at = None

    def leader(self):
        """Who has the lock; None while nobody has it or nobody can tell."""
        from patroni.exceptions import DCSError
        try:
            cluster = self.ha.dcs.get_cluster()
        except DCSError:
            return None
        return None if cluster.is_unlocked() else cluster.leader

    def is_over(self):
        leader = self.leader() if self.ha else None
        if leader is None:
            return False
        if leader.name == self.ha.state_handler.name:
            return self.leaving and not self.is_sending()
        if not self.leaving:
            return True
        self.taken_at = self.taken_at or time.monotonic()
        # The one who leaves compares its data with the new primary's before it starts again, as a
        # standby to which no client should be led any more.
        promoted = leader.member.data.get("role") in ("primary", "master")
        return promoted and time.monotonic() - self.taken_at > SERVICE_S

    def is_sending(self):
        """Whether a standby has yet to confirm the end of the WAL: its sender stays until then."""
        postmaster = self.ha.state_handler.is_running()
        return postmaster is not None and any(map(is_sender, postmaster.children()))

    def give_up(self):
        """Nobody has taken the lock: no address is better than that of a standby."""
        if not self.keeping or self.leader():
            return
        self.keeping = False
        dcs = self.ha.dcs
        lock = dcs._kinds.get(dcs.leader_path)
        if lock and not (lock.metadata.annotations or {}).get(dcs._LEADER):
            version = lock.metadata.resource_version
            dcs.patch_or_create(dcs.leader_path, {}, version, patch=True, retry=False, ips=[])

    def part(self, method, leaving, keeping):
        """The method, with what its sleeps are for known."""
        @functools.wraps(method)
        def take_part(ha, *arguments, **named):
            before = self.ha, self.leaving, self.keeping, self.taken_at
            self.ha, self.leaving, self.keeping, self.taken_at = ha, leaving, keeping, None
            try:
                return method(ha, *arguments, **named)
            finally:
                self.ha, self.leaving, self.keeping, self.taken_at = before
        return take_part


def is_sender(process):
    """By its title, `postgres: CLUSTER: walsender …`; one that has just ended has none."""
    try:
        return "walsender" in " ".join(process.cmdline())
    except Exception:
        return False


class Clock:
    """The module time, but for a sleep that ends when the handover is over."""

    def __init__(self, handover):
        self.handover = handover

    def __getattr__(self, name):
        return getattr(time, name)

    def sleep(self, seconds):
        end = time.monotonic() + seconds
        try:
            while not self.handover.is_over():
                rest = end - time.monotonic()
                if rest <= 0:
                    return self.handover.give_up()
                time.sleep(min(rest, TICK_S))
        except Exception as error:  # What cannot be seen is waited for as ever.
            print(f"cannot see whether the handover is over: {error!r}", flush=True)
            time.sleep(max(0.0, end - time.monotonic()))


def complain(missing):
    if missing:
        print(f"Patroni is another now: no {', '.join(missing)}", flush=True)


def believe(kubernetes):
    """Makes the beliefs of a class the loop's own."""
    source = inspect.getsource(kubernetes)
    for name in BELIEFS:
        setattr(kubernetes, name, OfTheLoop(name))
    complain([name for name in BELIEFS if name not in source])


def hasten(ha, postgresql, kubernetes):
    """Lets the waits of a handover end when it is over."""
    places = [(ha.Ha, name) for name in PARTS]
    places += [(postgresql, "STOP_POLLING_INTERVAL"), (postgresql, "polling_loop"), (ha, "time")]
    places += [(kubernetes, name) for name in ("_map_subsets", "_LEADER")]
    missing = [name for place, name in places if not hasattr(place, name)]
    if missing:
        return complain(missing)
    handover = Handover()
    ha.time = Clock(handover)
    for name, special in PARTS.items():
        setattr(ha.Ha, name, handover.part(getattr(ha.Ha, name), **special))
    postgresql.STOP_POLLING_INTERVAL = LOOK_S
    look = postgresql.polling_loop
    postgresql.polling_loop = lambda timeout, interval=1: look(timeout, min(interval, LOOK_S))
    enter = kubernetes._map_subsets

    def enter_address(dcs, endpoints, ips):
        if ips or not handover.keeping:
            enter(dcs, endpoints, ips)

    kubernetes._map_subsets = enter_address


def follow(kubernetes):
    """Lets a leader whose pod is not listed be followed where it was last."""
    if not hasattr(kubernetes, "_cluster_from_nodes"):
        return complain(["_cluster_from_nodes"])
    build = kubernetes._cluster_from_nodes
    known = {}

    @functools.wraps(build)
    def build_with_address(dcs, *arguments, **named):
        cluster = build(dcs, *arguments, **named)
        leader = cluster.leader
        if leader is None or not leader.name:
            return cluster
        if leader.conn_url:
            known[leader.name] = leader.member
        elif leader.name in known:
            # Not _replace, which a cluster breaks by having a length of its own.
            leader = leader._replace(member=known[leader.name])
            return type(cluster)(**{**cluster._asdict(), "leader": leader})
        return cluster

    kubernetes._cluster_from_nodes = build_with_address


def refuse(server):
    """Makes a server that does not serve any more refuse connections."""
    end = server.shutdown

    def shutdown(self):
        end(self)
        self.socket.close()

    server.shutdown = shutdown


def main():
    from patroni.dcs.kubernetes import Kubernetes
    believe(Kubernetes)
    follow(Kubernetes)
    try:
        # In this order: the other way round they import each other half-done.
        import patroni.postgresql
        import patroni.ha
        hasten(patroni.ha, patroni.postgresql, Kubernetes)
    except Exception as error:  # Slow handovers are better than no Patroni.
        print(f"Patroni hands over as slowly as ever: {error!r}", flush=True)
    try:
        from patroni.api import RestApiServer
        refuse(RestApiServer)
    except Exception as error:
        print(f"Patroni listens while it ends: {error!r}", flush=True)
    from patroni.__main__ import main as start
    return start()


if __name__ == "__main__":
    sys.exit(main())
