"""The page on trust: what was said beside what came, and what the deep estimate is worth."""

import datetime as dt

import pytest
from django.urls import reverse

from tests.factories import make_learner
from tests.tutor.histories import tracer_of
from tests.tutor.networks import give_network
from tests.tutor.pages import text
from tests.tutor.scheduling.test_trust import let_answer, let_learners_answer
from tutor.classes import services as class_services
from tutor.common import clock
from tutor.scheduling import judging
from tutor.teacher import trust
from tutor.tracing import due
from tutor.tracing.models import DeepPrediction

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def classroom(classroom, organisation):
    """The class with ten learners."""
    learners = [make_learner(organisation=organisation) for _ in range(10)]
    class_services.enrol(classroom=classroom, learners=learners)
    return classroom


def shown(client, classroom):
    return text(client.get(reverse("teacher:trust", args=[classroom.public_id])))


def test_an_empty_class(client, classroom):
    found = shown(client, classroom)

    assert "No such answer yet" in found
    assert "This course has the quick estimate alone" in found


def test_says_how_good_the_estimates_were(client, classroom):
    give_network(classroom.course)
    let_answer(classroom, good=True, start=clock.now() - 2 * DAY)
    found = shown(client, classroom)

    assert "300 answers of 10 learners" in found
    assert "together they do better" in found
    assert 'together</th><td class="number">300</td>' in found
    assert "does not count" not in found


def test_says_by_topic_what_came_and_what_luck_does(client, classroom):
    """Without a network too: they are the chances that counted."""
    let_answer(classroom, good=True, each=40, start=clock.now() - 2 * DAY, weight=1.0)
    found = shown(client, classroom)
    concepts = tracer_of(classroom.course).bank.concept_ids
    topics = card_of(classroom).topics

    assert "Said and done, by topic" in found
    assert sum(row.found.all.n for row in topics.rows) == 400
    assert len(topics.marks) == len(topics.rows) <= len(concepts)
    for row, mark in zip(topics.rows, topics.marks, strict=True):
        assert row.verdict == ""
        assert not mark.is_off
        assert f"{row.concept.name}</th>{cells(row.found.all.n, row.found.learners)}" in found
        for one in row.found.bins:
            assert one.n >= 20
    assert "within luck" in found


def test_says_which_topics_were_promised_too_much(client, classroom):
    bad, *_ = tracer_of(classroom.course).bank.concept_ids.tolist()
    let_answer(classroom, good=True, each=40, start=clock.now() - 2 * DAY)
    let_answer(
        classroom, good=False, each=40, start=clock.now() - DAY, concepts=[bad], chances=(0.1, 0.3)
    )
    [row] = [row for row in card_of(classroom).topics.rows if row.verdict]

    assert (row.concept.pk, row.verdict) == (bad, "too high")
    assert "too high" in shown(client, classroom)


def card_of(classroom):
    return trust.make_card(classroom=classroom, at=clock.now())


def test_says_where_the_deep_estimate_counts_no_more(client, classroom):
    give_network(classroom.course)
    let_answer(classroom, good=False, start=clock.now() - 2 * DAY)
    judging.judge_course(course=classroom.course, at=clock.now())
    found = shown(client, classroom)

    assert "In this class it does not count at present</strong>, by its own answers" in found
    assert "this class" in found
    assert "whole course" in found
    assert "together they do no better" in found
    assert "counts no more" in found


def test_says_where_it_was_taken_out_of_the_whole_course(client, classroom, organisation):
    """The class itself has no answers yet."""
    course = classroom.course
    give_network(course)
    others = [make_learner(organisation=organisation) for _ in range(10)]
    let_learners_answer(course, others, good=False, start=clock.now() - 2 * DAY)
    judging.judge_course(course=course, at=clock.now())
    found = shown(client, classroom)

    assert "it was taken out of the whole course" in found
    assert "whole course</td>" in found


def test_says_how_old_the_deep_estimates_were(client, classroom):
    tracer = give_network(classroom.course)
    start = clock.now() - 2 * DAY
    made = DeepPrediction.objects.create(
        learner=classroom.learners.first(),
        tracer=tracer,
        made_at=start - dt.timedelta(seconds=40),
        last_response_id=1,
        n_responses=1,
        shifts=b"",
    )
    # Given a minute after each other: the median is the second's, 100 s.
    let_answer(classroom, good=True, each=3, start=start, prediction=made, prediction_lag=1)
    late = {"prediction": made, "prediction_lag": 2, "rung": "stale"}
    let_answer(classroom, good=True, each=1, start=start + 5 * HOUR, **late)
    let_answer(classroom, good=True, each=1, start=start + 6 * HOUR, rung="live")
    found = shown(client, classroom)

    both = "Quick and deep estimate together"
    assert f"{both}</th>{cells('30', '2 min', '1')}" in found
    assert f"Together, the deep one behind</th>{cells('10', '5 h', '2')}" in found
    assert f"Quick estimate alone</th>{cells('10', '–', '–')}" in found


def cells(*values):
    return "".join(f'<td class="number">{value}</td>' for value in values)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (5300, "88 min"),
        (5400, "2 h"),
        (47 * 3600, "47 h"),
        (2e5, "2 days"),
    ],
)
def test_spans_are_said_in_a_fitting_unit(seconds, words):
    assert trust.say_span(seconds).replace("\N{NO-BREAK SPACE}", " ") == words


def test_another_network_is_not_praised_for_the_one_before(client, classroom):
    give_network(classroom.course)
    let_answer(classroom, good=True, start=clock.now() - 2 * DAY)
    give_network(classroom.course, seed=5)
    found = shown(client, classroom)

    assert "300 answers" in found  # what was said and what came
    assert "together they do better" not in found
    assert "By topic" not in found

    let_answer(classroom, good=True, each=4, start=clock.now() - DAY, seed=1)
    found = shown(client, classroom)
    assert "On 40 answers of 10 learners" in found
    assert "340 answers" in found


def test_says_who_waits_and_who_was_left_aside(client, classroom):
    course = classroom.course
    give_network(course)
    first, second = classroom.learners.order_by("pk")[:2]
    now = clock.now()
    due.mark_all(learner_ids=[first.pk, second.pk], course_id=course.pk, at=now, refold=False)
    due.quarantine(due.claim(size=2), learner_id=first.pk, error="broken", now=now)
    found = shown(client, classroom)

    assert "1 learner of the course could not be read" in found
    assert "1 learner waits for the deep estimate" in found
    assert "broken" not in found


def test_queries_do_not_grow_with_the_class(
    client, classroom, organisation, django_assert_max_num_queries
):
    give_network(classroom.course)
    let_answer(classroom, good=True, start=clock.now() - 2 * DAY)
    shown(client, classroom)
    with django_assert_max_num_queries(20):
        shown(client, classroom)
