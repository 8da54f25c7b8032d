"""Joins its input and output with a unix socket, as a given user: path, user, patience in seconds."""
import os, pwd, select, socket, sys

path, user, patience = sys.argv[1:]
if os.getuid() == 0:
    entry = pwd.getpwnam(user)
    os.initgroups(user, entry.pw_gid)
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
server = socket.socket(socket.AF_UNIX)
try:
    server.connect(path)
except OSError as error:
    sys.exit(f"cannot connect to {path}: {error.strerror}")
while True:
    ready = select.select([0, server], [], [], float(patience))[0]
    if not ready:
        sys.exit(f"nothing came or went for {patience} s")
    if server in ready:
        answer = server.recv(65536)
        if not answer:
            break
        while answer:
            answer = answer[os.write(1, answer):]
    if 0 in ready:
        request = os.read(0, 65536)
        if not request:
            break
        server.sendall(request)
