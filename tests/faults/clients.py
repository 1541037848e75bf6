"""Learners who answer and, like the browser, send again until they are told it is stored.

Run as a process beside the faults: `python -m tests.faults.clients THREADS ACKNOWLEDGED ENOUGH`.
Writes the client key of every acknowledged answer into the one file, a line each, until the other
file is there.
"""

import contextlib
import datetime as dt
import random
import sys
import threading
import time
import uuid
from pathlib import Path

import django

django.setup()

from django.db import Error, close_old_connections, connection  # noqa: E402

from tests.factories import wrong_answer  # noqa: E402
from tutor.accounts.models import Learner  # noqa: E402
from tutor.classes.models import Classroom  # noqa: E402
from tutor.content import grading  # noqa: E402
from tutor.content.grading.errors import UnreadableAnswer  # noqa: E402
from tutor.practice import selectors, usecases  # noqa: E402
from tutor.practice.usecases import Submission  # noqa: E402

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
# Of a learner from answer to answer: nothing runs out that a learner would have to wait for.
STEP = dt.timedelta(hours=3)


class Clients:
    """Learners shared out among threads."""

    def __init__(self, *, acknowledged: Path, enough: Path) -> None:
        self.file = acknowledged.open("w")
        self.enough = enough
        self.lock = threading.Lock()
        self.failures: list[BaseException] = []

    def note(self, key: uuid.UUID) -> None:
        with self.lock:
            self.file.write(f"{key}\n")
            self.file.flush()

    def run(self, learner_ids: list[int], seed: int) -> None:
        """Answer in turn as each of the learners."""
        rng = random.Random(seed)
        clocks = dict.fromkeys(learner_ids, START)
        try:
            while not self.enough.exists():
                learner_id = rng.choice(learner_ids)
                clocks[learner_id] += STEP
                self.answer(learner_id, clocks[learner_id], rng)
        except BaseException as error:
            self.failures.append(error)
            raise
        finally:
            connection.close()

    def answer(self, learner_id: int, at: dt.datetime, rng: random.Random) -> None:
        def begin():
            learner = Learner.objects.get(pk=learner_id)
            classroom = Classroom.objects.select_related("course").get()
            return learner, usecases.start_practice(
                learner=learner,
                course=classroom.course,
                assignment=None,
                at=at,
                draw_seed=rng.getrandbits(31),
            )

        learner, session = until_done(begin)
        if session.finished_at is not None:
            return
        key = uuid.uuid4()
        shown = until_done(
            lambda: selectors.get_presentation(learner=learner, public_id=session.current.public_id)
        )
        submission = Submission(
            presentation=session.current.public_id,
            client_key=key,
            answer=answer_to(shown.item, right=rng.random() < 0.7),
            answered_at=at,
            elapsed_ms=1000,
        )
        # Sent twice now and then though the first was stored, as after an answer that got lost.
        for _ in range(2 if rng.random() < 0.1 else 1):
            until_done(lambda: send(learner, submission, at, rng.getrandbits(31)))
        self.note(key)


def answer_to(item, *, right: bool) -> dict[str, object]:
    if not right:
        with contextlib.suppress(UnreadableAnswer, KeyError):
            wrong = wrong_answer(item)
            grading.grade(item, wrong)
            return wrong
    return grading.right_answer(item)


def send(learner: Learner, submission: Submission, at: dt.datetime, seed: int) -> None:
    usecases.submit_answer(
        learner=learner, submission=submission, at=at, draw_seed=seed, source="faults"
    )


def until_done(act):
    """Do it, again if the database went away."""
    until = time.monotonic() + 120
    while True:
        try:
            return act()
        except Error:
            if time.monotonic() > until:
                raise
            connection.close()
            close_old_connections()
            time.sleep(0.1)


def main() -> int:
    threads, acknowledged, enough = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    learners = list(Learner.objects.order_by("pk").values_list("pk", flat=True))
    connection.close()
    clients = Clients(acknowledged=acknowledged, enough=enough)
    running = [
        threading.Thread(target=clients.run, args=(learners[number::threads], number))
        for number in range(threads)
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return len(clients.failures)


if __name__ == "__main__":
    sys.exit(main())
