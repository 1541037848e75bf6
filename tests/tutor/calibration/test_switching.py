"""What changes while learners are folded, and what lies between a promotion and the way back."""

import datetime as dt

import pytest

from tests.factories import AT, make_run, make_user
from tests.tutor.calibration.logs import a_course, answer_all
from tests.tutor.histories import record, tracer_of, versions_of
from tutor.calibration import promoting, services, working
from tutor.calibration.models import CalibrationJob
from tutor.content.models import Course, Item, StatusChange
from tutor.registry import selectors as registry_selectors
from tutor.registry.errors import TracerOutdated
from tutor.responses.models import LogImport
from tutor.tracing import adoption, selectors

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

DAY = dt.timedelta(days=1)


@pytest.fixture
def fitted(organisation):
    """A course with answers enough to fit a tracer on, still with the one from priors."""
    course = a_course(organisation=organisation)
    answer_all(course, learners=60)
    return course


@pytest.fixture
def administrator(organisation):
    return make_user(organisation=organisation, role="administrator")


def live(course):
    return registry_selectors.get_live_tracer(course_id=course.pk)


def live_number(course):
    pinned = live(course).body.get("calibration")
    return pinned and pinned["number"]


def statuses(course):
    return set(Item.objects.filter(course=course).values_list("status", flat=True))


class TestDuringTheFold:
    def test_an_item_that_a_person_excludes_stays_excluded(self, course, learner, administrator):
        first = versions_of(course)[0]
        record(learner=learner, course=course, version=first, answered_at=AT)
        folds = []

        def exclude(_):
            if not folds:
                item = Item.objects.get(pk=first.item_id)
                services.set_status(
                    item=item, status="excluded", actor=administrator, reason="Wrong key."
                )
            folds.append(1)

        promoting.promote(course=course, run=make_run(course=course), at=AT, progress=exclude)

        assert Item.objects.get(pk=first.item_id).status == "excluded"
        assert StatusChange.objects.filter(item=first.item_id).count() == 1
        assert len(folds) == 2
        tracer = tracer_of(Course.objects.get(pk=course.pk))
        assert tracer.var_of_version[first.pk] == float("inf")
        assert selectors.get_state(learner_id=learner.pk, tracer=tracer).filter.n == 0

    def test_an_item_that_a_person_flags_stays_flagged(self, course, learner, administrator):
        first = versions_of(course)[0]
        record(learner=learner, course=course, version=first, answered_at=AT)

        def flag(_):
            item = Item.objects.get(pk=first.item_id)
            services.set_status(item=item, status="flagged", actor=administrator, reason="Odd.")

        promoting.promote(course=course, run=make_run(course=course), at=AT, progress=flag)

        assert Item.objects.get(pk=first.item_id).status == "flagged"
        assert statuses(course) == {"flagged", "operational"}

    def test_what_never_stands_still_is_given_up_in_words(self, course, learner, administrator):
        first = versions_of(course)[0]
        record(learner=learner, course=course, version=first, answered_at=AT)
        before = live(course)

        def toggle(_):
            item = Item.objects.get(pk=first.item_id)
            other = "provisional" if item.status == "excluded" else "excluded"
            services.set_status(item=item, status=other, actor=administrator, reason="Hm.")

        with pytest.raises(TracerOutdated, match="excluded"):
            promoting.promote(course=course, run=make_run(course=course), at=AT, progress=toggle)
        assert live(course) == before

    def test_a_refit_does_not_undo_a_promotion(self, fitted):
        adoption.give_tracer_and_fold(course=fitted, at=AT)
        run, folds = make_run(course=fitted), []

        def promote(_):
            if not folds:
                folds.append(1)
                promoting.promote(course=Course.objects.get(pk=fitted.pk), run=run, at=AT)

        version = adoption.fit_and_adopt(course=fitted, at=AT, reason="import", progress=promote)

        assert live(fitted) == version
        assert live_number(fitted) == 1
        assert "fitted_on" in version.provenance
        assert version.provenance["fitted_on"] != "prior"
        assert statuses(fitted) == {"operational"}

    def test_a_promotion_does_not_undo_a_refit(self, fitted):
        adoption.give_tracer_and_fold(course=fitted, at=AT)
        folds = []

        def refit(_):
            if not folds:
                folds.append(1)
                own = Course.objects.get(pk=fitted.pk)
                adoption.fit_and_adopt(course=own, at=AT, reason="import")

        promoting.promote(course=fitted, run=make_run(course=fitted), at=AT, progress=refit)

        assert live_number(fitted) == 1
        assert live(fitted).provenance["fitted_on"] != "prior"
        assert len(live(fitted).body["fitted_offsets"]) == 24


