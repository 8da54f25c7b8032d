"""Patroni's callbacks, through a FIFO."""

import os
import re
import selectors
import stat

# A callback's name and the role. All of Patroni's group may write: what is something else is nothing.
LINE = re.compile(r"(on(?:_[a-z]{1,16}){1,4})(?: ([a-z_]{1,32}))?")
LONGEST = 4096


class Callbacks:
    """Tells each callback that Patroni writes as a line: its name and the member's role."""

    def __init__(self, options, notices, selector):
        self.notices = notices
        self.rest = b""
        self.fifo = self.open(options)
        selector.register(self.fifo, selectors.EVENT_READ, self.read)

    @staticmethod
    def open(options):
        path = options.fifo
        if os.path.exists(path) and not stat.S_ISFIFO(os.stat(path).st_mode):
            os.remove(path)
        if not os.path.exists(path):
            os.mkfifo(path)
        # Root owns it; the group of the data's owner, that of Patroni, may write.
        os.chown(path, 0, os.stat(os.path.dirname(options.data)).st_gid)
        os.chmod(path, 0o660)
        # Opened for both, so that it neither blocks nor ends when a writer closes.
        return os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def read(self):
        try:
            self.rest += os.read(self.fifo, 65536)
        except BlockingIOError:
            return
        *lines, rest = self.rest.split(b"\n")
        self.rest = rest if len(rest) <= LONGEST else b""
        for line in lines:
            said = LINE.fullmatch(line.decode("utf-8", "replace").strip())
            if said is not None:
                self.notices.send(said[1].replace("_", "-"), role=said[2] or "")
