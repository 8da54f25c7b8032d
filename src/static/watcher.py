"""Watches PostgreSQL and Patroni from beside them, wakes the charm, and fences what hangs.

Run by Pebble as root, because Juju only sees notices that root sent. It asks PostgreSQL nothing and
needs no connection: it reads Patroni's callbacks from a FIFO, and for the rest looks at processes and
files. What it sees stands in a JSON file; what changed is told with a Pebble notice.

It fences, that is kills with SIGKILL what must not go on:
- PostgreSQL or Patroni when one of them has been stopped (state T) for a while;
- both when Patroni hangs, so that nobody would demote this primary (on a standby Patroni alone);
- both when this program itself did not run for half of the leader lock's life: the container was
  frozen, and what thaws still believes in a lock that others may hold by now.
Pebble starts Patroni again; the new process knows nothing and reads the lock as it is. While the
cluster is paused for maintenance, only the third happens.

On a full disk it depends on nobody: it makes Patroni's file let clients only read, and when PostgreSQL
does not stay up all the same, it ends Patroni in good order, which gives the leader lock back to those
who have all that was acknowledged.

The main thread touches nothing but /proc, so that neither Pebble nor a disk that hangs looks like a
frozen container; telling, asking Patroni, and reading and writing files have threads of their own.

Python, because wherever Patroni is Python is, and only modules that come with either.
"""

import argparse
import glob
import http.client
import json
import os
import queue
import re
import selectors
import signal
import ssl
import stat
import subprocess
import threading
import time

TICK_S = 0.5
PROBE_S = 2.0
ARCHIVE_S = 5.0
LOGS_S = 60.0
CONFIG_S = 20.0
PROBE_TIMEOUT_S = 2.0
# A change is told when nothing more has changed for this long.
SETTLE_S = 0.7
# Every notice is a hook on this unit: those of a cluster that does not come to rest come less and less
# often, until it has been at rest for a while.
SPACING_S, LONGEST_SPACING_S, QUIET_S = 1.5, 12.0, 30.0
# A standby that just restarts is back sooner.
REPLICATION_GRACE_S = 3.0
# PostgreSQL that has run for this long has been started.
STEADY_S = 10.0
# What stays broken is told again, because what helps depends on how long it has been.
REPLICATION_RETELL_S = 60.0
ARCHIVE_PATIENCE_S = 60.0
LOG_LIMIT_BYTES = 512 * 1024 * 1024
# Of the data volume: when to say so, when to let nobody write, and when it is over again.
DISK_LOW, DISK_FULL, DISK_HYSTERESIS = 0.10, 0.03, 0.02
# PostgreSQL ends when it cannot make its next file of WAL, of 16 MiB.
DISK_FULL_BYTES = 32 * 1024 * 1024
# What is held back for a start with a full disk: this share, within limits.
RESERVE, RESERVE_LEAST, RESERVE_MOST = 0.02, 48 * 1024 * 1024, 256 * 1024 * 1024
RESERVE_PATIENCE_S = 60.0
# Not even the charm can write its files then.
DISK_NOTHING_BYTES = 1024 * 1024
READ_ONLY = re.compile(r"default_transaction_read_only: ['\"]?on\b")
READ_WRITE = re.compile(r"(default_transaction_read_only: )['\"]?off\b['\"]?")
# How long PostgreSQL may not stay up on a full disk, and when the next attempt to hand over is made.
HAND_OVER_S, HAND_OVER_AGAIN_S = 20.0, 60.0
# So many ends and crashes in this time, with a while between them, are as bad.
CRASHES, CRASHES_S = 3, 120.0
SYNCHRONOUS, UP = ("sync_standby", "quorum_standby"), ("running", "streaming", "in archive recovery")
KINDS = ("walsender", "walreceiver", "checkpointer")
# What PostgreSQL says into Patroni's output until its own log is open, which is the last of it.
SAID = re.compile(r"\[\d+\].*?\b(LOG|FATAL|PANIC):\s+(.+)")
SAID_BYTES = 16 * 1024


def say(text):
    print(text, flush=True)


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def process_state(pid):
    """One letter as in ps, or None when there is no such process."""
    fields = read_text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[0] if fields else None


