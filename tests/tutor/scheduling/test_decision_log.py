"""The decision log: every choice made again from the log, with what it earned."""

import dataclasses
import datetime as dt
import json
import uuid

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from curriculum.evaluation import evaluate, read_decisions
from curriculum.evaluation.errors import SupportTooThin
from tests.factories import (
    AT,
    answer_current,
    make_class,
    make_learner,
    make_user,
    set_scheduling,
    start_session,
)
from tests.tutor.histories import correct
from tutor.calibration import services as calibration_services
from tutor.content import grading
from tutor.content.models import Item
from tutor.practice import selectors as practice_selectors
from tutor.practice import usecases
from tutor.responses.models import Response
from tutor.scheduling import decision_log, engine, learning, replaying
from tutor.scheduling.models import Decision

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.fixture
def classroom(course, organisation):
    return practise_together(course, organisation)


def practise_together(course, organisation):
    """A class that explores: three learners, five answers on each of two days."""
    learners = [make_learner(organisation=organisation) for _ in range(3)]
    found = make_class(course=course, users=[learner.user for learner in learners])
    set_scheduling(found, explores=True)
    course.refresh_from_db()
    for place, learner in enumerate(learners):
        for day in range(2):
            session = start_session(
                learner=learner, course=course, at=AT + day * DAY, draw_seed=10 * place + day
            )
            for number in range(1, 6):
                answer_current(
                    session,
                    right=(number + place) % 3 != 0,
                    at=AT + day * DAY + number * MINUTE,
                    draw_seed=100 * place + 10 * day + number,
                )
    return found


def rows_of(course):
    told = decision_log.Told()
    at = Decision.objects.latest("at").at
    return list(decision_log.iterate_rows(course=course, at=at, told=told)), told


def test_every_question_is_a_line_with_its_chances(course, classroom):
    rows, told = rows_of(course)

    questions = Decision.objects.filter(item_version__isnull=False)
    assert not told.left_out
    assert {row["decision_id"] for row in rows} == {str(row.public_id) for row in questions}
    stored = {str(row.public_id): row for row in questions}
    for row in rows:
        decision = stored[row["decision_id"]]
        assert row["propensity"] == pytest.approx(decision.propensity, abs=1e-6)
        assert row["item"] == decision.item_version.item_id
        assert row["learner"] == str(decision.learner.pseudonym)
    answered = [row for row in rows if row["outcome"] == "answered"]
    assert len(answered) == Response.objects.count()
    assert not any(row["reward"] for row in rows if row["outcome"] != "answered")


def test_right_answers_earn_and_wrong_ones_cost(course, classroom):
    rows, _ = rows_of(course)
    right = dict(Response.objects.values_list("presentation", "is_correct"))

    earned = {True: [], False: []}
    for row in rows:
        if row["outcome"] == "answered":
            found = next(value for key, value in right.items() if str(key) == row["decision_id"])
            earned[found].append(row["reward"])

    assert np.mean(earned[True]) > 0.0 > np.mean(earned[False])


@pytest.fixture
def answered(course, classroom):
    """A choice made again, what was wanted then, and the answer to it."""
    past = replaying.read_past(learner_id=Response.objects.first().learner_id, course_id=course.pk)
    moment = next(replaying.walk(past))
    answer = Response.objects.get(presentation=moment.decision.public_id)
    return moment, np.ones(len(moment.situation.goal), dtype=bool), answer


def test_a_reward_is_per_minute_expected_whatever_the_answer_took(answered):
    moment, wanted, answer = answered

    def reward(moment):
        return decision_log.rewards_of(moment, answer, wanted=wanted).value[0]

    usual = reward(moment)
    answer.elapsed_ms = 2 * answer.elapsed_ms
    assert reward(moment) == usual != 0.0
    minutes = np.full(moment.situation.bank.n_items, 2.0)
    longer = dataclasses.replace(moment.situation, item_minutes=minutes)
    assert 2.0 * reward(dataclasses.replace(moment, situation=longer)) == pytest.approx(usual)


def test_quick_right_answers_earn_nothing_where_nothing_is_learnt(answered):
    """By their own time the same learners would earn, for nothing but luck."""
    moment, wanted, answer = answered
    still = dataclasses.replace(moment.tracer.parameters, gain_right=0.0, gain_wrong=0.0)
    moment = dataclasses.replace(
        moment, tracer=dataclasses.replace(moment.tracer, parameters=still)
    )
    earned, took = {}, {1.0: 6_000, 0.0: 30_000}
    for credit in (0.0, 1.0):
        answer.credit, answer.elapsed_ms = credit, took[credit]
        found = decision_log.rewards_of(moment, answer, wanted=wanted)
        earned[credit] = found.value[0]
    row = moment.situation.bank.rows_of(np.array([moment.decision.item_version.item_id]))[0]
    n, rng = 4_000, np.random.default_rng(0)
    level = rng.normal(
        moment.situation.logit_mean[row], np.sqrt(moment.situation.logit_var[row]), n
    )
    right = (rng.random(n) < 1.0 / (1.0 + np.exp(-level))).astype(float)
    rewards = np.where(right == 1.0, earned[1.0], earned[0.0])
    by_own_time = rewards / np.where(right == 1.0, 0.1, 0.5)

    for some, is_nothing in ((rewards, True), (by_own_time, False)):
        error = some.std() / np.sqrt(n)
        assert bool(abs(some.mean()) < 3.5 * error) is is_nothing
    assert by_own_time.mean() > 0.0


