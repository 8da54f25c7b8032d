"""Whether clients may write, in Patroni's file.

PostgreSQL takes more words than one for on: `yes` is the answer to a full disk, which the charm writes
and reads as well, and `on` what the operator wants. So each is ended by who began it, whatever is
started anew in between.
"""

import os
import re

from system import read_text

READ_ONLY = re.compile(r"default_transaction_read_only: ['\"]?(on|yes)\b")
READ_WRITE = re.compile(r"(default_transaction_read_only: )['\"]?off\b['\"]?")


def read_only_word(path):
    """`yes` or `on`; None when clients may write."""
    found = READ_ONLY.search(read_text(path))
    return found and found[1]


def let_only_read(path):
    """The charm does the same, and ends it; but a hook may come late, or not at all."""
    draft = f"{path}.new"
    before = read_text(path)
    text, found = READ_WRITE.subn(r'\1"yes"', before, count=1)
    if found == 0:
        return False
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
    return True
