"""Runs of one course stand on one scale, and none is bound to a scale that cannot hold."""

import dataclasses
import datetime as dt
import sys
import types

import numpy as np
import pytest

from curriculum.irt.em import fit_em
from tests.factories import AT
from tests.tutor.calibration.conftest import EM, column
from tests.tutor.calibration.logs import a_course, answer_all
from tutor.calibration import engine, promoting, running
from tutor.calibration.errors import CalibrationImpossible, RunRefused

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LATER = AT + dt.timedelta(days=30)


def gates_of(run):
    return {gate["name"]: gate["passed"] for gate in run.gates}


def test_stands_on_the_scale_of_the_run_in_use(physics, run):
    promoting.promote(course=physics, run=run, at=AT)
    # Learners who are abler by a whole sd: on a scale of their own all items would look easier.
    answer_all(physics, learners=250, seed=9, source="second", mean=1.0, at=LATER)

    second = running.calibrate_course(course=physics, at=LATER, settings=EM)

    assert second.passed
    assert second.reference == run
    moved = column(second, "difficulty") - column(run, "difficulty")
    assert abs(moved.mean()) < 0.06
    # The learners of both halves together stand half a logit above the first ones.
    assert second.population["mean"] == pytest.approx(0.53, abs=0.12)
    assert second.link["link"]["intercept"] == pytest.approx(0.53, abs=0.15)
    assert column(second, "is_anchor").sum() > 0
    assert np.isfinite(column(second, "difficulty_se")).all()


def test_abler_learners_are_an_alarm_that_ends_when_they_are_no_news(physics, run):
    promoting.promote(course=physics, run=run, at=AT)
    answer_all(physics, learners=250, seed=9, source="second", mean=1.0, at=LATER)
    second = running.calibrate_course(course=physics, at=LATER, settings=EM)

    assert gates_of(second)["scale-moved"] is False
    assert second.passed
    promoting.promote(course=physics, run=second, at=LATER)
    answer_all(physics, learners=20, seed=4, source="third", mean=0.5, at=LATER)
    third = running.calibrate_course(course=physics, at=LATER, settings=EM)
    # Half a logit above the first learners, and where the second run's stood.
    assert third.population["mean"] == pytest.approx(second.population["mean"], abs=0.1)
    assert gates_of(third)["scale-moved"] is True


def test_a_thin_first_night_binds_no_later_one(organisation):
    course = a_course(organisation=organisation)
    answer_all(course, learners=40, source="few", share=0.3)
    first = running.calibrate_course(course=course, at=AT, settings=EM)
    assert not first.passed
    assert gates_of(first)["holds-a-scale"] is False
    with pytest.raises(RunRefused, match="holds-a-scale"):
        promoting.prepare(course=course, run=first)
    # Not even if somebody has insisted on using it.
    promoting.promote(course=course, run=first, at=AT, force=True)

    answer_all(course, learners=220, seed=4, source="more")
    second = running.calibrate_course(course=course, at=LATER, settings=EM)

    assert second.passed
    assert second.reference is None
    promoting.promote(course=course, run=second, at=LATER)
    answer_all(course, learners=10, seed=5, source="last")
    third = running.calibrate_course(course=course, at=LATER, settings=EM)
    assert third.passed
    assert third.reference == second


def test_leaving_the_scale_in_use_is_told(physics, run):
    promoting.promote(course=physics, run=run, at=AT)
    settings = dataclasses.replace(EM, model=engine.ItemModel.ONE)

    other = running.calibrate_course(course=physics, at=AT, settings=settings, again=True)

    # Discriminations of a 2PL are none of a 1PL: its items cannot hold the scale.
    assert gates_of(other)["on-the-scale"] is False
    assert gates_of(other)["holds-a-scale"] is True
    assert other.reference is None
    assert not other.items.filter(is_anchor=True).exists()
    assert not other.passed


def test_another_model_leaves_a_scale_that_nobody_uses(physics, run):
    settings = dataclasses.replace(EM, model=engine.ItemModel.THREE)

    other = running.calibrate_course(course=physics, at=AT, settings=settings, again=True)

    assert other.passed
    assert other.reference is None
    assert not other.items.filter(is_anchor=True).exists()


def test_a_witness_that_says_otherwise_closes_the_gates(physics, monkeypatch):
    def contrary(responses, **asked):
        fit = fit_em(responses, **asked)
        bank = fit.bank
        turned = dataclasses.replace(bank, difficulty=-bank.difficulty)
        return dataclasses.replace(fit, bank=turned)

    module = types.SimpleNamespace(fit_py_irt=contrary)
    monkeypatch.setitem(sys.modules, "curriculum.irt.py_irt_model", module)

    run = running.calibrate_course(course=physics, at=AT, settings=EM)

    assert gates_of(run)["agreement-of-engines"] is False
    assert gates_of(run)["gap-of-engines"] is False
    with pytest.raises(RunRefused, match="agreement-of-engines, gap-of-engines"):
        promoting.promote(course=physics, run=run, at=AT)


def test_what_the_library_refuses_is_refused_in_words(physics):
    settings = dataclasses.replace(EM, guessing=0.3)

    with pytest.raises(CalibrationImpossible, match="Only the 3pl has guessing"):
        running.calibrate_course(course=physics, at=AT, settings=settings)