def test_what_is_practised_on_the_way_to_the_goal_counts(answered):
    moment, _, answer = answered
    own = moment.tracer.bank.concepts[
        moment.tracer.bank.index_of_item[moment.decision.item_version.item_id]
    ]
    outside = np.ones(len(moment.situation.goal), dtype=bool)
    outside[own[own >= 0]] = False

    without = decision_log.rewards_of(moment, answer, wanted=outside).value[0]
    withit = decision_log.rewards_of(moment, answer, wanted=~outside).value[0]

    assert abs(withit) > 2.0 * abs(without)


def test_an_answer_that_comes_after_all_counts_and_one_left_earns_nothing(course, learner):
    """Stopped on its first question; answered from a device a day later, as it was given then."""
    session = start_session(learner=learner, course=course, draw_seed=1)
    waiting, _ = rows_of(course)
    first = session.current
    usecases.finish_practice(learner=learner, session=session, at=AT + MINUTE)
    start_session(learner=learner, course=course, at=AT + 2 * DAY, draw_seed=2)

    left, told = rows_of(course)
    usecases.submit_answer(
        learner=learner,
        submission=usecases.Submission(
            presentation=first.public_id,
            client_key=uuid.uuid4(),
            answer=grading.right_answer(practice_selectors.rendered_item(first)),
            answered_at=AT + MINUTE,
        ),
        at=AT + 2 * DAY,
        draw_seed=3,
        source="practice",
    )
    answered = list(decision_log.iterate_rows(course=course, at=AT + 2 * DAY))

    assert [row["outcome"] for row in waiting] == ["waiting"]
    assert [(row["outcome"], row["reward"]) for row in left] == [("left", 0.0), ("waiting", None)]
    assert told.unanswered == {"left": 1, "waiting": 1}
    assert answered[0]["outcome"] == "answered"
    assert answered[0]["reward"]


def test_a_choice_that_does_not_come_out_again_is_left_out_and_counted(course, classroom):
    """A corrected answer changes what every later choice would have been."""
    correct(Response.objects.order_by("pk").first(), is_correct=False)

    rows, told = rows_of(course)

    assert sum(told.left_out.values()) > 0
    questions = Decision.objects.filter(item_version__isnull=False).count()
    assert len(rows) + sum(told.left_out.values()) == questions


@pytest.fixture
def with_pilots(course, organisation):
    """The same class, with two items of the first concept on trial in a fifth of the choices."""
    teacher = make_user(organisation=organisation, role="teacher")
    for item in Item.objects.filter(course=course).order_by("pk")[:2]:
        calibration_services.set_status(item=item, status="pilot", actor=teacher, reason="New.")
    calibration_services.set_pilot_share(course=course, share=0.2)
    course.refresh_from_db()
    return practise_together(course, organisation)


def test_items_on_trial_leave_the_chances_of_all_others_whole(course, with_pilots, tmp_path):
    questions = Decision.objects.filter(item_version__isnull=False)
    tried = questions.filter(reason="pilot")
    assert tried.exists()

    told = decision_log.write_log(course=course, path=tmp_path / "log.jsonl", at=AT)
    log = read_decisions(tmp_path / "log.jsonl")

    assert len(log) == questions.count() - tried.count() == told.rows
    sums = np.add.reduceat(log.arm_propensity, log.starts[:-1])
    np.testing.assert_allclose(sums, 1.0)
    stored = {str(row.public_id): row.propensity for row in questions}
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    ratios = np.array([row["propensity"] / stored[row["decision_id"]] for row in lines])
    whole, shared = np.isclose(ratios, 1.0, rtol=1e-4), np.isclose(ratios, 1.25, rtol=1e-4)
    assert (whole | shared).all()
    assert shared.any()


def test_items_on_trial_do_not_stop_the_learning_at_night(course, with_pilots):
    found = learning.learn_course(course=course, at=AT + 3 * DAY)

    gates = {gate.name: gate for learnt in found for gate in learnt.gates}
    # Three learners are too few: that is what the night has to say, and nothing else.
    assert not gates["enough"].passed


def test_a_choice_after_an_error_is_left_out_and_counted(course, classroom, monkeypatch):
    learner = classroom.learners.first()

    def rate(self, choices):
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(engine.GainSoftmaxPolicy, "rate", rate)
        session = start_session(learner=learner, course=course, at=AT + 3 * DAY, draw_seed=5)
    if session.current.fallback != "error":  # the open sitting of the second day went on
        with monkeypatch.context() as broken:
            broken.setattr(engine.GainSoftmaxPolicy, "rate", rate)
            answer_current(session, at=AT + 3 * DAY, draw_seed=6)

    rows, told = rows_of(course)

    assert told.left_out["chosen in the course's order after an error"] == 1
    failed = Decision.objects.get(fallback="error")
    assert str(failed.public_id) not in {row["decision_id"] for row in rows}


class TestCommand:
    def test_writes_what_the_evaluation_reads(self, course, classroom, tmp_path, capsys):
        out = tmp_path / "decisions.jsonl"

        call_command("export_decisions", str(out), "--course", course.slug)

        log = read_decisions(out)
        assert len(log) == len(out.read_text().splitlines())
        assert f"{len(log)} decisions written" in capsys.readouterr().out
        with pytest.raises(SupportTooThin, match="3 learners are too few"):
            evaluate(log, "uniform")
        assert "user" not in json.loads(out.read_text().splitlines()[0])

    def test_replaces_nothing_unasked(self, course, classroom, tmp_path):
        out = tmp_path / "decisions.jsonl"
        out.write_text("mine")

        with pytest.raises(CommandError, match="--force"):
            call_command("export_decisions", str(out), "--course", course.slug)

        assert out.read_text() == "mine"

    def test_refuses_a_name_that_nothing_reads(self, course, classroom, tmp_path):
        with pytest.raises(CommandError, match="jsonl"):
            call_command("export_decisions", str(tmp_path / "x.csv"), "--course", course.slug)
