"""The Kubernetes API, by the pod's own service account, as Patroni uses it."""

import http.client
import json
import os
import ssl
from urllib.parse import urlsplit

from system import read_text

TIMEOUT_S = 2.0


class KubernetesApi:
    def __init__(self, options):
        host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
        port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
        # An address of IPv6 has colons of its own.
        named = f"[{host}]" if ":" in host else host
        self.url = urlsplit(options.kubernetes or f"https://{named}:{port}")
        self.account = options.account

    def ask(self, method, path, change=None):
        """Status and content of the answer; a change leaves alone what it does not name."""
        headers = {"Authorization": f"Bearer {read_text(f'{self.account}/token').strip()}"}
        body = None
        if change is not None:
            headers["Content-Type"] = "application/merge-patch+json"
            body = json.dumps(change)
        connection = self.connect()
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if answer.status == 200 else None
        finally:
            connection.close()

    def connect(self):
        address = self.url.hostname, self.url.port
        if self.url.scheme == "http":
            return http.client.HTTPConnection(*address, timeout=TIMEOUT_S)
        context = ssl.create_default_context(cafile=f"{self.account}/ca.crt")
        return http.client.HTTPSConnection(*address, timeout=TIMEOUT_S, context=context)
