"""A stand-in with what matters of Patroni's class: a takeover is conditional on what was looked at."""


class Kubernetes:
    def __init__(self, lock):
        self.lock = lock
        self._leader_resource_version = None
        self._leader_observed_record = {}
        self._leader_observed_time = None

    def get_cluster(self):
        self._leader_resource_version = self.lock["version"]
        self._leader_observed_record = {"leader": self.lock["leader"]}
        self._leader_observed_time = self.lock["version"]
        return self.lock["leader"]

    def attempt_to_acquire_leader(self, name):
        if self._leader_resource_version != self.lock["version"]:
            return False
        self.lock.update(leader=name, version=self.lock["version"] + 1)
        return True
