"""What the launcher is tried on; what comes out of it is printed."""

import json
import sys
import threading

from patroni.dcs.kubernetes import Kubernetes


def takeover():
    """A candidate that is asked for the cluster between its decision and its takeover."""
    lock = {"leader": None, "version": 1}
    dcs = Kubernetes(lock)
    dcs.get_cluster()
    lock.update(leader="somebody else", version=2)
    asked = threading.Thread(target=dcs.get_cluster)
    asked.start()
    asked.join()
    taken = dcs.attempt_to_acquire_leader("the candidate")
    dcs.get_cluster()
    seen = dcs._leader_observed_record["leader"]
    return {"taken": taken, "leader": lock["leader"], "seen": seen}


class Server:
    """PostgreSQL with a standby that has yet to receive the end of the WAL."""

    name = "this member"

    def __init__(self):
        self.titles = ["postgres: cluster: walsender replication 10.0.0.2(1234) streaming 0/3"]

    def is_running(self):
        return self

    def children(self):
        if self.titles is None:
            raise RuntimeError("no such process")
        return [self] if self.titles else []

    def cmdline(self):
        return self.titles


def handover(part, *events):
    """A part in a handover in which this and that happens after a while."""
    from patroni.ha import Ha
    leading = part != "process_unhealthy_cluster"
    lock = {"leader": Server.name if leading else None, "version": 1, "address": ["this address"]}
    dcs, server = Kubernetes(lock), Server()
    ha = Ha(dcs, server)
    at_once = {
        "gone": lambda: setattr(server, "titles", None),
        "unreachable": lambda: setattr(dcs, "reachable", False),
    }
    after = {
        "received": (0.1, server.titles.clear),
        "taken": (0.2, lambda: dcs.patch_or_create(
            "", {"leader": "the candidate", "role": "replica"}, lock["version"], ips=["its address"])),
        "promoted": (0.4, lambda: lock.update(role="primary")),
    }

    def begin(names):
        for name in names:
            timer = threading.Timer(*after[name])
            timer.daemon = True
            timer.start()

    for name in set(events) & set(at_once):
        at_once[name]()
    others = [name for name in ("taken", "promoted") if name in events]
    if leading:
        dcs.on_release = lambda: begin(others)
    else:
        begin(others)
    begin([name for name in ("received",) if name in events])
    getattr(ha, part)(*(["graceful"] if part == "demote" else []))
    free = lock.get("addressWhenFree")
    return {"waits": ha.waits, "addressWhenFree": free, "address": lock["address"]}


def pods():
    """Where a leader is found while its pod is listed, when it is not, and when it is another."""
    lock = {"leader": "one", "version": 1, "pod": "one's address"}
    dcs = Kubernetes(lock)
    found = []

    def look(**change):
        lock.update(change)
        leader = dcs.get_cluster().leader
        found.append([leader.name, leader.conn_url])

    look()
    del lock["pod"]
    look()
    look(leader="two")
    look(leader=None)
    look(leader="one")
    look(pod="one's new address")
    return {"found": found}


def looks():
    from patroni import postgresql
    return {"stop": postgresql.STOP_POLLING_INTERVAL, "loop": postgresql.polling_loop(5)}


def ending():
    """What a client meets that asks a Patroni that ends."""
    import socket
    from patroni.api import RestApiServer
    server = RestApiServer()
    server.start()
    server.shutdown()
    try:
        with socket.create_connection(server.server_address, timeout=1) as client:
            client.settimeout(0.5)
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return {"met": client.recv(1).decode()}
    except OSError as error:
        return {"met": type(error).__name__}


def main():
    scenes = {"takeover": takeover, "handover": handover, "looks": looks, "pods": pods, "ending": ending}
    scene, *details = sys.argv[1].split(":")
    print(json.dumps({"config": sys.argv[1], **scenes[scene](*details)}))
    return 3


if __name__ == "__main__":
    sys.exit(main())
