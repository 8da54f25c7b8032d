"""Stands in for Patroni or Kubernetes: answers as a file says, and notes down what it is asked.

Called with a folder and a port at the end, as `patroni CONFIG FOLDER PORT`. A path (with its method before
it, where answers differ: `PATCH /path`) that the file `answers.json` does not have is not found;
`null` for a path means that the answer never comes. SIGUSR1 closes the port.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

folder, port = sys.argv[-2], int(sys.argv[-1])


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


server = Server(("127.0.0.1", port), Handler)


def close(*_):
    threading.Thread(target=lambda: (server.shutdown(), server.server_close())).start()


signal.signal(signal.SIGUSR1, close)
server.serve_forever(0.05)
signal.pause()
