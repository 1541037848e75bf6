"""An answer on trial stays one wherever the log goes, so that a fold there gives the same."""

import datetime as dt

import pytest

from tests import factories
from tests.factories import AT, make_learner, make_user
from tests.tutor.histories import all_equal, record, tracer_of, versions_of
from tests.tutor.responses.exporting.exports import export
from tests.tutor.responses.importing.logs import write_log
from tests.tutor.tracing.imports import course_named, import_log
from tutor.calibration import services as calibration_services
from tutor.content.models import Item
from tutor.responses.models import LogImport, Response
from tutor.tracing import rebuilding, selectors

pytestmark = pytest.mark.django_db

MINUTE = dt.timedelta(minutes=1)


def states(course):
    """The course's folded filter states as histories without names: (answers counted, mean)."""
    tracer = tracer_of(course)
    learners = Response.objects.filter(course=course).values_list("learner", flat=True)
    list(rebuilding.fold(tracer=tracer, learner_ids=set(learners)))
    found = [
        selectors.get_state(learner_id=pk, tracer=tracer).filter for pk in sorted(set(learners))
    ]
    return sorted((state.n, round(state.ability_mean, 12)) for state in found)


def test_a_refold_after_export_and_import_gives_the_same_states(course, organisation, tmp_path):
    for number in range(4):
        learner = make_learner(organisation=organisation)
        for step, version in enumerate(versions_of(course)[:6]):
            record(
                learner=learner,
                course=course,
                version=version,
                is_pilot=(step + number) % 3 == 0,
                is_correct=bool((step * number) % 2),
                credit=float((step * number) % 2),
                answered_at=AT + step * MINUTE,
            )
    path = export(course, tmp_path / "log.csv").path
    elsewhere = factories.make_organisation()
    twin = factories.make_course(organisation=elsewhere)

    import_log(path, "--organisation", elsewhere.slug, "--course", twin.slug, "--no-fit")

    assert states(twin) == states(course)
    assert {n for n, _ in states(twin)} == {4}
    assert all(all_equal(twin).values())


class TestALogThatDoesNotSay:
    @pytest.mark.parametrize("status", ["draft", "pilot"])
    def test_counts_for_no_mastery_where_the_item_is_on_trial_here(
        self, course, organisation, tmp_path, status
    ):
        tried, used = (version.item for version in versions_of(course)[:2])
        administrator = make_user(organisation=organisation, role="administrator")
        calibration_services.set_status(
            item=tried, status=status, actor=administrator, reason="New."
        )
        rows = [
            {"learner": "ann", "item": item.slug, "correct": 1, "is_pilot": said}
            for item in (tried, used)
            for said in ("", 0, 1)
        ]
        path = write_log(tmp_path / "log.csv", rows)

        import_log(path, "--organisation", organisation.slug, "--course", course.slug, "--no-fit")

        stored = Response.objects.order_by("answered_at")
        # Its own word holds; without one, where the item is in its life here.
        assert [row.is_pilot for row in stored] == [True, False, True, False, False, True]
        warnings = LogImport.objects.get().plan["warnings"]
        assert any(text.startswith("3 answers were given while") for text in warnings)
        assert Item.objects.get(pk=tried.pk).status == status

    def test_counts_where_the_item_is_in_use(self, organisation, tmp_path):
        rows = [{"learner": "ann", "item": "q", "correct": 1}]
        import_log(write_log(tmp_path / "log.csv", rows), "--no-fit")

        assert not Response.objects.get().is_pilot
        warnings = LogImport.objects.get(course=course_named("log")).plan["warnings"]
        assert not any("tried out" in text for text in warnings)
