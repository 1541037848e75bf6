"""How long an import's fit and folds will take; the figures themselves are benchmarked."""

import itertools

import pytest

from kt_models.training import psi_filter as training
from tests.factories import AT, make_learner
from tests.tutor.histories import bulk_history
from tutor.registry import services as registry_services
from tutor.registry import training as registry_training
from tutor.tracing import adoption, bulk, estimating

pytestmark = pytest.mark.django_db

BODY = {"parameters": {}, "intercept": 0.1, "item_offsets": {}, "reference_offsets": {}}


def model(answers, learners):
    return estimating.fit_seconds(answers=answers) + estimating.fold_seconds(
        answers=answers, learners=learners
    )


def clock(*, update):
    """A timer by which an update of the yardstick takes `update` seconds."""
    return itertools.chain.from_iterable((t, t + 100 * update) for t in itertools.count()).__next__


def record_fit(course, *, answers, slowness):
    seconds = slowness * estimating.fit_seconds(answers=answers)
    registry_services.store_tracer(
        course=course,
        body={**BODY, "intercept": seconds},
        provenance={"answers": answers, "seconds": seconds},
    )


class TestEstimateSeconds:
    @pytest.mark.parametrize("slowness", [0.5, 1.0, 4.0])
    def test_is_held_against_the_yardstick_before_the_first_fit(self, course, slowness):
        found = adoption.estimate_seconds(
            answers=900_000,
            learners=2_000,
            timer=clock(update=slowness * estimating.UPDATE),
        )

        assert found == pytest.approx(slowness * model(900_000, 2_000))

    def test_goes_by_the_newest_fits_where_there_are_some(self, course):
        for slowness in (9.0, 9.0, 9.0, 9.0, 1.0, 2.0, 3.0, 2.0, 2.5):
            record_fit(course, answers=200_000, slowness=slowness)
        record_fit(course, answers=700, slowness=50.0)

        found = adoption.estimate_seconds(answers=10**6, learners=100, timer=clock(update=1.0))

        assert found == pytest.approx(2.25 * model(10**6, 100))

    def test_the_yardstick_is_quick(self, course):
        assert 0.0 < adoption.estimate_seconds(answers=1_000, learners=10) < 300.0

    def test_grows_with_answers_and_learners(self):
        assert model(2_000_000, 10) > model(1_000_000, 10) > model(100_000, 10) > model(10, 10)
        assert model(10**6, 20_000) > model(10**6, 10) + 2.0

    def test_knows_the_sizes_that_heavy_modules_name(self):
        assert estimating.SAMPLE_ANSWERS == training.SAMPLE_ANSWERS
        assert estimating.COMPILED_FROM == bulk.COMPILED_FROM


def test_a_fit_leaves_its_seconds_and_its_sample(organisation, course, monkeypatch):
    monkeypatch.setattr(training, "SAMPLE_ANSWERS", (100, 150))
    for number in range(registry_training.MINIMUM_LEARNERS):
        learner = make_learner(organisation=organisation)
        bulk_history(learner=learner, course=course, size=50, seed=number)

    version = adoption.fit_and_adopt(course=course, at=AT, reason="test")

    told = version.provenance
    assert (told["answers"], told["learners"]) == (500, 10)
    assert (told["sample_answers"], told["sample_learners"]) == (150, 3)
    assert told["seconds"] > 0.0
