"""The deep estimate counts in what is chosen, and nothing stops without it."""

import datetime as dt

import numpy as np
import pytest

from tests.factories import AT, answer_current, make_class, start_session
from tests.tutor.histories import tracer_of
from tests.tutor.networks import POOL, give_network
from tutor.classes.models import Classroom
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.practice.usecases import finish_practice
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.scheduling import engine, replaying, services
from tutor.scheduling.conduct import make_conduct
from tutor.scheduling.models import Decision
from tutor.scheduling.plans import Plan, Recent
from tutor.tracing import deep, selectors, working
from tutor.tracing import engine as tracing_engine
from tutor.tracing import services as tracing_services
from tutor.tracing.models import DeepPrediction, DeepStanding, DueLearner

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


def practise(learner, course, *, answers, at=AT, workers=True):
    """Answer some questions; with workers their predictions are there before the next one."""
    session = start_session(learner=learner, course=course, at=at, draw_seed=1)
    for number in range(1, answers + 1):
        moment = at + number * MINUTE
        answer_current(session, right=number % 3 != 0, at=moment, draw_seed=number)
        if workers:
            working.work_off(now=lambda moment=moment: moment + MINUTE / 6)
        session.refresh_from_db()
        if session.finished_at is not None:
            return
    finish_practice(learner=learner, session=session, at=at + (answers + 1) * MINUTE)


def decide(course, learner, *, prediction, at):
    """What is chosen for the learner if this is the deep prediction at hand."""
    tracer = tracer_of(course)
    opened = tracing_services.open_state(learner_id=learner.pk, tracer=tracer)
    seen = tracing_engine.see(
        tracer,
        opened.learner,
        at=at.timestamp(),
        prediction=prediction,
        n_responses=opened.n_responses,
    )
    chosen = engine.choose(
        tracer=tracer,
        seen=seen,
        plan=Plan(goal_concepts=(), answered=0, planned=10),
        conduct=make_conduct(
            policy="gain-softmax", version=None, settings_id=None, explores=False, kill_switch=False
        ),
        recent=Recent(),
        at=at.timestamp(),
        seed=3,
    )
    return seen, chosen.receipt()


@pytest.fixture
def deep_course(course):
    give_network(course)
    return course


def test_another_deep_prediction_gives_other_chances(deep_course, learner):
    practise(learner, deep_course, answers=4)
    found = selectors.get_prediction(learner_id=learner.pk, tracer=tracer_of(deep_course))
    at = AT + 5 * MINUTE
    other = deep.Shifts.of(
        found.shifts.version_ids, np.where(np.arange(len(found.shifts.steps)) % 2, 2.0, -2.0)
    )
    moved = deep.Prediction(found.pk, found.n_responses, found.at, other)

    _, with_it = decide(deep_course, learner, prediction=found, at=at)
    _, with_other = decide(deep_course, learner, prediction=moved, at=at)
    _, again = decide(deep_course, learner, prediction=found, at=at)

    assert with_it == again
    assert with_it["arms"] != with_other["arms"]


def test_without_workers_the_filter_chooses(deep_course, learner):
    practise(learner, deep_course, answers=4)
    found = selectors.get_prediction(learner_id=learner.pk, tracer=tracer_of(deep_course))
    # So many answers later nobody has looked again: the shifts count for nothing any more.
    practise(learner, deep_course, answers=len(POOL["lags"]), at=AT + 10 * MINUTE, workers=False)
    at = AT + 30 * MINUTE

    seen, with_it = decide(deep_course, learner, prediction=found, at=at)
    _, without = decide(deep_course, learner, prediction=None, at=at)

    assert seen.rung is deep.Rung.LIVE
    assert with_it == without


def test_an_answer_waits_for_nobody_and_says_what_it_stood_on(deep_course, learner):
    practise(learner, deep_course, answers=6, workers=False)

    decisions = list(Decision.objects.order_by("pk"))
    assert [row.rung for row in decisions] == ["difficulty", *["live"] * 6]
    assert all(row.prediction is None and row.expected == row.expected_live for row in decisions)
    assert DueLearner.objects.get().marks == 6


def test_decisions_name_what_they_stood_on(deep_course, learner):
    practise(learner, deep_course, answers=6)

    first, second, *others = Decision.objects.order_by("pk")
    assert (first.rung, second.rung) == ("difficulty", "live")
    assert {row.rung for row in others} == {"deep"}
    # The prediction has seen all but the answer that was just given.
    assert {row.prediction_lag for row in others} == {1}
    for row in others:
        assert row.prediction.n_responses == row.pk - first.pk - 1
        assert row.expected != row.expected_live
        between = sorted([row.expected_live, row.expected_deep])
        assert between[0] - 1e-9 <= row.expected <= between[1] + 1e-9


@pytest.fixture
def predicted(deep_course, learner):
    """A learner with a prediction, and the decision that comes next, the prediction changed."""
    practise(learner, deep_course, answers=4)

    def next_decision():
        start_session(learner=learner, course=deep_course, at=AT + 6 * MINUTE, draw_seed=9)
        return Decision.objects.order_by("-pk")[0]

    return next_decision


def test_a_choice_of_what_was_not_predicted_stands_on_the_filter(predicted):
    nothing = deep.Shifts.of(np.array([], dtype=np.int64), np.array([]))
    DeepPrediction.objects.update(shifts=nothing.to_bytes())

    row = predicted()

    assert row.prediction is not None
    assert (row.rung, row.prediction_weight) == ("live", 0.0)
    assert row.expected == row.expected_live


