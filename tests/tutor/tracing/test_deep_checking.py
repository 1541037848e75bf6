"""States and predictions of a network beside the whole log: what differs is found."""

import datetime as dt
import io
import math

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from tests.factories import AT
from tests.tutor.histories import tracer_of
from tests.tutor.networks import give_network
from tests.tutor.tracing.test_deep_torn import answers
from tutor.registry import networks
from tutor.tracing import deep_checking, working
from tutor.tracing.models import DeepPrediction, DeepState
from tutor.tracing.shifts import Shifts

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


@pytest.fixture
def folded(course, learner):
    """Twelve answers, in passes of a few."""
    give_network(course)
    for start in (0, 5, 9):
        answers(learner, course, min(4, 12 - start), start=start)
        working.work_off(now=lambda: AT + DAY)
    return learner


def check(course):
    # Later than any prediction was made.
    return list(deep_checking.check_everybody(tracer=tracer_of(course), now=AT + 9 * DAY))


def change_state(course, by):
    """Move one number of the stored state."""
    row = DeepState.objects.get()
    model = networks.open_network(tracer_of(course).deep.network_id)
    states = model.unpack([bytes(row.state)])
    name = next(name for name, array in states.items() if array.dtype == np.float32)
    states[name] = states[name].copy()
    flat = states[name].reshape(-1)
    place = int(np.argmax(np.abs(flat) <= 1.0))
    flat[place] += np.float32(by)
    row.state = model.pack(states)[0]
    row.save()


def test_what_is_whole_is_the_same(folded, course):
    [found] = check(course)

    assert found.learner_id == folded.pk
    assert found.apart <= 5e-7
    assert found.steps in {0, 1}
    assert (found.is_same, found.is_same_prediction) == (True, True)


@pytest.mark.parametrize(("by", "is_same"), [(5e-7, True), (5e-6, False)])
def test_a_state_that_differs_is_found(folded, course, by, is_same):
    change_state(course, by)

    [found] = check(course)
    assert found.is_same is is_same
    assert found.apart == pytest.approx(by, rel=0.3)


def test_a_prediction_that_differs_is_found(folded, course):
    row = DeepPrediction.objects.latest("pk")
    told = Shifts.from_bytes(bytes(row.shifts))
    steps = told.steps.copy()
    steps[0] += 3 if steps[0] < 0 else -3
    DeepPrediction.objects.filter(pk=row.pk).update(
        shifts=Shifts(told.version_ids, steps).to_bytes()
    )

    [found] = check(course)
    assert (found.is_same, found.is_same_prediction) == (True, False)
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 states differ"):
        call_command("rebuild_states", "--check", stdout=said, stderr=io.StringIO())
    assert "0 of 1 newest predictions" in said.getvalue()


def test_a_prediction_that_has_not_seen_all_is_not_compared(folded, course):
    DeepPrediction.objects.latest("pk").delete()

    [found] = check(course)
    assert found.steps is None


def test_a_state_that_is_missing_is_found(folded, course):
    DeepState.objects.all().delete()

    [found] = check(course)
    assert (found.apart, found.is_same) == (math.inf, False)
