"""A calibrated discrimination says how much an answer tells; success is the tracer's."""

import numpy as np
import pytest

from curriculum.scheduler.placing import item_information
from tests.factories import AT, make_class, make_learner, start_session
from tests.tutor.histories import tracer_of, versions_of
from tutor.registry import services as registry_services
from tutor.registry.models import TracerVersion
from tutor.registry.pinning import PinnedItem, PinnedRun, pin
from tutor.scheduling import replaying
from tutor.scheduling.models import Decision

pytestmark = pytest.mark.django_db


def pinned(course, slopes):
    """Put a run into use in which items differ in their slopes alone."""
    live = TracerVersion.objects.filter(course=course).latest("pk")
    items = {row.pk: PinnedItem(0.0, 0.2, 300) for row in versions_of(course)}
    run = PinnedRun(1, 1, "0" * 64, 0.0, 1.0, 1.0, items, slopes=slopes)
    assert PinnedRun.from_dict(run.to_dict()) == run
    tracer = registry_services.store_tracer(course=course, body=pin(live.body, run), provenance={})
    registry_services.promote(course=course, tracer=tracer, at=AT, reason="")
    return tracer


@pytest.fixture
def newcomer(course):
    found = make_learner(organisation=course.organisation)
    make_class(course=course, users=[found.user])
    return found


def first_situation(newcomer, course):
    course.refresh_from_db()
    start_session(learner=newcomer, course=course)
    decision = Decision.objects.filter(learner=newcomer).earliest("pk")
    assert replaying.decide_again(decision).receipt() == decision.receipt
    return replaying.situation_of(decision), decision


def test_without_a_calibration_every_item_tells_alike(course, newcomer):
    assert tracer_of(course).item_slopes is None
    situation, _ = first_situation(newcomer, course)
    assert situation.discrimination is None


def test_a_newcomer_is_placed_by_what_tells_most(course, newcomer):
    sharp = versions_of(course)[-1]
    pinned(course, {sharp.pk: 3.0})

    situation, decision = first_situation(newcomer, course)

    row = situation.bank.item_ids.tolist().index(sharp.item_id)
    assert decision.reason == "placement"
    assert situation.discrimination[row] == 3.0
    assert np.delete(situation.discrimination, row).tolist() == [1.0] * (situation.bank.n_items - 1)
    information = item_information(situation)
    p = situation.prob
    assert information[row] == pytest.approx(9.0 * p[row] * (1.0 - p[row]))
    assert information.argmax() == row
    assert sharp.item_id in decision.receipt["candidates"]["item"]


def test_expected_success_is_the_tracer_s_whatever_the_slope(course, newcomer):
    sharp = versions_of(course)[-1]
    pinned(course, {sharp.pk: 3.0})
    steep, decision = first_situation(newcomer, course)
    seen = next(
        one.seen
        for one in replaying.walk(replaying.read_past(learner_id=newcomer.pk, course_id=course.pk))
    )
    # One source of arithmetic: what is drawn around is what the tracer is judged by.
    assert (steep.prob == seen.survey.items.prob).all()
    row = steep.bank.item_ids.tolist().index(decision.item_version.item_id)
    assert decision.expected == seen.survey.items.prob[row]
    other = make_learner(organisation=course.organisation)
    make_class(course=course, users=[other.user], name="other")
    pinned(course, {})
    flat, _ = first_situation(other, course)
    assert flat.discrimination is None
    assert (flat.prob == steep.prob).all()
