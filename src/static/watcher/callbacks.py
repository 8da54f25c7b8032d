"""Patroni's callbacks, through a FIFO."""

import os
import selectors
import stat


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
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            words = line.decode("utf-8", "replace").split()
            if words and words[0].startswith("on_"):
                role = words[1] if len(words) > 1 else ""
                self.notices.send(words[0].replace("_", "-"), role=role)
