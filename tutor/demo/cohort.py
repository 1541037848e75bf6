"""The simulated cohort: from the stored course to simulated learners and to rows of the log."""

import datetime as dt
import random
import uuid
from collections.abc import Iterator

from curriculum import simulation
from tutor.content import selectors as content_selectors
from tutor.content.selectors import CourseBank
from tutor.demo import answers
from tutor.responses.models import Response

SEED = 20_240_901
LEARNERS = 1000
SOURCE = "simulation"
# True states are recorded after so many answers, or after the last one if there are fewer.
PLAN = simulation.CohortPlan(snapshot_after=(1_000_000,))
# Simulated answers show one of so many seeds of a template: enough variety, quickly made.
ITEM_SEEDS = 8
Cohort = simulation.Cohort
KEYS = uuid.UUID("0d7c0c1e-0d53-5a53-8d0c-4b9a2b9c7e21")


def simulate(*, bank: CourseBank, end_at: dt.datetime, learners: int) -> simulation.Cohort:
    """Return the cohort with its true states right after everybody's last answer.

    The same course and end give the same one.
    """
    return simulation.simulate_cohort(
        simulated_course(bank),
        learners=learners,
        seed=SEED,
        end_at=end_at.timestamp(),
        plan=PLAN,
    )


def simulated_course(bank: CourseBank) -> simulation.SimulatedCourse:
    """Return what the simulation needs to know of a stored course."""
    prerequisites: list[list[int]] = [[] for _ in bank.concept_ids]
    for concept, required in bank.requires:
        prerequisites[concept].append(required)
    items = []
    for index, version_id in enumerate(bank.version_ids.tolist()):
        body = content_selectors.get_version_body(version_id=version_id)
        items.append(
            simulation.SimulatedItem(
                concepts=tuple(c for c in bank.concepts[index].tolist() if c >= 0),
                difficulty=float(bank.difficulty[index]),
                guess=simulation.guess_prob(body["kind"], options=len(body["choices"])),
            )
        )
    return simulation.SimulatedCourse(
        prerequisites=tuple(tuple(own) for own in prerequisites), items=tuple(items)
    )


def client_key(*, learner: int, row: int) -> uuid.UUID:
    """Return the key under which an answer of the cohort stands in the log."""
    return uuid.uuid5(KEYS, f"{learner}:{row}")


def iterate_responses(
    *,
    cohort: simulation.Cohort,
    bank: CourseBank,
    learner_ids: list[int],
    received_at: dt.datetime,
) -> Iterator[Response]:
    """Yield the cohort's answers as rows of the log, with an answer as a learner would give it."""
    log = cohort.responses
    for row in range(len(log.learner)):
        learner, item = int(log.learner[row]), int(log.item[row])
        version_id = int(bank.version_ids[item])
        rng = random.Random(f"{SEED}:{row}")
        seed = rng.randrange(ITEM_SEEDS)
        is_correct = bool(log.correct[row])
        item = content_selectors.get_rendered_item(version_id=version_id, seed=seed)
        given = answers.right(item) if is_correct else answers.wrong(item, rng=rng)
        yield Response(
            learner_id=learner_ids[learner],
            client_key=client_key(learner=learner, row=row),
            course_id=bank.course_id,
            item_version_id=version_id,
            seed=seed,
            answer=given.answer,
            is_correct=is_correct,
            credit=given.credit,
            misconception=given.misconception,
            hints_seen=int(log.hints[row]),
            presented_at=dt.datetime.fromtimestamp(float(log.presented_at[row]), tz=dt.UTC),
            elapsed_ms=int(log.elapsed_ms[row]),
            answered_at=dt.datetime.fromtimestamp(float(log.answered_at[row]), tz=dt.UTC),
            received_at=received_at,
            source=SOURCE,
        )
