"""From a run to the next item and back."""

import dataclasses
import datetime as dt

import pytest
from django.core.management import call_command

from tests.factories import (
    AT,
    answer_current,
    make_class,
    make_learner,
    make_run,
    set_scheduling,
    start_session,
)
from tests.tutor.calibration.conftest import EM
from tests.tutor.calibration.logs import a_course, answer_all
from tests.tutor.histories import all_equal, bulk_history, record, tracer_of, versions_of
from tutor.calibration import comparing, promoting, running, services
from tutor.calibration.errors import NothingToRollBack, RunRefused
from tutor.content.models import Item, StatusChange
from tutor.registry import selectors as registry_selectors
from tutor.registry import training
from tutor.registry.models import TracerVersion
from tutor.responses.models import Response
from tutor.scheduling.models import Decision
from tutor.tracing import engine, selectors
from tutor.tracing import services as tracing_services
from tutor.tracing.models import LearnerState

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

DAY = dt.timedelta(days=1)


def chances(learner, course):
    """What the next choice would be drawn from, and with which chances."""
    course.refresh_from_db()
    start_session(learner=learner, course=course, at=AT + DAY)
    decision = Decision.objects.latest("pk")
    return decision.receipt["candidates"], decision.propensity, decision.tracer_id


def statuses(course):
    return set(Item.objects.filter(course=course).values_list("status", flat=True))


def live(course):
    return registry_selectors.get_live_tracer(course_id=course.pk)


def test_a_run_in_use_changes_the_next_item_s_chances_and_the_way_back_restores_them(organisation):
    course = a_course(organisation=organisation)
    answer_all(course)
    # One newcomer for each look, so that all three stand at the same place.
    newcomers = [make_learner(organisation=organisation) for _ in range(3)]
    before = chances(newcomers[0], course)

    run = running.calibrate_course(course=course, at=AT, settings=EM)
    assert live(course).pk == before[2]
    promoting.promote(course=course, run=run, at=AT)
    during = chances(newcomers[1], course)
    promoting.roll_back(course=course, at=AT)
    after = chances(newcomers[2], course)

    assert during[0] != before[0]
    assert after == before
    assert "calibration" not in live(course).body
    assert LearnerState.objects.filter(tracer=during[2]).count() == 220


def test_statuses_switch_with_the_tracer_and_back(physics, run):
    assert statuses(physics) == {"provisional"}

    promoting.promote(course=physics, run=run, at=AT)
    known = run.items.filter(difficulty_se__lt=0.35).values_list("version__item", flat=True)
    assert 15 < len(known) < 24
    assert set(known) == set(
        physics.items.filter(status="operational").values_list("pk", flat=True)
    )
    assert statuses(physics) == {"operational", "provisional"}
    row = StatusChange.objects.first()
    assert (row.calibration, row.actor, row.before) == (1, None, "provisional")
    assert "220 answers" in row.reason

    promoting.roll_back(course=physics, at=AT)
    assert statuses(physics) == {"provisional"}
    promoting.roll_back(course=physics, at=AT)
    assert physics.items.filter(status="operational").count() == len(known)
    assert live(physics).body["calibration"]["number"] == 1


def test_the_way_back_leaves_what_a_person_has_moved_since(physics, run):
    promoting.promote(course=physics, run=run, at=AT)
    item = Item.objects.filter(course=physics).first()
    teacher = make_learner(organisation=physics.organisation).user
    services.set_status(item=item, status="excluded", actor=teacher, reason="Wrong key.")

    promoting.roll_back(course=physics, at=AT)

    item.refresh_from_db()
    assert item.status == "excluded"
    assert statuses(physics) == {"provisional", "excluded"}


def test_states_are_those_of_the_log_under_the_run(physics, run):
    learner = make_learner(organisation=physics.organisation)
    bulk_history(learner=learner, course=physics, size=30)

    promoting.promote(course=physics, run=run, at=AT)

    found = all_equal(physics)
    assert len(found) == 221
    assert all(found.values())