def process_command(pid):
    return read_text(f"/proc/{pid}/cmdline").split("\0")


def children_of(pid):
    text = read_text(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in text.split()]


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Process:
    """One long-lived process that may come and go: who it is now, and since when it is stopped."""

    def __init__(self, find):
        self.find = find
        self.pid = None
        self.stopped_since = None

    def look(self, now):
        """True when the process that was there is gone."""
        known = self.pid
        state = process_state(known) if known else None
        if state in (None, "Z", "X"):
            self.pid = self.find()
            self.stopped_since = None
            return known is not None and self.pid != known
        if state != "T":
            self.stopped_since = None
        elif self.stopped_since is None:
            self.stopped_since = now
        return False

    def stopped_for(self, now):
        return 0.0 if self.stopped_since is None else now - self.stopped_since


def find_patroni(config):
    for path in glob.glob("/proc/[0-9]*"):
        pid = int(path.rpartition("/")[2])
        command = process_command(pid)
        if config in command and any(os.path.basename(word) == "patroni" for word in command[:2]):
            return pid
    return None


def is_postmaster(pid):
    return os.path.basename(process_command(pid)[0]) in ("postgres", "postmaster")


class Seen:
    """What the watcher sees, as a file of JSON; never written by the main thread."""

    def __init__(self, path):
        self.path = path
        self.facts = {"fences": []}
        self.written = None
        self.lock = threading.Lock()

    def write(self):
        with self.lock:
            text = json.dumps(dict(self.facts), sort_keys=True)
            if text == self.written:
                return
            self.written = text
            try:
                with open(f"{self.path}.new", "w", encoding="utf-8") as file:
                    file.write(text)
                os.replace(f"{self.path}.new", self.path)
            except OSError as error:
                say(f"cannot write {self.path}: {error}")


