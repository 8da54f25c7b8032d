"""The REST interface: it stops answering, and goes on listening, when it is shut down."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from threading import Thread


class RestApiServer(ThreadingMixIn, HTTPServer, Thread):
    daemon_threads = True

    def __init__(self):
        HTTPServer.__init__(self, ("127.0.0.1", 0), BaseHTTPRequestHandler)
        Thread.__init__(self, target=self.serve_forever, args=(0.05,), daemon=True)
