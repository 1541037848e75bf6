"""Delayed probes decide what the fast reward's modes weigh, or leave them as they were."""

import datetime as dt
import itertools

import numpy as np
import pytest

from tests.factories import AT, make_learner
from tutor.content.models import Concept
from tutor.scheduling import surrogate
from tutor.scheduling.models import Decision, DelayedProbe

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def a_school(course, organisation, rng, *, learners, each, staying):
    """Learners with probes whose outcome follows `staying` of what each mode earned, and rows."""
    concepts = list(Concept.objects.filter(course=course))
    rows, probes, numbers = [], [], itertools.count()
    for _ in range(learners):
        learner = make_learner(organisation=organisation)
        for place in range(each):
            concept, at = concepts[place % len(concepts)], AT + 20 * place * DAY
            earned = dict(zip(("learn", "practise"), rng.normal(0.0, 0.15, 2), strict=True))
            practised, asked = (
                Decision.objects.create(
                    learner=learner,
                    course=course,
                    at=when,
                    policy="x",
                    course_revision=1,
                    seed=next(numbers),
                    reason="learn-new",
                    reason_facts={
                        "concept": concept.pk,
                        "concept_prob": 0.5,
                        "item_prob": 0.5,
                    },
                )
                for when in (at, at + 2 * DAY)
            )
            right = 0.5 + sum(staying[mode] * value for mode, value in earned.items())
            probes.append(
                DelayedProbe(
                    learner=learner,
                    course=course,
                    concept=concept,
                    practised=practised,
                    asked=asked,
                    due_at=at + DAY,
                    expires_at=at + 9 * DAY,
                    expected=0.5,
                    credit=float(np.clip(right + rng.normal(0.0, 0.05), 0.0, 1.0)),
                    answered_at=at + 2 * DAY,
                )
            )
            rows += [
                {
                    "learner": str(learner.pseudonym),
                    "arm": f"{concept.pk}:{mode}",
                    "at": at.timestamp(),
                    "reward": value,
                }
                for mode, value in earned.items()
            ]
            # What was earned long before the noted answer, and after the probe, is not its doing.
            rows += [
                {
                    "learner": str(learner.pseudonym),
                    "arm": f"{concept.pk}:learn",
                    "at": (at + days * DAY).timestamp(),
                    "reward": float(rng.normal(0.0, 0.5)),
                }
                for days in (-9, 3)
            ]
    DelayedProbe.objects.bulk_create(probes)
    return rows


def test_gains_that_stay_weigh_more(course, organisation):
    rng = np.random.default_rng(0)
    staying = {"learn": 1.0, "practise": 0.0}
    rows = a_school(course, organisation, rng, learners=70, each=3, staying=staying)

    weights, found = surrogate.weigh_modes(course=course, rows=rows, previous={}, seed=0)

    assert not found.frozen
    assert found.correlation > 0.5
    assert weights["learn"] > 5.0 * abs(weights["practise"])


def test_probes_that_follow_nothing_leave_the_weights(course, organisation):
    rng = np.random.default_rng(1)
    staying = {"learn": 0.0, "practise": 0.0}
    rows = a_school(course, organisation, rng, learners=70, each=3, staying=staying)
    before = {"learn": 0.5, "practise": 1.5, "review": 1.0, "probe": 1.0}

    weights, found = surrogate.weigh_modes(course=course, rows=rows, previous=before, seed=0)

    assert found.frozen
    assert weights == before


def test_few_probes_leave_the_weights_and_say_so(course):
    weights, found = surrogate.weigh_modes(course=course, rows=[], previous={}, seed=0)

    assert set(weights.values()) == {1.0}
    assert "0 probes" in found.reason


def test_a_probe_soon_after_the_last_answer_does_not_count(course, organisation):
    rng = np.random.default_rng(2)
    staying = {"learn": 1.0, "practise": 0.0}
    rows = a_school(course, organisation, rng, learners=70, each=3, staying=staying)
    fresh = [{**row, "at": row["at"] + 1.9 * DAY.total_seconds()} for row in rows]

    _, found = surrogate.weigh_modes(course=course, rows=rows + fresh, previous={}, seed=0)

    assert "0 probes" in found.reason
