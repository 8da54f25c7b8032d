"""A candidate that is asked for the cluster between its decision and its takeover."""

import json
import sys
import threading

from patroni.dcs.kubernetes import Kubernetes


def main():
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
    print(json.dumps({"config": sys.argv[1], "taken": taken, "leader": lock["leader"], "seen": seen}))
    return 3


if __name__ == "__main__":
    sys.exit(main())
