"""Shows that the main thread goes on, to the check of Pebble that has a watcher started anew that hangs.

By the name of this process, which is another after each tick: to write a file, the main thread would have
to wait for a disk that hangs.
"""

import os

from system import say

# Beyond 15 characters the kernel cuts names off.
BEATS = 1_000_000


class Heartbeat:
    def __init__(self, pid_file):
        self.count = 0
        self.name = None
        try:
            self.name = os.open("/proc/self/comm", os.O_WRONLY)
            with open(pid_file, "w", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n")
        except OSError as error:
            # The node's disk may be full, and everything else goes on.
            say(f"cannot show that this program goes on: {error}")

    def beat(self):
        self.count = (self.count + 1) % BEATS
        if self.name is not None:
            os.write(self.name, f"watcher {self.count}".encode())
