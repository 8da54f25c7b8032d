"""Stands in for Patroni or Kubernetes: answers as a file says, and notes down what it is asked.

Called with a folder and a port at the end, as `patroni CONFIG FOLDER PORT`, or `HOST:PORT`. A path (with its method before
it, where answers differ: `PATCH /path`) that the file `answers.json` does not have is not found;
`null` for a path means that the answer never comes. SIGUSR1 closes the port, SIGUSR2 opens it again.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder = sys.argv[-2]
host, _, port = sys.argv[-1].rpartition(":")


class Handler(BaseHTTPRequestHandler):
    def answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode()
        with open(os.path.join(folder, "requests"), "a", encoding="utf-8") as file:
            file.write(f"{self.command} {self.path} {body}".strip() + "\n")
        with open(os.path.join(folder, "answers.json"), encoding="utf-8") as file:
            answers = json.load(file)
        found = answers.get(f"{self.command} {self.path}", answers.get(self.path, [404, ""]))
        if found is None:
            time.sleep(600)
        status, content = found
        content = content if isinstance(content, str) else json.dumps(content)
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    do_GET = do_PATCH = do_POST = answer

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True


class Port:
    """Open or closed; served by a thread, so that signals come through."""

    def __init__(self):
        self.server = None
        self.open()

    def open(self, *_):
        self.server = Server((host or "127.0.0.1", int(port)), Handler)
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    def close(self, *_):
        self.server.shutdown()
        self.server.server_close()


listening = Port()
signal.signal(signal.SIGUSR1, listening.close)
signal.signal(signal.SIGUSR2, listening.open)
while True:
    signal.pause()
