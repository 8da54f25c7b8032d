"""Pebble notices, each of which makes Juju start a hook."""

import queue
import subprocess
import threading

from system import clock, say

# What could not be sent is tried again after this long, each time after twice as long, up to a minute.
AGAIN_S, LONGEST_S = 1.0, 60.0
TIMEOUT_S = 60.0


class Notices:
    """Sends them in the order in which they come, each when what it tells of can be read.

    Of those that cannot be sent the latest of each kind is tried again until it can: others do not wait
    for it, since the charm looks for itself when it is woken.
    """

    def __init__(self, options, seen):
        self.options = options
        self.seen = seen
        self.waiting = queue.Queue()
        # By key: those that could not be sent, when each is tried again, and after how long the next time.
        self.failed = {}
        threading.Thread(target=self.run, daemon=True).start()

    def send(self, key, **data):
        pairs = [f"{name}={value}" for name, value in data.items()]
        self.waiting.put([f"{self.options.domain}/{key}", *pairs])

    def run(self):
        while True:
            try:
                self.attempt(self.waiting.get(timeout=self.pause()), AGAIN_S)
            except queue.Empty:
                pass
            for notice, due, pause in list(self.failed.values()):
                if clock() >= due:
                    self.attempt(notice, pause)

    def pause(self):
        """For how long nothing has to be tried again."""
        dues = [due for _, due, _ in self.failed.values()]
        return max(0.0, min(dues) - clock()) if dues else None

    def attempt(self, notice, pause):
        """Nothing ends the thread: without it the charm would not be woken any more."""
        key = notice[0]
        trouble = self.trouble_with(notice)
        if trouble is None:
            self.failed.pop(key, None)
            return
        if key not in self.failed:
            say(f"cannot send notice {key}: {trouble}")
        self.failed[key] = notice, clock() + pause, min(2 * pause, LONGEST_S)

    def trouble_with(self, notice):
        command = [self.options.pebble, "notify", *notice]
        try:
            self.seen.write()
            subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        except subprocess.CalledProcessError as error:
            return error.stderr.strip()
        except Exception as error:
            return repr(error)
        return None