class TestTheWayBack:
    def test_past_a_refit_keeps_the_fit_and_leaves_the_run(self, fitted):
        adoption.give_tracer_and_fold(course=fitted, at=AT)
        promoting.promote(course=fitted, run=make_run(course=fitted), at=AT)
        refit = adoption.fit_and_adopt(course=fitted, at=AT, reason="import")

        promoting.roll_back(course=fitted, at=AT)

        assert live_number(fitted) is None
        assert live(fitted).body["item_offsets"] == refit.body["fitted_offsets"]
        assert statuses(fitted) == {"provisional"}
        promoting.roll_back(course=fitted, at=AT)
        assert live(fitted) == refit
        assert statuses(fitted) == {"operational"}

    def test_leads_from_the_second_run_to_the_first(self, fitted):
        adoption.give_tracer_and_fold(course=fitted, at=AT)
        first, second = (make_run(course=fitted) for _ in range(2))
        for run in (first, second):
            promoting.promote(course=fitted, run=run, at=AT)
        adoption.fit_and_adopt(course=fitted, at=AT, reason="import")

        promoting.roll_back(course=fitted, at=AT)

        assert live_number(fitted) == 1
        assert live(fitted).provenance["fitted_on"] != "prior"

    def test_leaves_an_item_excluded_meanwhile_uncounted(self, course, administrator):
        adoption.give_tracer_and_fold(course=course, at=AT)
        for _ in range(2):
            promoting.promote(course=course, run=make_run(course=course), at=AT)
        first = versions_of(course)[0]
        services.set_status(
            item=first.item, status="excluded", actor=administrator, reason="Wrong key."
        )

        promoting.roll_back(course=course, at=AT)

        assert live_number(course) == 1
        assert live(course).body["item_vars"][str(first.pk)] is None


@pytest.mark.parametrize("is_taken_back", [True, False])
def test_an_item_that_is_no_longer_excluded_counts_again_soon(
    course, learner, administrator, is_taken_back
):
    first = versions_of(course)[0]
    record(learner=learner, course=course, version=first, answered_at=AT)
    change = services.set_status(
        item=first.item, status="excluded", actor=administrator, reason="Wrong key."
    )
    # Used by force: the run in use is asked for no gate again.
    run = make_run(course=course, passed=False, gates=[{"name": "scale-moved", "passed": False}])
    promoting.promote(course=course, run=run, at=AT, force=True)
    assert not CalibrationJob.objects.exists()

    if is_taken_back:
        services.take_back(change=change, actor=administrator, reason="The key was right.")
    else:
        item = Item.objects.get(pk=first.item_id)
        services.set_status(item=item, status="pilot", actor=administrator, reason="Mended.")
    assert working.work(at=AT) == 1

    assert CalibrationJob.objects.get().state == CalibrationJob.State.DONE
    tracer = tracer_of(Course.objects.get(pk=course.pk))
    assert tracer.var_of_version[first.pk] < 1.0
    assert selectors.get_state(learner_id=learner.pk, tracer=tracer).filter.n == 1


def test_a_promotion_or_a_way_back_is_no_fit_on_what_was_imported(fitted, learner):
    fit = adoption.fit_and_adopt(course=fitted, at=AT, reason="import")
    LogImport.objects.create(
        organisation=fitted.organisation,
        course=fitted,
        started_at=AT + DAY,
        rows_added=10,
        plan={},
    )
    assert adoption.is_fit_due(course=fitted)

    promoting.promote(course=fitted, run=make_run(course=fitted), at=AT + 2 * DAY)
    assert adoption.is_fit_due(course=fitted)
    assert promoting.roll_back(course=fitted, at=AT + 3 * DAY) == fit
    assert adoption.is_fit_due(course=fitted)

    record(learner=learner, course=fitted, version=versions_of(fitted)[0], answered_at=AT)
    adoption.fit_and_adopt(course=fitted, at=AT + 4 * DAY, reason="import")
    assert not adoption.is_fit_due(course=fitted)
