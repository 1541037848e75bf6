"""Under a run in use no item counts as better known than it is."""

import datetime as dt

import pytest
from django.db.models import QuerySet

from tests.factories import AT, make_run
from tests.tutor.calibration.logs import a_course, an_item, load_items
from tests.tutor.histories import record, tracer_of, versions_of
from tutor.calibration import promoting
from tutor.calibration.models import ItemCalibration
from tutor.registry import selectors as registry_selectors
from tutor.registry.pinning import ITEM_VAR
from tutor.tracing import engine
from tutor.tracing import services as tracing_services

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(organisation):
    return a_course(organisation=organisation, items=6)


def folded(course, learner):
    tracer = tracer_of(course)
    found = dict(tracing_services.fold_learners(tracer=tracer, learner_ids=[learner.pk]))
    return found[learner.pk].learner.filter


def test_an_item_that_came_after_the_run_is_the_least_known(organisation, small):
    promoting.promote(course=small, run=make_run(course=small), at=AT)
    load_items(organisation, tuple(an_item(number) for number in range(7)))
    *known, new = versions_of(small)

    variances = tracer_of(small).var_of_version

    assert variances[new.pk] == ITEM_VAR
    assert all(variances[version.pk] < ITEM_VAR / 4 for version in known)


def test_an_item_that_the_run_leaves_to_the_filter_is_not_known_exactly(small, learner):
    first, second, *_ = versions_of(small)
    run = make_run(course=small)
    # Past the rule that a run is final.
    rows = QuerySet(ItemCalibration).filter(run=run, version=first)
    rows.update(flags=["negative-discrimination"])
    record(learner=learner, course=small, version=first)
    before = folded(small, learner)

    promoting.promote(course=small, run=run, at=AT)

    variances = tracer_of(small).var_of_version
    assert variances[first.pk] == ITEM_VAR > variances[second.pk]
    # Without a run its answers count as those of an item that is known; now they say less.
    after = folded(small, learner)
    assert 0.0 < after.ability_mean < 0.95 * before.ability_mean
    assert after.ability_var > before.ability_var


def test_without_a_run_offsets_count_as_known_and_a_way_back_leads_there(small):
    assert tracer_of(small).var_of_version == {}
    promoting.promote(course=small, run=make_run(course=small), at=AT)

    promoting.roll_back(course=small, at=AT + dt.timedelta(days=1))

    assert tracer_of(small).var_of_version == {}


def test_a_new_version_of_an_excluded_item_is_unknown_too(organisation, small):
    [old, *_] = versions_of(small)
    load_items(
        organisation,
        tuple(
            an_item(number, **({"solution": "Because."} if number == 0 else {}))
            for number in range(6)
        ),
    )
    new = old.item.versions.get(number=2)
    body = {**registry_selectors.get_live_tracer(course_id=small.pk).body}
    body |= {"item_vars": {str(old.pk): None}, "unknown_item_var": 1.0}

    bank = tracer_of(small).bank
    tracer = engine.lay_over(bank=bank, tracer_id=0, number=0, body=body)

    assert tracer.var_of_version[old.pk] == float("inf")
    assert tracer.var_of_version[new.pk] == 1.0
