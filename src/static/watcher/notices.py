"""Pebble notices, each of which makes Juju start a hook."""

import queue
import subprocess
import threading

from system import say


class Notices:
    """Sends them in the order in which they come, each when what it tells of can be read."""

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
