"""A course's log becomes a run: whole, immutable, on one scale; odd items have a named outcome."""

import dataclasses
import datetime as dt

import numpy as np
import pytest

from curriculum.irt.run import ACCUSING_ANSWERS, OPERATIONAL_ANSWERS, OPERATIONAL_SE, Flag
from tests.factories import (
    AT,
    answer_current,
    make_class,
    make_learner,
    set_scheduling,
    start_session,
)
from tests.tutor.calibration.conftest import EM, column
from tests.tutor.calibration.logs import a_course, an_item, answer_all, load_items, truth
from tests.tutor.histories import record, versions_of
from tutor.calibration import life, promoting, running
from tutor.calibration.errors import (
    CalibrationBusy,
    NothingToCalibrate,
)
from tutor.calibration.models import CalibrationRun, ItemCalibration
from tutor.common.alone import alone
from tutor.common.append_only import RowIsFinal
from tutor.content.models import Item
from tutor.responses.models import Response
from tutor.scheduling import engine as scheduling_engine
from tutor.scheduling.models import Decision

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LATER = AT + dt.timedelta(days=30)


def test_finds_the_items_true_difficulties(physics, run):
    difficulty, _ = truth(24)

    found = column(run, "difficulty")

    assert np.corrcoef(found, difficulty)[0, 1] > 0.97
    inside = np.abs(found - difficulty) < 2.6 * column(run, "difficulty_se")
    assert inside.mean() > 0.9
    assert run.passed
    assert column(run, "n").tolist() == [220.0] * 24
    assert (run.number, run.reference, run.census["calibrated"]) == (1, None, 24 * 220)


def test_is_final(run):
    run.passed = False
    with pytest.raises(RowIsFinal):
        run.save()
    with pytest.raises(RowIsFinal):
        run.items.update(n=0)


def test_takes_first_attempts_without_help_only(physics, run):
    learner = make_learner(organisation=physics.organisation)
    first, second, *_ = versions_of(physics)
    record(learner=learner, course=physics, version=first)
    record(learner=learner, course=physics, version=first, answered_at=LATER)
    record(learner=learner, course=physics, version=second, hints_seen=1)

    again = running.calibrate_course(course=physics, at=LATER, settings=EM)

    assert again.items.get(version=first).n == 221
    assert again.items.get(version=first).seen == 222
    assert again.items.get(version=second).n == 220
    assert again.census["assisted"] == run.census["assisted"] + 1


def test_counts_answers_to_items_drawn_at_random(physics, monkeypatch):
    rules = dataclasses.replace(scheduling_engine.RULES, epsilon=1.0)
    monkeypatch.setattr(scheduling_engine, "RULES", rules)
    learner = make_learner(organisation=physics.organisation)
    set_scheduling(make_class(course=physics, users=[learner.user]), explores=True)
    physics.refresh_from_db()
    session = start_session(learner=learner, course=physics)
    answer_current(session)
    monkeypatch.undo()
    answer_current(session)
    assert set(Decision.objects.values_list("reason", flat=True)[:2]) == {"explore"}

    run = running.calibrate_course(course=physics, at=AT, settings=EM)

    drawn = Decision.objects.filter(reason="explore").values("public_id")
    expected = Response.objects.filter(presentation__in=drawn).count()
    assert expected == 2  # the second question was chosen while every draw was random, too
    assert column(run, "n_random").sum() == expected


def test_needs_something_to_calibrate(organisation, physics, run):
    empty = a_course(organisation=organisation, slug="empty")

    with pytest.raises(NothingToCalibrate):
        running.calibrate_course(course=empty, at=AT, settings=EM)
    with pytest.raises(NothingToCalibrate) as caught:
        running.calibrate_course(course=physics, at=AT, settings=EM)
    assert "calibration 1" in caught.value.message
    again = running.calibrate_course(course=physics, at=AT, settings=EM, again=True)
    assert again.number == 2


