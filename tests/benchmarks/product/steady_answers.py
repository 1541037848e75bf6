"""Answers that come in steadily while a worker goes on: how long each waits for its prediction.

    python -m tests.benchmarks.product.steady_answers

is that worker, in a process of its own as in production.
"""

import contextlib
import dataclasses
import subprocess
import sys
import threading
import time

# Seconds until what was offered last is given up, and between two looks.
DRAIN_S, LOOK_EVERY_S = 60.0, 0.02


@dataclasses.dataclass
class Steady:
    """Answers that came in steadily.

    Attributes:
        offered: how many.
        rate: of them a second, as it came out.
        delays: seconds from each to its stored prediction; of one that never came, as long as it
            was waited for.
        unfinished: how many never came.
    """

    offered: int
    rate: float
    delays: list[float]
    unfinished: int


def measure(course, learners, rate: float, seconds: float) -> Steady:
    """Let answers come in at `rate` while a worker process goes on, and time each one."""
    with worker_process():
        watch = Watch()
        began = time.perf_counter()
        offered = offer(course, learners, rate, seconds, watch)
        took = time.perf_counter() - began
        watch.finish(timeout_s=DRAIN_S)
    return Steady(offered, offered / took, watch.delays, watch.unfinished)


def offer(course, learners, rate: float, seconds: float, watch: "Watch") -> int:
    """Record and fold answers as a request does, each at its time or as soon as possible after."""
    from django.db import transaction

    from tests.tutor.histories import record, trace, versions_of
    from tutor.common import clock

    versions, began, number = versions_of(course), time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        learner = learners[number % len(learners)]
        with transaction.atomic():
            response = record(
                learner=learner,
                course=course,
                version=versions[number % len(versions)],
                answered_at=clock.now(),
            )
            trace(response, course=course)
        watch.add(learner.pk, response.pk)
        number += 1
        time.sleep(max(0.0, began + number / rate - time.perf_counter()))
    return number


class Watch(threading.Thread):
    """Looks which answers the stored states have seen; a learner may wait for several."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._guard, self._is_over = threading.Lock(), threading.Event()
        # Learner id -> (response id, when it was stored), oldest first.
        self._waiting: dict[int, list[tuple[int, float]]] = {}
        self.delays: list[float] = []
        self.unfinished = 0
        self.start()

    def add(self, learner_id: int, response_id: int) -> None:
        """Wait for an answer that was stored just now."""
        with self._guard:
            self._waiting.setdefault(learner_id, []).append((response_id, time.perf_counter()))

    def run(self) -> None:
        """Look until it is over."""
        from django.db import connection

        while not self._is_over.is_set():
            self._look()
            time.sleep(LOOK_EVERY_S)
        connection.close()

    def _look(self) -> None:
        from tutor.tracing.models import DeepState

        with self._guard:
            learners = list(self._waiting)
        if not learners:
            return
        rows = DeepState.objects.filter(learner__in=learners)
        seen = dict(rows.values_list("learner", "last_response_id"))
        now = time.perf_counter()
        with self._guard:
            for pk, last in seen.items():
                mine = self._waiting[pk]
                self.delays.extend(now - began for response, began in mine if response <= last)
                mine[:] = [one for one in mine if one[0] > last]
                if not mine:
                    del self._waiting[pk]

    def finish(self, *, timeout_s: float) -> None:
        """Wait for the rest; what has not come by then has waited for so long."""
        until = time.perf_counter() + timeout_s
        while time.perf_counter() < until and self._waiting:
            time.sleep(LOOK_EVERY_S)
        self._is_over.set()
        self.join()
        left = [began for mine in self._waiting.values() for _, began in mine]
        self.unfinished = len(left)
        self.delays.extend(time.perf_counter() - began for began in left)


@contextlib.contextmanager
def worker_process():
    """Run the worker's own loop in a process of its own, as in production, on one thread."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.product.steady_answers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout.readline().strip() != "ready":
            raise RuntimeError("The worker has not come up; see above.")
        yield
    finally:
        process.stdin.close()
        process.wait(timeout=60)


def work() -> None:
    """Work off what is due until standard input is closed."""
    import django
    import torch

    django.setup()
    torch.set_num_threads(1)
    from tutor.tracing import working

    is_over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
    # The network is loaded, and everything has run once.
    working.work_off()
    print("ready", flush=True)
    window = working.Window()
    while not is_over.is_set():
        working.work_off(window=window, turn_s=1.0)
        time.sleep(0.01)


if __name__ == "__main__":
    work()
