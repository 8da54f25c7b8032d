"""Runs a client of pgBackRest's protocol whose TLS ends here, and goes on to a server without its certificate.

Arguments: the certificate of this host and its key, the server and its authority, `with` or `without` a
certificate of its own, a port, and the client's command.
"""

import socket
import ssl
import subprocess
import sys
import threading

cert, key, host, ca, own, port, *command = sys.argv[1:]
inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
inside.load_cert_chain(cert, key)
outside = ssl.create_default_context(cafile=ca)
if own == "with":
    outside.load_cert_chain(cert, key)


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    # The other direction may wait on them: closing alone would not wake it, nor tell the other side.
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def relay(listener):
    while True:
        client = inside.wrap_socket(listener.accept()[0], server_side=True)
        server = outside.wrap_socket(socket.create_connection((host, 8432)), server_hostname=host)
        for pair in ((client, server), (server, client)):
            threading.Thread(target=copy, args=pair, daemon=True).start()


listener = socket.create_server(("", int(port)))
threading.Thread(target=relay, args=(listener,), daemon=True).start()
sys.exit(subprocess.run(command, check=False).returncode)
