"""
`python-client.py SOCKET PYTHON ARGUMENT...`: what `PYTHON ARGUMENT...` does, in a fork of the server at the socket, which has
PyTorch loaded. Streams, folder, environment, signals and the exit code are those of this process. Where no server answers, it
is PYTHON itself.
"""

import array
import json
import os
import signal
import socket
import sys

path, python, *args = sys.argv[1:]
connection = socket.socket(socket.AF_UNIX)
try:
    # a program, not an option of Python's own
    if not args or (args[0].startswith("-") and args[0] not in ("-c", "-u")):
        raise OSError
    connection.connect(path)
except OSError:
    os.execvp(python, [python, *args])

request = {"folder": os.getcwd(), "args": args, "environment": dict(os.environ)}
streams = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))]
text = json.dumps(request).encode() + b"\n"
sent = connection.sendmsg([text], streams)
connection.sendall(text[sent:])
answers = connection.makefile()
pid = int(answers.readline())


def pass_on(number: int, _: object) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, pass_on)
for stream in (0, 1, 2):
    os.close(stream)
status = int(answers.readline() or -signal.SIGKILL)
if status < 0:
    if -status in (signal.SIGINT, signal.SIGTERM):
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
os._exit(status)
