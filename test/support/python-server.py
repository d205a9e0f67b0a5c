"""
Runs Python programs in forks of a process that has the modules of its arguments loaded, those that are there. A test that
waits for a program writes what to run on standard input, a line each, and reads how it ended on standard output. A program
that is started as a process of its own, by python-client.py, comes over the socket that is the first argument.
"""

import array
import atexit
import faulthandler
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback

# Seconds for a program: less than a test has, which couldn't say where its program hangs.
LIMIT = 200

# What a library says as it is loaded is no answer.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

for name in sys.argv[2:]:
    try:
        __import__(name)
    except ImportError:
        pass

# Before anybody has read an answer, so that whoever has one can connect.
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(64)


def run(args: list[str]) -> None:
    if args[0] == "-u":
        sys.stdout.reconfigure(write_through=True)
        args = args[1:]
    if args[0] == "-c":
        sys.argv, sys.path[0] = ["-c", *args[2:]], ""
        exec(compile(args[1], "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
    else:
        sys.argv, sys.path[0] = args, os.path.dirname(os.path.abspath(args[0]))
        runpy.run_path(args[0], run_name="__main__")


def perform(args: list[str]) -> None:
    """Runs a program in this process, and ends with it; one that hangs ends with what its threads were at."""
    faulthandler.dump_traceback_later(LIMIT, exit=True, file=2)
    sys.stdin = open(0, closefd=False)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    status = 0
    try:
        run(args)
        threading._shutdown()
        atexit._run_exitfuncs()
    except SystemExit as exit:
        status = exit.code if isinstance(exit.code, int) else 0 if exit.code is None else 1
        if isinstance(exit.code, str):
            print(exit.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            pass
    os._exit(status)


def alone() -> None:
    """In a fork: nothing of the server goes on in it."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ready.close()
    listener.close()
    # A program that outlives a dead server must not keep its pipes open.
    answers.close()


def asked(folder: str, args: list[str], out: str, err: str) -> None:
    alone()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for path, descriptor in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.chdir(folder)
    perform(args)


def received(connection: socket.socket) -> tuple[dict, list[int]]:
    """A request as a line of JSON, and the standard streams that come with its first byte."""
    descriptors = array.array("i")
    text, ancillary, _, _ = connection.recvmsg(2**16, socket.CMSG_LEN(3 * descriptors.itemsize))
    for _, _, data in ancillary:
        descriptors.frombytes(data)
    while not text.endswith(b"\n"):
        more = connection.recv(2**16)
        if not more:
            os._exit(1)
        text += more
    return json.loads(text), list(descriptors)


def attend(connection: socket.socket) -> None:
    """Runs what a client asks for, and tells it the process and how that ended; a client that is gone ends it."""
    alone()
    request, streams = received(connection)
    pid = os.fork()
    if pid == 0:
        connection.close()
        for descriptor, stream in enumerate(streams):
            os.dup2(stream, descriptor)
        for stream in streams:
            os.close(stream)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        perform(request["args"])
    for stream in [*streams, 0, 1, 2]:
        os.close(stream)
    connection.sendall(f"{pid}\n".encode())

    def end_with_client() -> None:
        if not connection.recv(1):
            os.kill(pid, signal.SIGKILL)

    threading.Thread(target=end_with_client, daemon=True).start()
    _, status = os.waitpid(pid, 0)
    try:
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    except OSError:
        pass
    os._exit(0)


asking = 0
rest = b""
woken, wake = os.pipe()
for end in (woken, wake):
    os.set_blocking(end, False)
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.set_wakeup_fd(wake)
ready = selectors.DefaultSelector()
for source in (0, woken, listener):
    ready.register(source, selectors.EVENT_READ)
while True:
    for key, _ in ready.select():
        if key.fileobj is listener:
            connection, _ = listener.accept()
            if os.fork() == 0:
                attend(connection)
            connection.close()
        elif key.fileobj == woken:
            os.read(woken, 1024)
            while True:
                try:
                    pid, status = os.waitpid(-1, os.WNOHANG)
                except ChildProcessError:
                    break
                if pid == 0:
                    break
                if pid == asking:
                    answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
                    answers.flush()
        else:
            given = os.read(0, 2**16)
            if not given:
                sys.exit()
            *lines, rest = (rest + given).split(b"\n")
            for line in lines:
                asking = os.fork()
                if asking == 0:
                    asked(**json.loads(line))
