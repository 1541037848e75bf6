"""Tracer versions: numbered, never overwritten, promoted in turn."""

import pytest

from tests.factories import AT, make_learner
from tests.tutor.histories import bulk_history
from tutor.common.append_only import RowIsFinal
from tutor.registry import selectors, services, training
from tutor.registry.errors import TooFewAnswers
from tutor.registry.models import Promotion, TracerVersion

pytestmark = pytest.mark.django_db

BODY = {"parameters": {}, "intercept": 0.1, "item_offsets": {}, "reference_offsets": {}}


def store(course, **fields):
    return services.store_tracer(course=course, body={**BODY, **fields}, provenance={"seed": 1})


class TestStoreTracer:
    def test_counts_on(self, course):
        assert [store(course, intercept=i).number for i in (0.2, 0.3)] == [2, 3]

    def test_knows_an_equal_body_again(self, course):
        first = store(course, item_offsets={"1": 0.5, "2": 0.7})

        assert store(course, item_offsets={"2": 0.7, "1": 0.5}) == first

    def test_is_final(self, course):
        version = store(course)
        version.body = {}

        with pytest.raises(RowIsFinal):
            version.save()
        with pytest.raises(RowIsFinal):
            TracerVersion.objects.update(body={})


class TestPromote:
    def test_makes_the_newest_promotion_live_and_raises_the_revision(self, course):
        first, second = selectors.get_live_tracer(course_id=course.pk), store(course)
        revision = course.revision

        for version in (second, first):
            services.promote(course=course, tracer=version, at=AT, reason="test")
            assert selectors.get_live_tracer(course_id=course.pk) == version

        course.refresh_from_db()
        assert course.revision == revision + 2
        assert Promotion.objects.count() == 3


class TestFitFilter:
    def test_refuses_a_log_that_is_too_small(self, organisation, course):
        learner = make_learner(organisation=organisation)
        bulk_history(learner=learner, course=course, size=training.MINIMUM_ANSWERS)

        with pytest.raises(TooFewAnswers) as caught:
            training.fit_filter(course=course, reference_offsets=lambda *_: {}, at=AT)
        assert caught.value.facts == {"answers": training.MINIMUM_ANSWERS, "learners": 1}
        assert TracerVersion.objects.count() == 1


class TestReadLog:
    def test_gives_every_standing_answer_with_its_help(self, organisation, course):
        learners = [make_learner(organisation=organisation) for _ in range(2)]
        for learner in learners:
            bulk_history(learner=learner, course=course, size=7, seed=learner.pk)

        log = training.read_log(course=course)

        assert len(log) == 14
        assert set(log.learner_keys) == {str(learner.pk) for learner in learners}
