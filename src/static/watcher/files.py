"""The thread that looks at files, now and then."""

import threading
import time

from archive import Archive
from backup_due import BackupDue
from data_directory import DataDirectory
from disk import Disk
from long_work import LongWork
from server_log import find_refusal, limit_logs
from system import TICK_S, clock, say
from trial import Trial

BACKUP_S = 1.0
LOGS_S = 60.0


class Files:
    def __init__(self, options, notices, seen):
        self.options = options
        self.notices = notices
        self.seen = seen
        self.data = DataDirectory(options.data)
        self.disk = Disk(options, notices, seen.facts, self.data)
        self.archive = Archive(options, seen.facts, notices)
        self.backup_due = BackupDue(options.backup_due, notices)
        self.trial = Trial(options, notices, seen.facts)
        self.long_work = LongWork(options, notices, self.trial)
        self.refusal = None
        # By what was looked at: what has been said about it.
        self.troubles = {}
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        due = {}
        # What is put up with for several times as long is looked at as often.
        patience_s = self.options.patience
        looks = [(self.data.look, TICK_S), (self.look_at_refusal, TICK_S), (self.disk.look, TICK_S),
                 (self.archive.look, patience_s), (self.trial.look, patience_s),
                 (self.long_work.look, patience_s), (self.limit_logs, LOGS_S),
                 (self.backup_due.look, BACKUP_S)]
        while True:
            for look, interval in looks:
                if clock() < due.get(look, 0.0):
                    continue
                due[look] = clock() + interval
                self.attempt(look)
            self.attempt(self.seen.write)
            time.sleep(TICK_S)

    def attempt(self, look):
        """Nothing ends the thread; what goes wrong is said once, until it is something else."""
        trouble = None
        try:
            look()
        except Exception as error:
            trouble = f"cannot look at files: {error!r}"
        if trouble is not None and trouble != self.troubles.get(look):
            say(trouble)
        self.troubles[look] = trouble
        troubles = sorted(filter(None, self.troubles.values()))
        if troubles:
            self.seen.facts["troubles"] = troubles
        else:
            self.seen.facts.pop("troubles", None)

    def look_at_refusal(self):
        """Why PostgreSQL ended before it had opened its log: for a setting, most of the time."""
        down = self.data.find_postmaster() is None
        self.refusal = find_refusal(self.options.logs) if down else None

    def limit_logs(self):
        limit_logs(self.options.logs, self.options.data)
