"""The leader lock in Kubernetes, and whether its holder is proven to be dead."""

from datetime import datetime

CONTAINER = "postgresql"


class Lock:
    """The lock and what goes with it, as Patroni keeps it in Endpoints of one scope."""

    def __init__(self, scope, endpoints):
        found = {item["metadata"]["name"]: item for item in endpoints.get("items", [])}
        self.object = found.get(scope, {})
        self.version = self.object.get("metadata", {}).get("resourceVersion")
        self.record = annotations(self.object)
        self.leader = self.record.get("leader")
        self.sync = annotations(found.get(f"{scope}-sync", {}))
        self.config = annotations(found.get(f"{scope}-config", {})).get("config") or "{}"

    def may_pass_to(self, member):
        """Whether the member has all that the leader acknowledged."""
        names = self.sync.get("sync_standby") or ""
        return self.sync.get("leader") == self.leader and member in names.split(",")

    def outlived(self, pod):
        """Whether nobody is left in this pod who can have renewed it.

        Both times come from the clock of one node. The kubelet leaves out fractions of a second: what
        is later all the same is later.
        """
        renewed, left = time_of(self.record.get("renewTime")), time_of(ended_by(pod))
        return self.is_held_in(pod) and None not in (renewed, left) and left > renewed

    def is_held_in(self, pod):
        """A pod of the same name is another one, and its predecessor may still run somewhere."""
        facts = pod.get("metadata", {}).get("uid"), pod.get("status", {}).get("podIP")
        return None not in self.holder() and self.holder() == facts

    def is_without_pod(self, pod):
        """Whether the pod that holds the lock has been deleted: none of its name is there, or a later one."""
        return None not in self.holder() and pod.get("metadata", {}).get("uid") != self.holder()[0]

    def holder(self):
        """The uid and the address of the pod that has taken the lock, each None when unknown."""
        subsets = self.object.get("subsets") or [{}]
        addresses = subsets[0].get("addresses") or [{}]
        return (addresses[0].get("targetRef") or {}).get("uid"), addresses[0].get("ip")


def ended_by(pod):
    """When, at the latest, everything before the present container had ended; None if that is unknown."""
    status = status_of(pod)
    state, last = status.get("state") or {}, status.get("lastState") or {}
    if "running" in state:
        return state["running"].get("startedAt")
    return (state.get("terminated") or last.get("terminated") or {}).get("finishedAt")


def runs(pod):
    """Whether there is a present container: with a clock that was set back it may be the holder itself."""
    return "running" in (status_of(pod).get("state") or {})


def status_of(pod):
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return next((one for one in statuses if one.get("name") == CONTAINER), {})


def annotations(item):
    return item.get("metadata", {}).get("annotations") or {}


def time_of(text):
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
    except ValueError:
        return None
    return time if time and time.tzinfo else None
