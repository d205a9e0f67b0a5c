"""
Runs a program in several processes that find each other as those of `torchrun` do, but that they are forks of this one, which
has PyTorch loaded: `ranks.py COUNT [--kill] PROGRAM ARGUMENT...`. With `--kill`, the last one is killed as soon as a line of
the others has a record of an epoch. When one fails, the others are ended, and this one fails.
"""

import faulthandler
import os
import runpy
import signal
import socket
import sys
import threading

count, *program = sys.argv[1:]
kill = program[0] == "--kill"
if kill:
    del program[0]

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
os.environ.update(WORLD_SIZE=count, MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))

pids: list[int] = []
said, to = os.pipe()


def pass_on() -> None:
    waits = kill
    with os.fdopen(said) as lines:
        for line in lines:
            print(line, end="", flush=True)
            if waits and '"record"' in line:
                waits = False
                os.kill(pids[-1], signal.SIGKILL)


# a fork has no watching thread, and would wait for it: each has one of its own, so that a rank that hangs says where
faulthandler.cancel_dump_traceback_later()
for rank in range(int(count)):
    pid = os.fork()
    if pid == 0:
        faulthandler.dump_traceback_later(150, exit=True, file=2)
        os.close(said)
        os.dup2(to, 1)
        os.close(to)
        sys.stdout.reconfigure(line_buffering=True)
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank))
        sys.argv, sys.path[0] = program, os.path.dirname(os.path.abspath(program[0]))
        runpy.run_path(program[0], run_name="__main__")
        sys.exit()
    pids.append(pid)

faulthandler.dump_traceback_later(170, exit=True, file=2)
os.close(to)
reader = threading.Thread(target=pass_on)
reader.start()
failed = False
running = set(pids)
while running:
    pid, status = os.wait()
    running.discard(pid)
    if status != 0 and not failed:
        failed = True
        for other in running:
            os.kill(other, signal.SIGTERM)
reader.join()
sys.exit(1 if failed else 0)
