"""A class at once says what each learner alone says."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import (
    AT,
    answer_current,
    make_class,
    make_course,
    make_learner,
    make_organisation,
    start_session,
)
from tutor.classes import services as class_services
from tutor.tracing import awards, class_masteries, selectors
from tutor.tracing.bands import Band, Floor, band_of, percent_of, ranks_of
from tutor.tracing.models import AwardStep, LearnerState
from tutor.tracing.standing import pack_floors

PROBS = st.floats(0.0, 1.0) | st.sampled_from([0.65, 0.70, 0.6499999, 0.6999999])


@given(cells=st.lists(st.tuples(PROBS, PROBS, st.integers(0, 6)), min_size=1, max_size=12))
def test_ranks_of_arrays_are_those_of_each_field(cells):
    prob, lower, evidence = (np.array(column) for column in zip(*cells, strict=True))

    found = ranks_of(prob=prob, lower_prob=lower, evidence_n=evidence)

    one_by_one = [band_of(prob=p, lower_prob=low, evidence_n=n).rank for p, low, n in cells]
    assert found.tolist() == one_by_one


@given(prob=st.floats(0.0, 1.0))
def test_a_percentage_is_that_of_what_the_api_tells(prob):
    assert percent_of(prob) == percent_of(round(prob, 4))
    assert abs(percent_of(prob) - 100 * prob) <= 0.5 + 0.0051


@pytest.mark.parametrize(("prob", "percent"), [(0.285, 29), (0.145, 15), (0.565, 57), (1.0, 100)])
def test_half_a_percentage_goes_up_whatever_its_binary_digits(prob, percent):
    assert percent_of(prob) == percent


@pytest.mark.django_db
class TestReadClass:
    def make(self):
        course = make_course(organisation=make_organisation())
        classroom = make_class(course=course)
        learners = [make_learner(organisation=course.organisation) for _ in range(4)]
        class_services.enrol(classroom=classroom, learners=learners)
        for number, learner in enumerate(learners[:3]):
            session = start_session(learner=learner, course=course)
            for step in range(3 * number + 2):
                answer_current(session, right=(step + number) % 3 != 0)
        course.refresh_from_db()
        return course, learners

    def test_is_each_learners_own_masteries(self):
        course, learners = self.make()
        # A floor that holds, and one that has run out.
        [state, old] = LearnerState.objects.filter(learner__in=learners[1:3]).order_by("learner")
        pk = course.concepts.first().pk
        for row, since in ((state, AT), (old, AT - dt.timedelta(days=3))):
            row.floors = pack_floors({pk: Floor(Band.MASTERED, since.timestamp())})
            row.save()
        at = AT + dt.timedelta(hours=2)

        found = class_masteries.read_class(
            learner_ids=[learner.pk for learner in learners], course=course, at=at
        )

        held = []
        for row, learner in enumerate(learners):
            own = selectors.get_masteries(learner=learner, course=course, at=at)
            for column, mastery in enumerate(own.values()):
                place = (row, column)
                held.append(mastery.is_held)
                assert found.concept_ids[column] == mastery.concept_id
                assert found.prob[place] == mastery.prob
                assert found.lower_prob[place] == mastery.lower_prob
                assert found.evidence_n[place] == mastery.evidence_n
                assert found.rank[place] == mastery.band.rank
        assert any(held)

    def test_of_nobody_is_empty(self):
        course, _ = self.make()

        found = class_masteries.read_class(learner_ids=[], course=course, at=AT)

        assert found.rank.shape == (0, 3)
        assert set(found.counts(0).values()) == {0}

    def test_awards_of_many_are_those_of_each(self):
        course, learners = self.make()
        concept = course.concepts.first()
        tracer = selectors.get_tracer(course_id=course.pk, revision=course.revision)
        for learner, percent in zip(learners[:2], (70, 50), strict=True):
            AwardStep.objects.create(
                learner=learner,
                concept=concept,
                percent=percent,
                step=AwardStep.Step.AWARD,
                response=learner.responses.first(),
                tracer_id=tracer.tracer_id,
                lower_prob=0.8,
                at=AT,
                given_at=AT,
            )

        found = awards.list_award_days(
            course_id=course.pk, learner_ids=[learner.pk for learner in learners]
        )

        each = [
            (learner.pk, pk, at)
            for learner in learners
            for pk, at in selectors.list_awards(learner=learner, course=course).items()
        ]
        assert found == each == [(learners[0].pk, concept.pk, AT)]
