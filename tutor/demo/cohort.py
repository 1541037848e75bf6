"""The simulated cohort: from the stored course to simulated learners and to rows of the log."""

import datetime as dt
import random
import uuid
from collections.abc import Iterator
from typing import Any

from curriculum import simulation
from tutor.content import grading
from tutor.content import selectors as content_selectors
from tutor.content.selectors import CourseBank
from tutor.responses.models import Response

SEED = 20_240_901
LEARNERS = 300
# Simulated answers show one of so many seeds of a template: enough variety, quickly made.
ITEM_SEEDS = 8
KEYS = uuid.UUID("0d7c0c1e-0d53-5a53-8d0c-4b9a2b9c7e21")


def simulate(
    *, bank: CourseBank, end_at: dt.datetime, learners: int = LEARNERS
) -> simulation.Cohort:
    """Return the cohort; the same course and end give the same one."""
    return simulation.simulate_cohort(
        simulated_course(bank), learners=learners, seed=SEED, end_at=end_at.timestamp()
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
        answer, misconception = _answer(version_id, seed, is_correct=is_correct, rng=rng)
        yield Response(
            learner_id=learner_ids[learner],
            client_key=uuid.uuid5(KEYS, f"{learner}:{row}"),
            course_id=bank.course_id,
            item_version_id=version_id,
            seed=seed,
            answer=answer,
            is_correct=is_correct,
            credit=float(is_correct),
            misconception=misconception,
            hints_seen=int(log.hints[row]),
            presented_at=dt.datetime.fromtimestamp(float(log.presented_at[row]), tz=dt.UTC),
            elapsed_ms=int(log.elapsed_ms[row]),
            answered_at=dt.datetime.fromtimestamp(float(log.answered_at[row]), tz=dt.UTC),
            received_at=received_at,
            source="simulation",
        )


def _answer(
    version_id: int, seed: int, *, is_correct: bool, rng: random.Random
) -> tuple[dict[str, Any], str]:
    """Return an answer that is graded as the simulation said, and the mistake it shows."""
    item = content_selectors.get_rendered_item(version_id=version_id, seed=seed)
    if is_correct:
        return grading.right_answer(item), ""
    anticipated = grading.anticipated_answers(item)
    if anticipated:
        misconception, answer = rng.choice(anticipated)
        return answer, misconception
    if item.kind == "multiple_choice":
        return {"choices": [choice.id for choice in item.choices if not choice.is_correct]}, ""
    if item.kind == "single_choice":
        wrong = [choice.id for choice in item.choices if not choice.is_correct]
        return {"choice": rng.choice(wrong)}, ""
    return {"text": "0"} if item.kind != "self_marked" else {"right": False}, ""