class Patroni:
    """The member's REST interface, asked from a thread of its own so that a hang stops nothing here."""

    def __init__(self, options, notices):
        self.options = options
        self.notices = notices
        self.fine_at = clock()
        self.paused = False
        # Life of the leader lock in seconds; Patroni's default until it says otherwise.
        self.ttl = 30.0
        self.wanted = threading.Event()
        self.wake_wanted = self.reload_wanted = False
        # Whether this member leads, and another one that has all that was acknowledged is up.
        self.can_hand_over = False
        self.config_due = 0.0
        self.trouble = None
        self.settings_of, self.known_settings = None, {}
        # The members as last told to the charm, as seen now, and since when.
        self.told = self.view = None
        self.viewed_at = 0.0
        self.next_notice, self.spacing = 0.0, SPACING_S
        threading.Thread(target=self.run, daemon=True).start()

    def wake(self):
        """Makes Patroni run its loop now instead of up to loop_wait later."""
        self.wake_wanted = True
        self.wanted.set()

    def reload(self):
        """Makes Patroni read its file again, now; it has when it answers."""
        self.reload_wanted = True
        self.wake()

    def run(self):
        while True:
            self.wanted.wait(PROBE_S if self.view == self.told else SETTLE_S)
            self.wanted.clear()
            try:
                if self.reload_wanted:
                    self.reload_file()
                if self.wake_wanted:
                    self.wake_wanted = False
                    # Removing a setting that is not there changes nothing and wakes the loop.
                    self.ask("PATCH", "/config", {"charm_wake": None})
                if self.ask("GET", "/liveness")[0] == 200:
                    self.fine_at = clock()
                    self.look_at_config()
                self.look_at_members()
            except (TimeoutError, http.client.HTTPException):
                self.can_hand_over = False
            except Exception as error:
                self.can_hand_over = False
                # Refused: it is starting, or shutting down, which may take as long as a checkpoint.
                # Anything else is this program's trouble to ask or to understand, and no hang.
                self.fine_at = clock()
                self.complain(error)

    def reload_file(self):
        status, _ = self.ask("POST", "/reload", {})
        self.reload_wanted = status >= 300
        if self.reload_wanted:
            self.complain(f"it does not reload, {status}")

    def complain(self, error):
        trouble = f"cannot watch Patroni: {error!r}"
        if not isinstance(error, ConnectionRefusedError) and trouble != self.trouble:
            self.trouble = trouble
            say(trouble)

    def look_at_config(self):
        if clock() < self.config_due:
            return
        status, body = self.ask("GET", "/config")
        if status == 200:
            self.config_due = clock() + CONFIG_S
            self.ttl = float(json.loads(body).get("ttl", self.ttl))

    def look_at_members(self):
        """Tells when the members are others, or in another state, as soon as that has settled."""
        status, body = self.ask("GET", "/cluster")
        if status != 200:
            return
        cluster = json.loads(body)
        facts = ("name", "role", "state", "pending_restart")
        members = [[member.get(fact) for fact in facts] for member in cluster.get("members", [])]
        self.paused = cluster.get("pause") is True
        self.can_hand_over = self.has_successor(members)
        view = json.dumps([sorted(members, key=str), self.paused])
        if self.told is None:
            self.told = view
        if view != self.view:
            self.view, self.viewed_at = view, clock()
        now = clock()
        if view != self.told and now - self.viewed_at >= SETTLE_S and now >= self.next_notice:
            self.told = view
            self.notices.send("cluster-changed", members=len(members))
            quiet = now - self.next_notice > QUIET_S
            self.spacing = SPACING_S if quiet else min(self.spacing * 1.5, LONGEST_SPACING_S)
            self.next_notice = now + self.spacing

    def has_successor(self, members):
        leads = [str(self.settings().get("name")), "leader"] in [member[:2] for member in members]
        return leads and any(role in SYNCHRONOUS and state in UP for _, role, state, _ in members)

    def ask(self, method, path, body=None):
        if self.options.scheme == "https":
            context = ssl.create_default_context(cafile=self.interface().get("cafile"))
            context.check_hostname = False
            connection = http.client.HTTPSConnection(
                "localhost", self.options.port, timeout=PROBE_TIMEOUT_S, context=context)
        else:
            connection = http.client.HTTPConnection(
                "localhost", self.options.port, timeout=PROBE_TIMEOUT_S)
        try:
            connection.request(method, path, **({} if body is None else self.change(body)))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def settings(self):
        """Patroni's file, parsed again only when it is another."""
        import yaml  # a dependency of Patroni
        try:
            facts = os.stat(self.options.config)
            identity = (facts.st_ino, facts.st_mtime_ns)
            if identity != self.settings_of:
                content = yaml.safe_load(read_text(self.options.config)) or {}
                self.known_settings = content if isinstance(content, dict) else {}
                self.settings_of = identity
        except (OSError, yaml.YAMLError):
            return {}
        return self.known_settings

    def interface(self):
        return self.settings().get("restapi") or {}

    def change(self, body):
        from base64 import b64encode
        login = self.interface().get("authentication") or {}
        user = f"{login.get('username', '')}:{login.get('password', '')}"
        token = b64encode(user.encode()).decode()
        return {"body": json.dumps(body), "headers": {"Authorization": f"Basic {token}"}}


