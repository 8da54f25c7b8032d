"""What the watcher sees, for the charm to read."""

import json
import os
import threading

from system import say


class Seen:
    """A file of JSON; never written by the main thread."""

    def __init__(self, path):
        self.path = path
        # Whether another watcher has looked since the container was started.
        self.has_predecessor = os.path.exists(path)
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
