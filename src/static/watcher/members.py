"""The members of the cluster, as Patroni tells of them."""

import json

from system import clock, time_text

# A change is told when nothing more has changed for this long.
SETTLE_S = 0.7
# Every notice is a hook on this unit: those of a cluster that does not come to rest come less and less
# often, until it has been at rest for a while.
SPACING_S, LONGEST_SPACING_S, QUIET_S = 1.5, 12.0, 30.0
# Once more after that: the hook may have come too early to act, or to a leader that was just elected.
ECHO_S = 20.0
SYNCHRONOUS, UP = ("sync_standby", "quorum_standby"), ("running", "streaming", "in archive recovery")
LEADING = ("leader", "standby_leader")


class Members:
    """Tells when they are others, or in another state, as soon as that has settled."""

    def __init__(self, api, notices, seen):
        self.api = api
        self.seen = seen
        self.notices = notices
        self.paused = False
        # Whether another member may take the lock when this one's runs out; as last known.
        self.may_be_replaced = False
        # Whether this member leads, and another one that has all that was acknowledged is up.
        self.can_hand_over = False
        # The members as last told to the charm, as seen now, and since when.
        self.told = self.view = None
        self.viewed_at = 0.0
        self.next_notice, self.spacing = 0.0, SPACING_S
        self.echo_at = None

    def settled(self):
        return self.view == self.told

    def look(self):
        status, body = self.api.ask("GET", "/cluster")
        if status != 200:
            return
        cluster = json.loads(body)
        facts = ("name", "role", "state", "pending_restart")
        members = [[member.get(fact) for fact in facts] for member in cluster.get("members", [])]
        self.paused = cluster.get("pause") is True
        own = str(self.api.settings().get("name"))
        self.may_be_replaced = not self.paused and any(member[0] != own for member in members)
        self.can_hand_over = has_successor(own, members)
        self.note_idle(own, members)
        view = json.dumps([sorted(members, key=str), self.paused])
        if self.told is None:
            self.told = view
        if view != self.view:
            self.view, self.viewed_at = view, clock()
        self.tell(len(members))

    def note_idle(self, own, members):
        """Since when replicas of this primary have been up, and stream from nobody."""
        leads = any(name == own and role in LEADING for name, role, *_ in members)
        idle = [name for name, role, state, _ in members
                if role not in LEADING and state in UP and state != "streaming"]
        known = self.seen.get("idle", {})
        if leads and idle:
            self.seen["idle"] = {name: known.get(name) or time_text() for name in idle}
        else:
            self.seen.pop("idle", None)

    def tell(self, count):
        now = clock()
        if self.settled():
            self.echo(now, count)
            return
        if now - self.viewed_at < SETTLE_S or now < self.next_notice:
            return
        self.told = self.view
        self.notices.send("cluster-changed", members=count)
        self.echo_at = now + ECHO_S
        quiet = now - self.next_notice > QUIET_S
        self.spacing = SPACING_S if quiet else min(self.spacing * 1.5, LONGEST_SPACING_S)
        self.next_notice = now + self.spacing

    def echo(self, now, count):
        if self.echo_at is not None and now >= self.echo_at:
            self.echo_at = None
            self.notices.send("cluster-changed", members=count)


def has_successor(own, members):
    leads = [own, "leader"] in [member[:2] for member in members]
    return leads and any(role in SYNCHRONOUS and state in UP for _, role, state, _ in members)
