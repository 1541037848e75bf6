"""The hash of a run's inputs names all that was fitted, and nothing that was not."""

import dataclasses

import numpy as np
import pytest

from curriculum.irt.models import Priors
from tests.factories import AT, make_learner
from tests.tutor.calibration.conftest import EM, column
from tests.tutor.calibration.logs import a_course, an_item, answer_all, load_items
from tests.tutor.histories import correct, record, versions_of
from tutor.calibration import engine, promoting, running, services
from tutor.calibration.errors import NothingToCalibrate
from tutor.responses.models import Response

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def small(organisation):
    course = a_course(organisation=organisation, items=9)
    answer_all(course, learners=30)
    return course


def calibrate(course, **more):
    more = {"settings": EM, **more}
    return running.calibrate_course(course=course, at=AT, **more)


def test_the_same_again_has_the_same_hash_and_the_same_figures(small):
    # From the second run on both start from figures that have converged.
    calibrate(small)
    second, third = (calibrate(small, again=True) for _ in range(2))

    assert second.data_sha256 == third.data_sha256
    np.testing.assert_allclose(column(second, "difficulty"), column(third, "difficulty"), atol=1e-3)


@pytest.mark.parametrize(
    "others",
    [
        dataclasses.replace(EM, priors=Priors(difficulty_sd=1.5)),
        dataclasses.replace(EM, seed=1),
        dataclasses.replace(EM, model=engine.ItemModel.ONE),
        dataclasses.replace(EM, model=engine.ItemModel.THREE),
    ],
    ids=["priors", "seed", "one slope", "guessing"],
)
def test_other_settings_are_another_calibration(small, others):
    first = calibrate(small)

    assert calibrate(small, settings=others).data_sha256 != first.data_sha256


def test_what_is_known_beforehand_is_part_of_it(organisation, small):
    first = calibrate(small)
    load_items(
        organisation,
        tuple(an_item(n, **({"solution": "Because."} if n == 4 else {})) for n in range(9)),
    )
    second = calibrate(small)
    for number in range(5):
        services.store_crowd_answer(
            version=versions_of(small)[0],
            respondent=f"http://crowd/{number}",
            answer={"text": "5"},
            is_correct=number > 2,
        )

    third = calibrate(small)

    assert len({first.data_sha256, second.data_sha256, third.data_sha256}) == 3


def test_first_attempts_are_part_of_it_and_repeats_are_not(small):
    first = calibrate(small)
    old = Response.objects.order_by("pk").first()
    record(learner=old.learner, course=small, version=old.item_version)
    with pytest.raises(NothingToCalibrate, match="calibration 1"):
        calibrate(small)
    correct(old, is_correct=not old.is_correct)
    corrected = calibrate(small)
    record(
        learner=make_learner(organisation=small.organisation),
        course=small,
        version=old.item_version,
        is_pilot=True,
    )

    tried = calibrate(small)

    assert len({first.data_sha256, corrected.data_sha256, tried.data_sha256}) == 3


def test_the_same_data_on_another_scale_are_calibrated_anew(physics, run):
    answer_all(physics, learners=60, source="second", seed=5)
    second = running.calibrate_course(course=physics, at=AT, settings=EM)
    assert second.reference == run
    with pytest.raises(NothingToCalibrate):
        running.calibrate_course(course=physics, at=AT, settings=EM)
    third = running.calibrate_course(course=physics, at=AT, settings=EM, again=True)
    promoting.promote(course=physics, run=run, at=AT)

    # The scale is no longer that of the newest run's own reference.
    fourth = running.calibrate_course(course=physics, at=AT, settings=EM)

    assert (third.reference, fourth.reference) == (second, run)
    assert third.data_sha256 == fourth.data_sha256
