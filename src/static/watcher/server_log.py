"""The server's log: why it did not start, and how large all its files may be."""

import glob
import os
import re
import stat

# What PostgreSQL says into Patroni's output until its own log is open, which is the last of it.
SAID = re.compile(r"\[\d+\].*?\b(LOG|FATAL|PANIC):\s+(.+)")
SAID_BYTES = 16 * 1024
LIMIT_BYTES = 512 * 1024 * 1024


def find_refusal(folder):
    try:
        with open(f"{folder}/patroni-output.log", "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - SAID_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    return last_refusal(SAID.findall(text.rpartition("redirecting log output to")[2]))


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


def limit_logs(folder):
    """PostgreSQL starts over after a week; a busy one is cut shorter, oldest files first."""
    files = []
    for path in glob.glob(f"{folder}/*"):
        try:
            facts = os.stat(path)
        except OSError:
            continue
        if stat.S_ISREG(facts.st_mode):
            files.append((facts.st_mtime, facts.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files)[:-1]:
        if total <= LIMIT_BYTES:
            break
        os.remove(path)
        total -= size
