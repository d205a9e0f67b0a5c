"""Whether a training is to stop behind the step that is under way: what Ctrl-C says, or the program that leads this one."""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from types import FrameType


class Stopping:
    """Listens from the beginning; `led`: to lines of standard input, `go` and `stop`, and to its end."""

    def __init__(self, led: bool) -> None:
        self.asked = False
        self._answers: queue.Queue[bool] = queue.Queue()
        if led:
            # a terminal sends Ctrl-C to both, and the other one decides
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            threading.Thread(target=self._listen, daemon=True).start()
        else:
            signal.signal(signal.SIGINT, self._interrupted)

    def wait(self) -> bool:
        """Until what was written is taken over; whether anybody is still there to do so."""
        return self._answers.get()

    def _interrupted(self, _: int, __: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if os.environ.get("RANK", "0") == "0":
            print("\nstopping behind this step (Ctrl-C again: at once)", file=sys.stderr)

    def _listen(self) -> None:
        held = b""
        # not sys.stdin, whose lock a thread that waits would hold when the program ends
        while part := os.read(0, 4096):
            *lines, held = (held + part).split(b"\n")
            for line in lines:
                if line == b"stop":
                    self.asked = True
                elif line == b"go":
                    self._answers.put(True)
        self.asked = True
        self._answers.put(False)