def test_nothing_is_written_by_looking(physics, run):
    versions, revision = TracerVersion.objects.count(), physics.revision

    ready = promoting.prepare(course=physics, run=run)
    difference = comparing.compare(course=physics, ready=ready, at=AT + DAY)

    physics.refresh_from_db()
    assert (TracerVersion.objects.count(), physics.revision) == (versions, revision)
    assert not LearnerState.objects.exists()
    assert difference.learners == 220
    assert 0 < difference.affected <= 220
    text = "\n".join(comparing.describe(difference))
    assert "24 of 24 items" in text
    assert "provisional → operational" in text
    shift = next(one for one in difference.items if one.slug == "item-000")
    offset = ready.body["item_offsets"][str(versions_of(physics)[0].pk)]
    assert shift.after == pytest.approx(offset)


def test_compares_concepts_that_count_under_one_version_only(organisation, learner):
    course = a_course(organisation=organisation)
    force, light, *_ = versions_of(course)
    record(learner=learner, course=course, version=force)
    record(learner=learner, course=course, version=light)
    teacher = make_learner(organisation=organisation).user
    services.set_status(item=force.item, status="excluded", actor=teacher, reason="Wrong key.")
    ready = promoting.prepare(course=course, run=make_run(course=course))

    difference = comparing.compare(course=course, ready=ready, at=AT + DAY)

    before = tracer_of(course)
    after = engine.lay_over(bank=before.bank, tracer_id=0, number=0, body=ready.body)
    concepts = [version.concepts.get().pk for version in (force, light)]
    was, now = (
        selectors.masteries_among(
            tracer,
            dict(tracing_services.fold_learners(tracer=tracer, learner_ids=[learner.pk]))[
                learner.pk
            ].learner,
            concept_ids=concepts,
            at=AT + DAY,
        )
        for tracer in (before, after)
    )
    shifts = [abs(was[pk].prob - now[pk].prob) for pk in concepts]
    assert difference.learners == 1
    assert difference.largest == pytest.approx(max(shifts))
    assert min(shifts) > 0.0


def test_a_difference_that_cannot_be_told_holds_no_run_back(course, monkeypatch, caplog):
    def broken(**_):
        raise ValueError

    run = make_run(course=course)
    monkeypatch.setattr(comparing, "compare", broken)
    call_command("promote_calibration", course=course.slug)

    assert live(course).body["calibration"]["run"] == run.pk
    assert "would change" in caplog.text


def test_a_fit_keeps_the_run(physics, run):
    promoting.promote(course=physics, run=run, at=AT)

    fitted = training.fit_filter(
        course=physics, reference_offsets=lambda offsets, _: {1: max(offsets.values())}, at=AT
    )

    assert fitted.body["calibration"] == live(physics).body["calibration"]
    own, pooled = fitted.body["fitted_offsets"], fitted.body["item_offsets"]
    assert all(0.0 < abs(own[pk] - pooled[pk]) < 0.5 for pk in own)
    assert fitted.body["translation"]["items"] == 24
    assert fitted.body["translation"]["scatter"] < 0.5


def test_an_answer_to_an_item_that_is_known_badly_moves_less(course, learner):
    run = make_run(course=course)
    promoting.promote(course=course, run=run, at=AT)
    tracer = tracer_of(course)
    version = versions_of(course)[0]
    unsure = dataclasses.replace(tracer, var_of_version={version.pk: 4.0})
    response = record(learner=learner, course=course, version=version)
    row = engine.FoldRow(response.pk, learner.pk, version.pk, version.item_id, 1.0, 1, 0, AT)
    concepts = (tracer.bank.concept_ids[0],)

    known, badly = (
        engine.fold_one(each, engine.start(each), row=row, concept_ids=concepts).filter
        for each in (tracer, unsure)
    )

    assert 0.0 < tracer.var_of_version[version.pk] < 0.1
    assert 0.0 < badly.ability_mean < 0.7 * known.ability_mean
    assert badly.ability_var > known.ability_var


