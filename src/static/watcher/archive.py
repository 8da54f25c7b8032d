"""The archiver's waiting list."""

import glob
import os
import time

PATIENCE_S = 60.0


def look_at_archive(data, seen, notices):
    oldest, waiting = None, 0
    for path in glob.iglob(f"{data}/pg_wal/archive_status/*.ready"):
        try:
            written = os.stat(path).st_mtime
        except FileNotFoundError:
            continue
        waiting += 1
        oldest = written if oldest is None else min(oldest, written)
    known = seen.get("archive", {}).get("failing", False)
    failing = oldest is not None and time.time() - oldest > PATIENCE_S
    seen["archive"] = {"waiting": waiting, "failing": failing}
    if failing != known:
        notices.send("archiving-failed" if failing else "archiving-recovered", waiting=waiting)