def clock():
    """Seconds that also pass while the machine sleeps; never set back."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Notices:
    """Sends Pebble notices in the order in which they come, each when what it tells of can be read."""

    def __init__(self, options, seen):
        self.options = options
        self.seen = seen
        self.waiting = queue.Queue()
        threading.Thread(target=self.run, daemon=True).start()

    def send(self, key, **data):
        pairs = [f"{name}={value}" for name, value in data.items()]
        self.waiting.put([f"{self.options.domain}/{key}", *pairs])

    def run(self):
        while True:
            notice = self.waiting.get()
            self.seen.write()
            command = [self.options.pebble, "notify", *notice]
            try:
                subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            except subprocess.CalledProcessError as error:
                say(f"cannot send notice {notice[0]}: {error.stderr.strip()}")
            except (OSError, subprocess.TimeoutExpired) as error:
                say(f"cannot send notice {notice[0]}: {error}")


class Files:
    """The data volume, the archiver's waiting list and the server's log, looked at now and then."""

    def __init__(self, options, notices, seen):
        self.options = options
        self.notices = notices
        self.seen = seen.facts
        self.write = seen.write
        # Called when Patroni's file has been changed here.
        self.changed = lambda: None
        self.reserve = f"{os.path.dirname(options.data)}/disk-reserve"
        self.full_since = None
        # What the main thread has to know of the data directory.
        self.postmaster = None
        self.standby = False
        self.identity = None
        self.control = True
        # Whether PostgreSQL has not been up for a while, which the main thread knows.
        self.unsteady = False
        self.refusal = None
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        due = {}
        looks = [(self.look_at_data, TICK_S), (self.look_at_refusal, TICK_S),
                 (self.look_at_disk, TICK_S),
                 (self.look_at_archive, ARCHIVE_S), (self.limit_logs, LOGS_S)]
        while True:
            for look, interval in looks:
                if clock() < due.get(look, 0.0):
                    continue
                due[look] = clock() + interval
                try:
                    look()
                except OSError as error:
                    say(f"cannot look at files: {error}")
            self.write()
            time.sleep(TICK_S)

    def look_at_data(self):
        try:
            with open(f"{self.options.data}/postmaster.pid", encoding="utf-8") as file:
                first = file.readline().strip()
        except (FileNotFoundError, NotADirectoryError):
            first = ""
        self.postmaster = int(first) if first.isdigit() else None
        try:
            facts = os.stat(f"{self.options.data}/PG_VERSION")
            self.identity = (facts.st_ino, facts.st_mtime_ns)
        except FileNotFoundError:
            self.identity = None
        self.control = os.path.exists(f"{self.options.data}/global/pg_control")
        self.standby = os.path.exists(f"{self.options.data}/standby.signal")

    def look_at_refusal(self):
        """Why PostgreSQL ended before it had opened its log: for a setting, most of the time."""
        if self.find_postmaster() is not None:
            self.refusal = None
            return
        try:
            with open(f"{self.options.logs}/patroni-output.log", "rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - SAID_BYTES))
                text = file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            text = ""
        self.refusal = self.find_refusal(SAID.findall(text.rpartition("redirecting log output to")[2]))

    @staticmethod
    def find_refusal(said):
        """The last that made PostgreSQL end; of a file with errors the first of these."""
        ends = [index for index, (level, _) in enumerate(said) if level != "LOG"]
        if not ends:
            return None
        end = said[ends[-1]][1]
        if not end.endswith("contains errors"):
            return end
        before = said[ends[-2] + 1 if len(ends) > 1 else 0:ends[-1]]
        return next((text for _, text in before if "parameter" in text), end)

    def find_postmaster(self):
        pid = self.postmaster
        return pid if pid is not None and is_postmaster(pid) else None

    def look_at_disk(self):
        volume = os.statvfs(os.path.dirname(self.options.data))
        total, free = volume.f_blocks * volume.f_frsize, volume.f_bavail * volume.f_frsize
        wanted = int(min(RESERVE_MOST, max(RESERVE_LEAST, RESERVE * total), total / 10))
        held = os.path.getsize(self.reserve) if os.path.exists(self.reserve) else 0
        # Without the reserve, be it held or given up: giving it up makes a disk no less full.
        usable = max(0, free + held - wanted)
        known = self.seen.get("disk", {}).get("level", "ok")
        level = self.disk_level(usable, total, known)
        # Rounded, so that the file does not change with every transaction.
        percent = int(usable * 100 / total) if total else 100
        read_only = bool(READ_ONLY.search(read_text(self.options.config)))
        self.seen["disk"] = {"level": level, "free_percent": percent, "total": total,
                             "read_only": read_only}
        if level != known:
            self.notices.send("disk-space", level=level)
        if level == "full":
            self.give_up_reserve(free, held, wanted, read_only)
            if not read_only:
                self.let_only_read()
        else:
            self.full_since = None
            if level == "ok" and held < wanted:
                self.make_reserve(wanted)

    @staticmethod
    def disk_level(usable, total, known):
        low = DISK_LOW + (DISK_HYSTERESIS if known != "ok" else 0)
        full = DISK_FULL + (DISK_HYSTERESIS if known == "full" else 0)
        if usable < max(full * total, min(DISK_FULL_BYTES, DISK_LOW * total)):
            return "full"
        return "low" if usable < low * total else "ok"

    def give_up_reserve(self, free, held, wanted, read_only):
        """Half of it to start PostgreSQL, or to let the charm write; all once clients may only read.

        Whoever may still write would have all of it used up at once.
        """
        if self.full_since is None:
            self.full_since = clock()
        late = clock() - self.full_since > RESERVE_PATIENCE_S
        down = self.find_postmaster() is None or self.unsteady
        if read_only and held and (down or late):
            os.remove(self.reserve)
            say(f"gave up {held} bytes held in reserve: the disk is full")
        elif held > wanted // 2 and (down or free < DISK_NOTHING_BYTES):
            os.truncate(self.reserve, wanted // 2)
            say(f"gave up {held - wanted // 2} of {held} bytes held in reserve: the disk is full")

    def let_only_read(self):
        """The charm does the same, and ends it; but a hook may come late, or not at all."""
        path, draft = self.options.config, f"{self.options.config}.new"
        before = read_text(path)
        text, found = READ_WRITE.subn(r'\1"on"', before, count=1)
        if found == 0:
            return
        owner = os.stat(path)
        try:
            # With passwords in it: for its owner only, from the beginning.
            file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(file, "w", encoding="utf-8") as stream:
                os.fchown(file, owner.st_uid, owner.st_gid)
                stream.write(text)
                stream.flush()
                os.fsync(file)
            # What the charm has written meanwhile is not undone.
            if read_text(path) == before:
                os.replace(draft, path)
        finally:
            if os.path.exists(draft):
                os.remove(draft)
        say("the disk is full: clients may only read")
        self.changed()

    def make_reserve(self, size):
        file = os.open(self.reserve, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, size)
        except OSError:
            os.remove(self.reserve)
            raise
        finally:
            os.close(file)

    def look_at_archive(self):
        oldest, waiting = None, 0
        for path in glob.iglob(f"{self.options.data}/pg_wal/archive_status/*.ready"):
            try:
                written = os.stat(path).st_mtime
            except FileNotFoundError:
                continue
            waiting += 1
            oldest = written if oldest is None else min(oldest, written)
        known = self.seen.get("archive", {}).get("failing", False)
        failing = oldest is not None and time.time() - oldest > ARCHIVE_PATIENCE_S
        self.seen["archive"] = {"waiting": waiting, "failing": failing}
        if failing != known:
            self.notices.send("archiving-failed" if failing else "archiving-recovered", waiting=waiting)

    def limit_logs(self):
        """PostgreSQL starts over after a week; a busy one is cut shorter, oldest files first."""
        files = []
        for path in glob.glob(f"{self.options.logs}/*"):
            try:
                facts = os.stat(path)
            except OSError:
                continue
            if stat.S_ISREG(facts.st_mode):
                files.append((facts.st_mtime, facts.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files)[:-1]:
            if total <= LOG_LIMIT_BYTES:
                break
            os.remove(path)
            total -= size


class Watcher:
    def __init__(self, options):
        self.options = options
        seen = Seen(options.state)
        self.seen = seen.facts
        self.notices = Notices(options, seen)
        self.files = Files(options, self.notices, seen)
        self.patroni_process = Process(lambda: find_patroni(options.config))
        self.postmaster = Process(self.files.find_postmaster)
        self.patroni = Patroni(options, self.notices)
        self.files.changed = self.patroni.reload
        self.selector = selectors.DefaultSelector()
        self.streams = {}
        self.broken_since = self.broken_told = None
        self.broken_at = self.orphan_since = self.identity = None
        self.up_since = self.hand_over_due = 0.0
        # Since when PostgreSQL has not been up for a while; its latest ends and crashes.
        self.unsteady_since, self.ends, self.parent = None, [], None
        self.last_tick = clock()
        self.fifo = self.open_fifo()
        self.rest = b""
        self.ended = None

    def open_fifo(self):
        path = self.options.fifo
        if os.path.exists(path) and not stat.S_ISFIFO(os.stat(path).st_mode):
            os.remove(path)
        if not os.path.exists(path):
            os.mkfifo(path)
        # Root owns it; the group of the data's owner, that of Patroni, may write.
        os.chown(path, 0, os.stat(os.path.dirname(self.options.data)).st_gid)
        os.chmod(path, 0o660)
        # Opened for both, so that it neither blocks nor ends when a writer closes.
        fifo = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.selector.register(fifo, selectors.EVENT_READ, self.read_callbacks)
        return fifo

    # -- telling --------------------------------------------------------------------------------

    def read_callbacks(self):
        """Lines of Patroni's callbacks: name and role."""
        try:
            self.rest += os.read(self.fifo, 65536)
        except BlockingIOError:
            return
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            words = line.decode("utf-8", "replace").split()
            if words and words[0].startswith("on_"):
                role = words[1] if len(words) > 1 else ""
                self.notices.send(words[0].replace("_", "-"), role=role)

    # -- looking --------------------------------------------------------------------------------

    def run(self):
        say(f"watching {self.options.data}")
        while True:
            for key, _ in self.selector.select(TICK_S):
                key.data()
            self.tick(clock())

    def tick(self, now):
        gap, self.last_tick = now - self.last_tick, now
        patroni_gone = self.patroni_process.look(now)
        self.look_at_postmaster(now)
        if gap > self.patroni.ttl / 2:
            self.fence(f"the container did not run for {gap:.0f} s", everything=True)
        elif not self.patroni.paused:
            self.look_for_hangs(now)
        if patroni_gone or self.patroni_process.pid is None:
            self.patroni.fine_at = now
        self.look_at_children(now)
        self.look_for_successor(now)

    def look_at_postmaster(self, now):
        known = self.postmaster.pid
        gone = self.postmaster.look(now)
        pid = self.postmaster.pid
        self.look_at_starts(now, known)
        if pid is None or self.files.postmaster == pid:
            self.orphan_since = None
        elif self.orphan_since is None:
            self.orphan_since = now
        if gone:
            say(f"PostgreSQL (process {known}) ended")
            self.note_end(now)
            self.patroni.wake()
        if pid != known:
            self.await_end(pid)

    def note_end(self, now):
        """A crash may end its own recovery, and then the postmaster: that is one end."""
        if not self.ends or now - self.ends[-1] > STEADY_S:
            self.ends.append(now)

    def look_at_starts(self, now, known):
        """Since when PostgreSQL has not been up for a while, and how often it was started in vain."""
        pid, down = self.postmaster.pid, self.seen.get("down")
        if pid != known:
            self.up_since = now
        steady = pid is not None and now - self.up_since > STEADY_S
        if steady:
            self.unsteady_since = None
        elif self.unsteady_since is None and (pid is None or self.ends):
            self.unsteady_since = now
        self.files.unsteady = self.unsteady_since is not None
        if steady:
            self.seen.pop("down", None)
        elif pid is None and down is None or down and self.files.identity != self.identity:
            # What another data directory has been through does not count.
            self.seen["down"] = {"at": self.time_text(), "starts": 0}
        elif down and known is not None and pid != known:
            self.seen["down"] = {**down, "starts": down["starts"] + 1}
        if "down" in self.seen:
            # Without it no start is even tried.
            self.seen["down"] = {**self.seen["down"], "control": self.files.control,
                                 "refusal": self.files.refusal}
        self.identity = self.files.identity

    def await_end(self, pid):
        """Has the end of a process reported at once, not at the next tick."""
        if self.ended is not None:
            self.selector.unregister(self.ended)
            os.close(self.ended)
            self.ended = None
        if pid is None or not hasattr(os, "pidfd_open"):
            return
        try:
            self.ended = os.pidfd_open(pid)
        except OSError:
            return
        self.selector.register(self.ended, selectors.EVENT_READ, self.postmaster_ended)

    def postmaster_ended(self):
        self.await_end(None)
        self.patroni.wake()

    def look_for_hangs(self, now):
        limit = self.options.patience
        if self.postmaster.stopped_for(now) > limit:
            self.fence(f"PostgreSQL was stopped for {limit:.0f} s", postgresql=True)
        if self.orphan_since is not None and now - self.orphan_since > limit:
            self.orphan_since = None
            self.fence("PostgreSQL ran without its data directory", postgresql=True)
        if self.patroni_process.stopped_for(now) > limit:
            self.fence(f"Patroni was stopped for {limit:.0f} s", patroni=True)
        silent = now - self.patroni.fine_at
        if self.patroni_process.pid is not None and silent > self.patroni.ttl / 2:
            primary = not self.files.standby
            self.fence(f"Patroni was silent for {silent:.0f} s", patroni=True, postgresql=primary)

    def fence(self, reason, everything=False, postgresql=False, patroni=False):
        say(f"fencing: {reason}")
        if (everything or postgresql) and self.postmaster.pid is not None:
            family = [self.postmaster.pid, *children_of(self.postmaster.pid)]
            for pid in family:
                kill(pid)
        if (everything or patroni) and self.patroni_process.pid is not None:
            kill(self.patroni_process.pid)
        self.patroni.fine_at = clock()
        self.patroni.wake()
        self.tell_fence(reason)

    def tell_fence(self, reason):
        fence = {"at": self.time_text(), "reason": reason}
        self.seen["fences"] = [*self.seen["fences"], fence][-5:]
        self.notices.send("fenced", reason=reason)

    def look_for_successor(self, now):
        """A primary that does not stay up on a full disk gives way to a member that has the same data.

        Patroni does so itself after a start that fails, but not when starts succeed and do not last.
        """
        self.ends = [end for end in self.ends if now - end < CRASHES_S]
        full = self.seen.get("disk", {}).get("level") == "full"
        down = self.unsteady_since is not None and now - self.unsteady_since > HAND_OVER_S
        if not full or not (down or len(self.ends) >= CRASHES) or now < self.hand_over_due:
            return
        pid, patroni = self.patroni_process.pid, self.patroni
        if pid is None or patroni.paused or self.files.standby or not patroni.can_hand_over:
            return
        self.hand_over_due = now + HAND_OVER_AGAIN_S
        say("handing over: the disk is full and PostgreSQL does not stay up")
        self.tell_fence("the disk is full and PostgreSQL does not stay up")
        # Patroni ends PostgreSQL and then gives up the lock. Pebble starts it again.
        os.kill(pid, signal.SIGTERM)

    @staticmethod
    def time_text():
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def look_at_children(self, now):
        """Who streams, and whether PostgreSQL crashed, by the titles of its processes."""
        pid = self.postmaster.pid
        present = set(children_of(pid)) if pid is not None else set()
        lost = [kind for child, kind in self.streams.items() if child not in present]
        if "checkpointer" in lost and pid == self.parent:
            # It starts itself anew, under the same process id.
            say(f"PostgreSQL (process {pid}) crashed")
            self.note_end(now)
            self.up_since = now
        self.parent = pid
        streams = {}
        for child in present:
            known = self.streams.get(child)
            streams[child] = known if known else self.stream_title(child)
        self.streams = streams
        if pid is None:
            return
        self.report_replication(sorted(t for t in streams.values() if t.startswith("wal")), now)

    @staticmethod
    def stream_title(pid):
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

    def report_replication(self, streaming, now):
        standby = self.files.standby
        known = self.seen.get("replication")
        if known is None or known["standby"] != standby:
            self.broken_since = self.broken_told = None
        elif standby:
            self.report_receiver("walreceiver" in streaming, now)
        elif set(streaming) != set(known["streams"]):
            # Whether commits wait for those is Patroni's to decide, now.
            self.patroni.wake()
        seen = {"standby": standby, "streams": streaming}
        if self.broken_told is not None:
            seen["broken_at"] = self.broken_at
        self.seen["replication"] = seen

    def report_receiver(self, receiving, now):
        if receiving:
            if self.broken_told is not None:
                self.notices.send("replication-recovered")
            self.broken_since = self.broken_told = None
            return
        if self.broken_since is None:
            self.broken_since, self.broken_at = now, self.time_text()
        for_s = now - self.broken_since
        told = self.broken_told
        due = for_s > REPLICATION_GRACE_S if told is None else now - told > REPLICATION_RETELL_S
        if due:
            self.broken_told = now
            self.notices.send("replication-broken", seconds=int(for_s))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("config", "data", "logs", "fifo", "state", "domain"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--scheme", choices=("http", "https"), default="http")
    parser.add_argument("--port", type=int, default=8008)
    parser.add_argument("--patience", type=float, default=5, help="how long a stop is put up with")
    parser.add_argument("--pebble", default="/charm/bin/pebble")
    parser.add_argument("--version", default="", help="changes with this program; restarts it")
    return parser.parse_args()


if __name__ == "__main__":
    Watcher(parse_options()).run()
