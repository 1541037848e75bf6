"""Keeps child processes running and ends them together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType


class Child:
    """One process of the tutor, restarted on demand, gone when its supervisor is gone."""

    def __init__(self, *, name: str, arguments: Sequence[str]) -> None:
        """Describe the process; `start` begins it."""
        self.name = name
        self._command = [sys.executable, "-m", "tutor.config.attached", *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at_s = 0.0
        self._restart_at_s: float | None = None
        self._delay_s = 0.5

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches only the supervisor."""
        self._process = subprocess.Popen(  # noqa: S603  our own command
            self._command, stdin=subprocess.PIPE, start_new_session=True
        )
        self._started_at_s = time.monotonic()
        self._restart_at_s = None

    @property
    def exit_code(self) -> int | None:
        """The code with which the process ended (minus a signal's number), None while it runs."""
        return None if self._process is None else self._process.poll()

    def keep_alive(self) -> None:
        """Start the process again if it ended: soon, and ever later (60 s) if it keeps dying."""
        if self.exit_code is None:
            return
        now_s = time.monotonic()
        if self._restart_at_s is None:
            lived_s = now_s - self._started_at_s
            self._delay_s = 1.0 if lived_s > 60 else min(60.0, self._delay_s * 2)
            self._restart_at_s = now_s + self._delay_s
            _say(
                f"The {self.name} stopped ({_how(self.exit_code)}). "
                f"Starting it again in {self._delay_s:.0f} s."
            )
        elif now_s >= self._restart_at_s:
            self.start()

    def ask_to_stop(self) -> None:
        """Ask the process to finish what it is doing and end."""
        if self._process is not None and self.exit_code is None:
            self._process.send_signal(signal.SIGTERM)

    def wait(self, *, until_s: float, stop: "Stop") -> None:
        """Wait for the end; kill the process at `until_s` (monotonic) or on a second signal."""
        if self._process is None:
            return
        while self.exit_code is None and time.monotonic() < until_s and stop.count < 2:
            time.sleep(0.05)
        if self.exit_code is None:
            _say(f"The {self.name} does not stop by itself: ending it.")
            # It leads a group of its own, so this ends what it has started as well.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


class Stop:
    """Counts the requests to stop: Ctrl-C, SIGTERM, and the end of the terminal."""

    def __init__(self) -> None:
        """Listen for the signals from now on."""
        self.count = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


def _how(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
