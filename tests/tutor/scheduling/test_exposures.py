"""Items that many learners were given: counted at night, held back from the next day on."""

import datetime as dt

import pytest

from tests.factories import AT, answer_current, make_class, make_learner, start_session
from tutor.common import cache
from tutor.content.models import Course
from tutor.scheduling import exposures, replaying
from tutor.scheduling.models import Decision, ItemExposure

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def shown(learner, course, *, at=AT, answers=1):
    """Give a learner the first items of a sitting."""
    session = start_session(learner=learner, course=course, at=at, draw_seed=1)
    for number in range(answers):
        answer_current(session, at=at + (number + 1) * dt.timedelta(minutes=1), draw_seed=number)


def items_of(course):
    rows = Decision.objects.filter(course=course, item_version__isnull=False)
    return list(rows.values_list("learner", "item_version__item").distinct())


class TestCounting:
    def test_learners_are_counted_once_for_every_item_they_were_given(self, course):
        for _ in range(2):
            shown(make_learner(organisation=course.organisation), course, answers=3)

        row = exposures.count_course(course=course, at=AT + dt.timedelta(hours=1))

        pairs = items_of(course)
        assert row.learners == 2
        assert row.given == {str(item): sum(one == item for _, one in pairs) for _, item in pairs}
        assert row.day == AT.date() + DAY

    def test_a_night_counts_once_and_only_what_was_given_of_late(self, course, learner):
        shown(learner, course)

        assert exposures.count_all(at=AT + DAY) == 1
        assert exposures.count_all(at=AT + DAY) == 0
        assert exposures.count_all(at=AT + 31 * DAY) == 0
        assert ItemExposure.objects.count() == 1


class TestWhatHolds:
    def count(self, course, day, learners):
        return ItemExposure.objects.create(course=course, day=day, learners=learners, given={})

    def test_a_count_holds_from_its_day_on_for_a_week(self, course):
        self.count(course, AT.date(), 10)
        self.count(course, AT.date() + 2 * DAY, 12)

        found = [exposures.find_counts(course_id=course.pk, at=AT + n * DAY) for n in range(-1, 10)]

        assert [one and one.learners for one in found] == [
            None, 10, 10, 12, 12, 12, 12, 12, 12, 12, None,
        ]  # fmt: skip

    def test_it_is_read_once_a_day(self, course, django_assert_num_queries):
        self.count(course, AT.date(), 10)
        with django_assert_num_queries(1):
            for _ in range(3):
                exposures.find_counts(course_id=course.pk, at=AT)


class TestInAChoice:
    def test_what_all_others_had_gives_way_and_the_choice_can_be_made_again(self, course, learner):
        make_class(course=course, users=[learner.user])
        shown(learner, course)
        first = Decision.objects.filter(learner=learner).order_by("pk")[0]
        favourite = first.item_version.item_id
        ItemExposure.objects.create(
            course=course, day=AT.date() + DAY, learners=100, given={str(favourite): 100}
        )
        cache.clear_all()
        other = make_learner(organisation=course.organisation)
        make_class(course=course, users=[other.user], name="other")
        course = Course.objects.get(pk=course.pk)

        shown(other, course, at=AT + DAY, answers=2)

        for decision in Decision.objects.filter(learner=other, item_version__isnull=False):
            assert decision.item_version.item_id != favourite
            assert decision.receipt["removed"]["over-exposed"] == 1
            assert decision.fallback == ""
            assert replaying.decide_again(decision).receipt() == decision.receipt
        # Those of before stay what they were.
        assert "over-exposed" not in first.receipt["removed"]
        assert replaying.decide_again(first).receipt() == first.receipt
