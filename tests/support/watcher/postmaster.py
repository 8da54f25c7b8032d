"""Stands in for the postmaster: has children with the titles that it is told on its standard input.

`+TITLE` starts one, `-TITLE` kills it. Called with the data directory, where it leaves its process id,
and the interpreter for the children.
"""

import os
import subprocess
import sys

# A child outlives its parent by a few seconds, unless it is killed.
CHILD = """
import os, time
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(0.2)
time.sleep(5)
"""

children = {}
with open(os.path.join(sys.argv[1], "postmaster.pid"), "w", encoding="utf-8") as file:
    file.write(f"{os.getpid()}\n{sys.argv[1]}\n")
for line in sys.stdin:
    action, title = line[0], line[1:].strip()
    if action == "+":
        children[title] = subprocess.Popen([title, "-c", CHILD], executable=sys.argv[2])
    elif action == "-":
        children[title].kill()
        children.pop(title).wait()