def test_a_choice_in_a_topic_where_it_is_not_trusted_stands_on_the_filter(
    predicted, deep_course, learner
):
    make_class(course=deep_course, users=[learner.user])
    [classroom] = Classroom.objects.filter(course=deep_course)
    tracer = tracer_of(deep_course)
    # Some topic is trusted, and it is not the one that comes next.
    *distrusted, _ = tracer.bank.concept_ids.tolist()
    for concept in distrusted:
        DeepStanding.objects.create(
            course=deep_course,
            classroom=classroom,
            concept_id=concept,
            counts=False,
            tracer_id=tracer.tracer_id,
            at=AT,
            evidence={},
        )
    content_services.raise_revision(course=deep_course)
    deep_course.refresh_from_db()

    row = predicted()
    concept = content_selectors.get_concepts_of_version(version_id=row.item_version_id)[0]
    assert row.prediction_weight > 0
    assert concept in distrusted
    assert row.rung == "live"
    assert row.expected == row.expected_live != row.expected_deep


def test_an_item_has_the_rung_of_its_own_estimate(deep_course, learner):
    practise(learner, deep_course, answers=4)
    tracer = tracer_of(deep_course)
    bank = tracer.bank
    found = selectors.get_prediction(learner_id=learner.pk, tracer=tracer)
    first = bank.concepts[:, 0] == 0
    kept = np.isin(found.shifts.version_ids, bank.version_ids[first])
    of_one = deep.Shifts(found.shifts.version_ids[kept], found.shifts.steps[kept])
    assert kept.any()
    distrusted = np.arange(len(bank.concept_ids)) > 0

    def rungs(shifts, distrusted=None, lag=0):
        own = deep.use(
            deep.Prediction(1, 4, found.at, shifts),
            tracer.deep.weights,
            bank=bank,
            n_responses=4 + lag,
            at=found.at,
            distrusted=distrusted,
        )
        moved = own.weighted(bank)[0] != 0.0
        rungs = np.array([own.rung_of(bank, row) for row in range(len(first))])
        # Whatever is moved stands on the network.
        assert not (moved & (rungs == "live")).any()
        return rungs

    touched = (bank.concepts == 0).any(axis=1)
    assert (rungs(found.shifts, distrusted) == np.where(first, "deep", "live")).all()
    assert (rungs(of_one)[touched] == "deep").all()
    assert (rungs(of_one, lag=2)[first] == "stale").all()
    assert (rungs(of_one, lag=9) == "live").all()
    told = set(bank.concepts[first].ravel().tolist()) - {-1}
    alone = np.array([not told & set(own) for own in bank.concepts.tolist()])
    assert alone.any()
    assert (rungs(of_one)[alone] == "live").all()


def test_choices_are_made_again_with_their_predictions(deep_course, learner):
    practise(learner, deep_course, answers=7)
    practise(learner, deep_course, answers=4, at=AT + 2 * DAY)

    rows = list(Decision.objects.order_by("pk"))
    assert len(rows) > 10
    for row in rows:
        assert replaying.decide_again(row).receipt() == row.receipt
    assert sum(row.rung in ("deep", "stale") for row in rows) > 6


def test_a_session_after_days_begins_with_an_old_prediction_and_asks_for_a_fresh_one(
    deep_course, learner
):
    practise(learner, deep_course, answers=4)
    assert not DueLearner.objects.exists()

    start_session(learner=learner, course=deep_course, at=AT + 3 * DAY, draw_seed=9)

    newest = Decision.objects.order_by("-pk")[0]
    assert (newest.rung, newest.prediction_lag) == ("stale", 0)
    assert DueLearner.objects.get().learner == learner


def test_predictions_that_no_choice_needs_are_removed(deep_course, learner):
    practise(learner, deep_course, answers=5)
    named = set(Decision.objects.exclude(prediction=None).values_list("prediction", flat=True))
    tracing_services.due.mark(
        learner_id=learner.pk, course_id=deep_course.pk, at=AT + DAY, refold=False
    )
    working.work_off(now=lambda: AT + 2 * DAY)
    newest = DeepPrediction.objects.order_by("-pk")[0].pk
    before = DeepPrediction.objects.count()

    assert services.prune_predictions(now=AT + DAY / 2) == 0
    removed = services.prune_predictions(now=AT + 4 * DAY)

    assert set(DeepPrediction.objects.values_list("pk", flat=True)) == named | {newest}
    assert removed == before - len(named | {newest}) > 0


def test_predictions_of_a_tracer_out_of_use_are_removed(deep_course, learner):
    practise(learner, deep_course, answers=5)
    named = set(Decision.objects.exclude(prediction=None).values_list("prediction", flat=True))
    old = registry_selectors.get_live_tracer(course_id=deep_course.pk)
    newest = DeepPrediction.objects.order_by("-pk")[0].pk
    assert newest not in named
    body = {**old.body, "intercept": 0.1}
    version = registry_services.store_tracer(course=deep_course, body=body, provenance={})
    registry_services.promote(course=deep_course, tracer=version, at=AT, reason="test")

    services.prune_predictions(now=AT + 4 * DAY)

    assert set(DeepPrediction.objects.values_list("pk", flat=True)) == named
