"""A thread that shows that a worker is alive while it is deep in a computation."""

import datetime as dt
import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from django.db import OperationalError, connection

from tutor.common import clock

logger = logging.getLogger(__name__)

PERIOD_S = 2.0


class ClaimLost(Exception):
    """The work is somebody else's by now, or was cancelled: stop without a word."""


class Claim(Protocol):
    """One worker's right to do a piece of work."""

    def show_life(self, *, at: dt.datetime, stage: str, done: int, total: int) -> bool:
        """Note that the worker is alive and how far it is; return whether the claim holds."""


class Heartbeat:
    """Writes sign of life and progress, at each new stage and every `PERIOD_S` seconds."""

    def __init__(self, claim: Claim, *, period_s: float | None = None) -> None:
        self._claim = claim
        self._period_s = PERIOD_S if period_s is None else period_s
        self._told: tuple[str, int, int] = ("", 0, 0)
        self._wake = threading.Event()
        self._is_over = False
        self._is_lost = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="heartbeat")

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_over = True
        self._wake.set()
        self._thread.join()

    def tell(self, stage: str, done: int, total: int) -> None:
        """Note how far the work is; cheap, so it may be called for every row.

        Raises:
            ClaimLost: the work is not wanted any more.
        """
        is_new = stage != self._told[0]
        self._told = (str(stage), done, total)
        if is_new:
            self._wake.set()
        if self._is_lost.is_set():
            raise ClaimLost

    def _run(self) -> None:
        try:
            while True:
                self._wake.wait(self._period_s)
                self._wake.clear()
                if self._is_over:
                    return
                self._beat(self._claim.show_life)
        finally:
            connection.close()

    def _beat(self, show_life: Callable[..., bool]) -> None:
        stage, done, total = self._told
        try:
            if not show_life(at=clock.now(), stage=stage, done=done, total=total):
                self._is_lost.set()
        except OperationalError:
            # A busy database is no reason to give up; the next beat tries again.
            logger.warning("No sign of life could be written.", exc_info=True)