def test_answers_to_an_excluded_item_count_no_more(course, learner):
    first, *others = versions_of(course)
    for number, version in enumerate([first, *others[:3]]):
        record(learner=learner, course=course, version=version, answered_at=AT + number * DAY)
    teacher = make_learner(organisation=course.organisation).user
    services.set_status(item=first.item, status="excluded", actor=teacher, reason="Wrong key.")

    promoting.promote(course=course, run=make_run(course=course), at=AT)

    course.refresh_from_db()
    tracer = tracer_of(course)
    state = selectors.get_state(learner_id=learner.pk, tracer=tracer)
    assert state.filter.n == 3
    assert len(state.recent) == 4
    assert tracer.var_of_version[first.pk] == float("inf")
    assert first.item_id not in tracer.bank.index_of_item


def test_a_pilot_is_tried_out_and_does_not_count(organisation):
    course = a_course(organisation=organisation, items=12)
    teacher = make_learner(organisation=organisation).user
    pilots = list(Item.objects.filter(course=course).order_by("pk")[:6])
    for item in pilots:
        services.set_status(item=item, status="pilot", actor=teacher, reason="New.")
    services.set_pilot_share(course=course, share=0.2)
    learner = make_learner(organisation=organisation)
    set_scheduling(make_class(course=course, users=[learner.user]), explores=True)
    course.refresh_from_db()
    # The third number of seed 3 is above the share, that of seed 1 is below.
    session = start_session(learner=learner, course=course, draw_seed=3)
    assert not answer_current(session, draw_seed=1).response.is_pilot
    before, decision = LearnerState.objects.get(), session.current
    tried = answer_current(session, draw_seed=3).response

    assert decision.reason == "pilot"
    assert tried.is_pilot
    assert tried.item_version.item in pilots
    assert decision.propensity == pytest.approx(0.2 / 6)
    tracer = tracer_of(course)
    after = selectors.get_state(learner_id=learner.pk, tracer=tracer)
    earlier = engine.TracedLearner.from_bytes(bytes(before.state))
    assert after.filter.to_bytes() == earlier.filter.to_bytes()
    assert len(after.recent) == len(earlier.recent) + 1
    assert all_equal(course) == {learner.pk: True}
    run = running.calibrate_course(course=course, at=AT, settings=EM)
    row = run.items.get(version=tried.item_version)
    assert (row.n, row.n_random) == (1, 1)
    assert Response.objects.filter(is_pilot=True).count() == 1


def test_what_may_not_be_used_is_refused_in_words(physics, run, course):
    failed = make_run(course=physics, passed=False, gates=[{"name": "link-gap", "passed": False}])

    with pytest.raises(RunRefused, match="link-gap"):
        promoting.promote(course=physics, run=failed, at=AT)
    with pytest.raises(RunRefused, match="another course"):
        promoting.promote(course=course, run=run, at=AT)
    with pytest.raises(NothingToRollBack):
        promoting.roll_back(course=physics, at=AT)
    promoting.promote(course=physics, run=failed, at=AT, force=True)
    assert live(physics).body["calibration"]["run"] == failed.pk


def test_killed_before_the_switch_nothing_has_changed(physics, run, monkeypatch):
    def broken(**_):
        raise KeyboardInterrupt

    before = live(physics)
    monkeypatch.setattr(services, "apply_moves", broken)
    with pytest.raises(KeyboardInterrupt):
        promoting.promote(course=physics, run=run, at=AT)

    assert live(physics) == before
    assert statuses(physics) == {"provisional"}
    monkeypatch.undo()
    promoting.promote(course=physics, run=run, at=AT)
    assert live(physics).number == before.number + 1
