"""Tracer versions: numbered, never overwritten, promoted in turn."""

import numpy as np
import pytest

from kt_models.data.log import build_log
from tests.factories import AT, make_learner
from tests.tutor.histories import bulk_history
from tutor.common.append_only import RowIsFinal
from tutor.content import selectors as content_selectors
from tutor.registry import selectors, services, training
from tutor.registry.errors import TooFewAnswers
from tutor.registry.models import Promotion, TracerVersion
from tutor.responses import selectors as selectors_of_responses

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

    def test_is_the_log_that_names_would_give(self, organisation, course):
        """The twin: `build_log` from rows and names, which numbers everything by itself."""
        for _ in range(3):
            learner = make_learner(organisation=organisation)
            bulk_history(learner=learner, course=course, size=40, seed=learner.pk)
        rows = list(selectors_of_responses.iterate_fold_rows(course_id=course.pk))
        concepts = content_selectors.get_concepts_of_version
        expected = build_log(
            learners=[str(row.learner_id) for row in rows],
            items=[str(row.version_id) for row in rows],
            concepts=[tuple(map(str, concepts(version_id=row.version_id))) for row in rows],
            correct=np.array([row.credit for row in rows]),
            answered_at=np.array([row.answered_at.timestamp() for row in rows]),
        )

        found = training.read_log(course=course)

        assert named(found) == named(expected)
        for name in ("starts", "correct", "answered_at", "shown_at", "assisted"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert found.learner_keys == expected.learner_keys


def named(log):
    """Item and concepts of every answer by their names."""
    concepts = [{log.concept_keys[k] for k in own if k >= 0} for own in log.concepts.tolist()]
    return list(zip([log.item_keys[i] for i in log.item.tolist()], concepts, strict=True))
