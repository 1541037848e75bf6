"""Facts are reviewed by FSRS: over the whole log, kept between answers, and made again from it."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from tests.factories import (
    AT,
    answer_current,
    make_class,
    make_course,
    set_scheduling,
    small_course_spec,
    start_session,
)
from tests.tutor.histories import correct, record, tracer_of, versions_of
from tutor.content import services as content_services
from tutor.content.models import Concept, ItemVersionConcept
from tutor.content.selectors import get_bank
from tutor.responses import selectors as response_selectors
from tutor.responses.importing.stored_course import read_spec
from tutor.scheduling import engine, remembering, replaying, reviews
from tutor.scheduling.models import Decision, FactMemories
from tutor.tracing import engine as tracing_engine
from tutor.tracing import rebuilding
from tutor.tracing import selectors as tracing_selectors

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)
# Of a read: the row, what came since, and the row again.
STATEMENTS = 3


@pytest.fixture
def course(course):
    """The small course, in which the names of things are facts."""
    spec = small_course_spec()
    concepts = tuple(
        dataclasses.replace(concept, is_fact=concept.slug == "naming") for concept in spec.concepts
    )
    content_services.load_course(
        organisation=course.organisation, spec=dataclasses.replace(spec, concepts=concepts)
    )
    course.refresh_from_db()
    return course


@pytest.fixture
def naming(course):
    return Concept.objects.get(course=course, slug="naming").pk


def from_the_log(learner, course, concept):
    """The slow twin: all answers on the concept, one after the other."""
    memory = None
    for row in response_selectors.iterate_fold_rows(course_id=course.pk, learner_ids=[learner.pk]):
        if row.attempt == 1 and concept in [
            link.concept_id for link in ItemVersionConcept.objects.filter(version=row.version_id)
        ]:
            credit = 0.0 if row.hints_seen else row.credit
            memory = engine.remember(memory, at=row.answered_at.timestamp(), credit=credit)
    return None if memory is None else memory.stability


def stability(learner, course, *, at=AT + 40 * DAY):
    tracer = tracer_of(course)
    state = tracing_selectors.get_state(learner_id=learner.pk, tracer=tracer)
    seen = tracing_engine.see(tracer, state, at=at.timestamp())
    return remembering.read_stability(learner_id=learner.pk, tracer=tracer, seen=seen)


def refold(learner, course):
    tracer = tracer_of(course)
    list(rebuilding.fold(tracer=tracer, learner_ids=[learner.pk]))


def answer_on(course, learner, *, days, slug="naming", **fields):
    own = next(one for one in versions_of(course) if one.concepts.filter(slug=slug).exists())
    at = AT + days * DAY
    return record(
        learner=learner, course=course, version=own, answered_at=at, received_at=at, **fields
    )


def test_a_flag_on_a_concept_is_loaded_kept_and_read_back(course):
    bank = get_bank(course_id=course.pk, revision=course.revision)

    assert bank.is_fact.tolist() == [slug == "naming" for slug in bank.concept_slugs]
    assert [one.slug for one in read_spec(course=course).concepts if one.is_fact] == ["naming"]


@pytest.mark.slow
def test_practising_keeps_the_memory_and_every_choice_is_made_again(course, learner, naming):
    set_scheduling(make_class(course=course, users=[learner.user]))
    for day in (0, 2, 9):
        course.refresh_from_db()
        session = start_session(learner=learner, course=course, at=AT + day * DAY, draw_seed=day)
        number = 0
        while session.finished_at is None:
            number += 1
            at = AT + day * DAY + number * MINUTE
            answer_current(session, right=number % 4 != 0, at=at, draw_seed=number)

    told = stability(learner, course)

    assert set(told) == {naming}
    assert told[naming] == pytest.approx(from_the_log(learner, course, naming), rel=1e-12)
    decisions = Decision.objects.order_by("pk")
    for decision in decisions:
        assert replaying.decide_again(decision).receipt() == decision.receipt
    situation = replaying.situation_of(decisions.last())
    known = situation.fact_stability[~np.isnan(situation.fact_stability)]
    assert known.tolist() == pytest.approx([told[naming]], rel=1e-12)


def test_a_history_from_elsewhere_is_folded_at_first_sight(course, learner, naming):
    for days, credit in ((0, 1.0), (3, 1.0), (10, 0.0), (14, 1.0)):
        answer_on(course, learner, days=days, credit=credit, is_correct=credit == 1.0)
    refold(learner, course)

    assert stability(learner, course)[naming] == pytest.approx(
        from_the_log(learner, course, naming), rel=1e-12
    )


def test_late_answers_and_corrections_are_folded_in_their_place(course, learner, naming):
    first = answer_on(course, learner, days=0)
    answer_on(course, learner, days=8)
    refold(learner, course)
    before = stability(learner, course)[naming]

    answer_on(course, learner, days=4, is_correct=False, credit=0.0)
    refold(learner, course)
    late = stability(learner, course)[naming]
    correct(first)
    refold(learner, course)
    corrected = stability(learner, course)[naming]

    assert len({before, late, corrected}) == 3
    assert corrected == pytest.approx(from_the_log(learner, course, naming), rel=1e-12)


def test_a_further_try_says_nothing_and_help_is_no_recall(course, learner, naming):
    answer_on(course, learner, days=0, is_correct=False, credit=0.0)
    refold(learner, course)
    once = stability(learner, course)[naming]
    answer_on(course, learner, days=0.001, attempt=2)
    refold(learner, course)
    assert stability(learner, course)[naming] == once

    answer_on(course, learner, days=1, hints_seen=1)
    refold(learner, course)
    wrong_twice = [engine.remember(None, at=AT.timestamp(), credit=0.0)]
    wrong_twice.append(engine.remember(wrong_twice[0], at=(AT + DAY).timestamp(), credit=0.0))
    assert stability(learner, course)[naming] == pytest.approx(wrong_twice[1].stability)


def test_costs_a_statement_or_two_once_it_is_kept(
    course, learner, naming, django_assert_num_queries
):
    for days in range(4):
        answer_on(course, learner, days=days)
    refold(learner, course)
    tracer = tracer_of(course)
    state = tracing_selectors.get_state(learner_id=learner.pk, tracer=tracer)
    seen = tracing_engine.see(tracer, state, at=(AT + 5 * DAY).timestamp())
    # Before anything is kept, and then after an answer and after another try, which is kept apart.
    with django_assert_num_queries(3):
        remembering.read_stability(learner_id=learner.pk, tracer=tracer, seen=seen)
    with django_assert_num_queries(1):
        remembering.read_stability(learner_id=learner.pk, tracer=tracer, seen=seen)
    for days, attempt in ((6, 1), (6.001, 2), (7, 1)):
        wrong = {"is_correct": False, "credit": 0.0} if days == 6 else {}
        answer_on(course, learner, days=days, attempt=attempt, **wrong)
        refold(learner, course)
        with django_assert_num_queries(2 + STATEMENTS):
            told = stability(learner, course)
        assert told[naming] == pytest.approx(from_the_log(learner, course, naming), rel=1e-12)
    row = FactMemories.objects.get()
    row.body[str(naming)] = row.body[str(naming)][:5]
    row.save()
    assert stability(learner, course) == told


def test_what_cannot_be_remembered_ends_no_lesson(course, learner, monkeypatch):
    answer_on(course, learner, days=-3)
    refold(learner, course)

    def broken(*_, **__):
        raise ZeroDivisionError("injected")

    monkeypatch.setattr(remembering, "fold", broken)
    decision = start_session(learner=learner, course=course, at=AT).current

    assert decision.item_version is not None
    assert decision.fallback == ""


def test_the_calendar_of_reviews_looks_at_the_memory(course, learner, naming, monkeypatch):
    for days in range(4):
        answer_on(course, learner, days=days)
    refold(learner, course)
    looked_at = []

    def spy(situation):
        looked_at.append(situation.fact_stability)
        return find_due(situation)

    find_due = reviews.find_due
    monkeypatch.setattr(reviews, "find_due", spy)
    reviews.list_reviews(learner=learner, course=course, at=AT + 4 * DAY, days=2)

    assert not FactMemories.objects.exists()
    told = stability(learner, course)[naming]
    assert [known[~np.isnan(known)].tolist() for known in looked_at] == [[told]] * 2


def test_a_course_without_facts_reads_nothing(learner, organisation, django_assert_num_queries):
    plain = make_course(organisation=organisation)
    answer_on(plain, learner, days=0)
    refold(learner, plain)
    tracer = tracer_of(plain)
    state = tracing_selectors.get_state(learner_id=learner.pk, tracer=tracer)
    seen = tracing_engine.see(tracer, state, at=AT.timestamp())

    with django_assert_num_queries(0):
        assert remembering.read_stability(learner_id=learner.pk, tracer=tracer, seen=seen) == {}
    assert not FactMemories.objects.exists()
