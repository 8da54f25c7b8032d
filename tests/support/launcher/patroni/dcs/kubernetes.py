"""A stand-in with what matters of Patroni's class: a takeover is conditional on what was looked at."""

from collections import namedtuple
from types import SimpleNamespace

from patroni.exceptions import DCSError


class Leader(namedtuple("Leader", "name member")):
    @property
    def conn_url(self):
        return self.member.data.get("conn_url")


class Cluster(namedtuple("Cluster", "leader config")):
    def __len__(self):
        """Whether there is anything."""
        return int(self.leader is not None)

    def is_unlocked(self):
        return self.leader.name is None


class Kubernetes:
    _LEADER = "leader"
    leader_path = "the lock"

    def __init__(self, lock):
        self.lock = lock
        self.reachable = True
        self.on_release = lambda: None
        self._leader_resource_version = None
        self._leader_observed_record = {}
        self._leader_observed_time = None

    def get_cluster(self):
        if not self.reachable:
            raise DCSError
        self._leader_resource_version = self.lock["version"]
        self._leader_observed_record = {"leader": self.lock["leader"]}
        self._leader_observed_time = self.lock["version"]
        return self._cluster_from_nodes(self.lock)

    def _cluster_from_nodes(self, lock):
        """What is known of a leader stands at its pod."""
        data = {"role": lock.get("role")}
        if "pod" in lock:
            data["conn_url"] = lock["pod"]
        return Cluster(Leader(lock["leader"], SimpleNamespace(data=data)), {})

    def attempt_to_acquire_leader(self, name):
        if self._leader_resource_version != self.lock["version"]:
            return False
        self.lock.update(leader=name, version=self.lock["version"] + 1)
        return True

    @property
    def _kinds(self):
        annotations = {"leader": self.lock["leader"]}
        metadata = SimpleNamespace(annotations=annotations, resource_version=self.lock["version"])
        return {self.leader_path: SimpleNamespace(metadata=metadata)}

    def _map_subsets(self, endpoints, ips):
        endpoints["subsets"] = ips

    def patch_or_create(self, name, annotations, resource_version=None, patch=False, retry=True, ips=None):
        if resource_version != self.lock["version"]:
            return False
        endpoints = {}
        if ips is not None:
            self._map_subsets(endpoints, ips)
        self.lock.update(annotations, version=resource_version + 1)
        self.lock["address"] = endpoints.get("subsets", self.lock.get("address"))
        return True

    def delete_leader(self):
        self.patch_or_create(self.leader_path, {"leader": None}, self.lock["version"], True, False, [])
        self.lock["addressWhenFree"] = self.lock["address"]
        self.on_release()
