"""The server's log: why it did not start, and how large all its files may be."""

import glob
import os
import re
import stat
import time

from system import read_text

# What PostgreSQL says into Patroni's output until its own log is open, which is the last of it.
SAID = re.compile(r"\[\d+\].*?\b(LOG|FATAL|PANIC):\s+(.+)")
SAID_BYTES = 16 * 1024
LIMIT_BYTES = 512 * 1024 * 1024
OUTPUT = "patroni-output.log"
OUTPUT_BYTES = 16 * 1024 * 1024
KEPT_S = 6 * 24 * 3600.0
# Patroni removes its own older files.
OF_PATRONI = ("patroni.log", OUTPUT)


def find_refusal(folder):
    try:
        with open(f"{folder}/{OUTPUT}", "rb") as file:
            text = read_end(file).decode("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    return last_refusal(SAID.findall(text.rpartition("redirecting log output to")[2]))


def read_end(file):
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - SAID_BYTES))
    return file.read()


def last_refusal(said):
    """The last that made PostgreSQL end; of a file with errors the first of these."""
    ends = [index for index, (level, _) in enumerate(said) if level != "LOG"]
    if not ends:
        return None
    end = said[ends[-1]][1]
    if not end.endswith("contains errors"):
        return end
    before = said[ends[-2] + 1 if len(ends) > 1 else 0:ends[-1]]
    return next((text for _, text in before if "parameter" in text), end)


def limit_logs(folder, data):
    """Oldest files first. A file that is open stays: it would go on taking its space, with no name.

    PostgreSQL's names come again after a week, when it would go on writing in the old file.
    """
    limit_output(f"{folder}/{OUTPUT}")
    files = sorted(log_files(folder))
    own = [path for _, _, path in files if is_of_server(path)]
    spared = {f"{folder}/{name}" for name in OF_PATRONI} | open_logs(data) | set(own[-1:])
    total = sum(size for _, size, _ in files)
    for written, size, path in files:
        old = is_of_server(path) and time.time() - written > KEPT_S
        if path not in spared and (old or total > LIMIT_BYTES):
            os.remove(path)
            total -= size


def limit_output(path):
    """Keeps the end of what Patroni and a server that does not start have said.

    In place, as it is open: whoever writes to it does so at its end, wherever that is.
    """
    if not os.path.exists(path) or os.path.getsize(path) <= OUTPUT_BYTES:
        return
    with open(path, "a+b") as file:
        end = read_end(file)
        file.truncate(0)
        file.write(end)


def log_files(folder):
    for path in glob.glob(f"{folder}/*"):
        try:
            facts = os.stat(path)
        except OSError:
            continue
        if stat.S_ISREG(facts.st_mode):
            yield facts.st_mtime, facts.st_size, path


def is_of_server(path):
    return os.path.basename(path).startswith("postgresql-")


def open_logs(data):
    """What PostgreSQL says that it logs into: a kind and a path in each line."""
    lines = read_text(f"{data}/current_logfiles").splitlines()
    return {line.partition(" ")[2] for line in lines}
