"""`manage.py mark_due`: the work list after a backup was restored."""

import datetime as dt
import io

import pytest
from django.core.management import CommandError, call_command

from tests.factories import AT
from tests.tutor.histories import record, trace, versions_of
from tests.tutor.networks import give_network
from tutor.tracing import working
from tutor.tracing.models import DeepState, DueLearner

pytestmark = pytest.mark.django_db


def mark_due(*arguments) -> str:
    out = io.StringIO()
    call_command("mark_due", *arguments, stdout=out)
    return out.getvalue()


def answer(learner, course, *, minutes: int) -> None:
    at = AT + dt.timedelta(minutes=minutes)
    version = versions_of(course)[0]
    response = record(learner=learner, course=course, version=version, answered_at=at)
    trace(response, course=course)


@pytest.fixture
def deep_course(course, learner):
    """A course whose learner has one answer that is folded, and nobody due."""
    give_network(course)
    answer(learner, course, minutes=0)
    working.work_off()
    assert DeepState.objects.get().n_responses == 1
    assert not DueLearner.objects.exists()
    return course


def test_finds_whoever_is_behind_without_a_list(deep_course, learner):
    answer(learner, deep_course, minutes=1)
    DueLearner.objects.all().delete()

    assert "1 learners are due" in mark_due("--course", deep_course.slug)
    working.work_off()

    assert DeepState.objects.get().n_responses == 2


def test_leaves_out_whoever_is_up_to_date(deep_course):
    assert "0 learners are due" in mark_due()
    assert not DueLearner.objects.exists()


def test_everybody_is_folded_anew(deep_course, learner):
    DeepState.objects.update(state=b"of another log")

    mark_due("--everybody")
    assert DueLearner.objects.get().refold
    working.work_off()

    assert bytes(DeepState.objects.get().state) != b"of another log"
    assert not DueLearner.objects.exists()


def test_releases_whoever_was_left_aside_only_when_told(deep_course, learner):
    answer(learner, deep_course, minutes=1)
    DueLearner.objects.update(quarantined_at=AT, error="broken", tries=6)

    mark_due()
    assert DueLearner.objects.get().quarantined_at is not None
    assert "1 who were left aside" in mark_due("--release")

    assert DueLearner.objects.get().quarantined_at is None


def test_a_course_without_a_network_has_nobody_due(course):
    assert "no network is in use" in mark_due("--course", course.slug)


def test_says_which_courses_there_are(course):
    with pytest.raises(CommandError, match=course.slug):
        mark_due("--course", "nothing")
