"""The member's Patroni: its file, and its REST interface."""

import http.client
import json
import os
import ssl
from base64 import b64encode

from system import read_text

TIMEOUT_S = 2.0


class PatroniApi:
    def __init__(self, options):
        self.options = options
        self.settings_of, self.known_settings = None, {}

    def settings(self):
        """Patroni's file, parsed again only when it is another."""
        import yaml  # a dependency of Patroni
        try:
            facts = os.stat(self.options.config)
            identity = (facts.st_ino, facts.st_mtime_ns)
            if identity != self.settings_of:
                content = yaml.safe_load(read_text(self.options.config)) or {}
                self.known_settings = content if isinstance(content, dict) else {}
                self.settings_of = identity
        except (OSError, yaml.YAMLError):
            return {}
        return self.known_settings

    def ask(self, method, path, body=None, host="localhost", timeout_s=TIMEOUT_S):
        """Status and content of the answer; of another member when its address is given."""
        connection = self.connect(host, timeout_s)
        try:
            connection.request(method, path, **({} if body is None else self.change(body)))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def connect(self, host, timeout_s):
        port = self.options.port
        if self.options.scheme != "https":
            return http.client.HTTPConnection(host, port, timeout=timeout_s)
        context = ssl.create_default_context(cafile=self.interface().get("cafile"))
        context.check_hostname = False
        return http.client.HTTPSConnection(host, port, timeout=timeout_s, context=context)

    def interface(self):
        return self.settings().get("restapi") or {}

    def change(self, body):
        login = self.interface().get("authentication") or {}
        user = f"{login.get('username', '')}:{login.get('password', '')}"
        token = b64encode(user.encode()).decode()
        return {"body": json.dumps(body), "headers": {"Authorization": f"Basic {token}"}}