def test_leaves_nothing_behind_if_it_is_broken_off(physics, monkeypatch):
    def broken(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(ItemCalibration.objects, "bulk_create", broken)
    with pytest.raises(KeyboardInterrupt):
        running.calibrate_course(course=physics, at=AT, settings=EM)

    assert not CalibrationRun.objects.exists()
    monkeypatch.undo()
    assert running.calibrate_course(course=physics, at=AT, settings=EM).number == 1


def test_refuses_a_second_one_at_the_same_time(physics):
    with alone(running.lock_name(physics)) as is_held:
        assert is_held
        with pytest.raises(CalibrationBusy):
            running.calibrate_course(course=physics, at=AT, settings=EM)


def test_odd_items_have_a_named_outcome_and_break_nothing(organisation):
    course = a_course(organisation=organisation, items=9)
    learners = answer_all(course, learners=230, wrong_key=2, share=0.9)
    all_right, unseen, thin, island = versions_of(course)[3:7]
    # What was answered to these four goes; then they get the answers that the test is about.
    odd = [all_right.pk, unseen.pk, thin.pk, island.pk]
    Response._base_manager.filter(item_version__in=odd)._raw_delete(using="default")
    for number, learner in enumerate(learners):
        fields = {"course": course, "answered_at": LATER}
        person = Response.objects.filter(learner=learner).first().learner
        record(learner=person, version=all_right, **fields)
        if number < 5:
            record(learner=person, version=thin, is_correct=False, credit=0.0, **fields)
    # A newcomer, whose first answer is to an item that nobody else has met.
    loner = make_learner(organisation=organisation)
    record(learner=loner, course=course, version=island)

    run = running.calibrate_course(course=course, at=LATER, settings=EM)

    flags = {row.version_id: set(row.flags) for row in run.items.all()}
    assert "all-right" in flags[all_right.pk]
    assert flags[unseen.pk] == {"unseen"}
    assert {"thin", "all-wrong", "imprecise"} <= flags[thin.pk]
    assert "disconnected" in flags[island.pk]
    assert "negative-discrimination" in flags[versions_of(course)[2].pk]
    assert np.isfinite(column(run, "pooled_difficulty")).all()
    assert run.items.get(version=unseen).difficulty is None
    gates = {gate["name"]: gate["passed"] for gate in run.gates}
    assert gates["disconnected-answers"]
    ready = promoting.prepare(course=course, run=run, force=True)
    moved = {Item.objects.get(pk=pk).slug: status for pk, (status, _) in ready.moves.items()}
    assert moved["item-002"] == moved["item-003"] == "flagged"
    assert {"item-004", "item-005", "item-006"}.isdisjoint(moved)
    # What stands aside is used by what was expected of it, and its answer does not tell more.
    aside = run.items.get(version=island)
    assert ready.body["calibration"]["items"][str(island.pk)] == [
        *(aside.prior_mean, aside.prior_sd, 1)
    ]
    assert aside.prior_mean != aside.pooled_difficulty
    # An upside-down item's figures are no difficulty: the filter keeps its own.
    assert str(versions_of(course)[2].pk) not in ready.body["calibration"]["items"]


def test_options_tell_which_distractors_work(run):
    table = run.items.order_by("version").first().options

    by_name = {row["option"]: row for row in table}
    assert list(by_name) == ["right", "near", "far", "never"]
    assert by_name["right"]["is_correct"]
    assert by_name["right"]["correlation"] > 0.1
    assert by_name["far"]["correlation"] < -0.1
    assert by_name["far"]["ability"] < by_name["right"]["ability"]
    assert by_name["never"] == {
        "option": "never",
        "is_correct": False,
        "n": 0,
        "share": 0.0,
        "ability": None,
        "correlation": None,
    }
    assert sum(row["n"] for row in table) == 220


def test_the_bounds_and_flags_of_life_are_those_of_the_library():
    assert (life.OPERATIONAL_ANSWERS, life.OPERATIONAL_SE) == (OPERATIONAL_ANSWERS, OPERATIONAL_SE)
    assert life.ACCUSING_ANSWERS == ACCUSING_ANSWERS
    assert set(life.ALARMS) <= {str(flag) for flag in Flag}


def test_a_new_course_uses_author_s_guesses_until_items_are_known(organisation):
    course = a_course(organisation=organisation, items=9)
    answer_all(course, learners=30)

    run = running.calibrate_course(course=course, at=AT, settings=EM)

    assert run.prior["tried_on"] == 0
    assert set(column(run, "prior_sd")) == {1.0}
    assert (column(run, "pooled_se") < column(run, "difficulty_se")).all()


def test_a_reworded_item_starts_from_its_version_before(organisation, physics, run):
    first = versions_of(physics)[0]
    items = tuple(
        an_item(number, **({"solution": "Because."} if number == 0 else {})) for number in range(24)
    )
    load_items(organisation, items)
    second = first.item.versions.get(number=2)

    again = running.calibrate_course(course=physics, at=LATER, settings=EM, again=True)

    before, now = again.items.get(version=first), again.items.get(version=second)
    assert now.n == 0
    assert now.prior_source == "version before"
    assert now.prior_mean == pytest.approx(before.pooled_difficulty)
    assert now.pooled_difficulty == pytest.approx(before.pooled_difficulty)
    assert now.prior_sd == pytest.approx(np.hypot(before.pooled_se, 0.5))
    ready = promoting.prepare(course=physics, run=again)
    offsets = ready.body["item_offsets"]
    assert offsets[str(second.pk)] == pytest.approx(offsets[str(first.pk)], abs=0.25)
    assert ready.body["item_vars"][str(second.pk)] > 3 * ready.body["item_vars"][str(first.pk)]
