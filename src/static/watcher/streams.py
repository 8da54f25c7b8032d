"""Who streams, and whether PostgreSQL crashed, by the titles of its processes."""

from processes import children_of, process_command
from replication import Replication

KINDS = ("walsender", "walreceiver", "checkpointer")


class Streams:
    def __init__(self, watcher, seen, notices):
        self.server = watcher.server
        self.replication = Replication(watcher, seen, notices)
        # Titles of children by process id, and whose children they are.
        self.titles, self.parent = {}, None

    def look(self, now):
        pid = self.server.process.pid
        present = set(children_of(pid)) if pid is not None else set()
        lost = [kind for child, kind in self.titles.items() if child not in present]
        if "checkpointer" in lost and pid == self.parent:
            self.server.crashed(now)
        if pid is None or pid != self.parent:
            self.replication.interrupted()
        self.parent = pid
        # While a title is empty it may become any.
        self.titles = {child: self.titles.get(child) or title_of(child) for child in present}
        if pid is not None:
            streaming = sorted(title for title in self.titles.values() if title.startswith("wal"))
            self.replication.report(streaming, now)


def title_of(pid):
    """`walsender ADDRESS`, `walreceiver`, another kind, or empty while it may become any."""
    title = process_command(pid)[0]
    words = title.removeprefix("postgres: ").split()
    if not title.startswith("postgres: ") or not words:
        return ""
    # Under a cluster name the kind of process comes second.
    kind = next((word for word in words[:2] if word in KINDS), "other")
    if kind.startswith("wal") and "streaming" not in words:
        return ""
    if kind == "walsender":
        address = next((word for word in words if "(" in word), "local")
        return f"walsender {address.partition('(')[0]}"
    return kind
