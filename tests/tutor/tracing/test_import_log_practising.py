"""After an import there is something to practise on."""

import datetime as dt

import pytest
from django.core.management import CommandError

from tests import factories
from tests.tutor.responses.importing.logs import made_up_rows, write_log
from tests.tutor.tracing.imports import DBE_SMALL, LATER, course_named, import_log
from tutor.content import grading
from tutor.content.models import Item, ItemVersion
from tutor.practice import selectors as practice_selectors
from tutor.responses.models import Response
from tutor.scheduling.models import Decision
from tutor.tracing.models import LearnerState

pytestmark = pytest.mark.django_db


class TestPractising:
    def test_on_a_log_that_only_names_its_questions(self, tmp_path):
        organisation = factories.make_organisation()
        student = factories.make_user(organisation=organisation)
        rows = made_up_rows()

        import_log(write_log(tmp_path / "log.csv", rows), "--enrol", student.username)

        course = course_named("log")
        assert student.learner.classes.get().course == course
        session = factories.start_session(learner=student.learner, course=course, at=LATER)
        names = {row["item"] for row in rows}
        before = practise(session, answers=6)
        assert all(
            item.kind == "self_marked"
            and item.stem.startswith("Work question **")
            and item.stem.split("**")[1] in names
            for item in before
        )
        decisions = Decision.objects.filter(learner=student.learner).order_by("pk")
        shifts = [shift for d in decisions for shift in d.shifts.values()]
        assert len(decisions) == 7
        assert all(d.reason and 0 < d.propensity <= 1 for d in decisions if d.item_version_id)
        assert len(shifts) == 6
        assert all(after > earlier for earlier, _, after, _ in shifts)

    def test_answers_to_a_written_course_reach_its_items(self, tmp_path):
        organisation = factories.make_organisation()
        course = factories.make_course(organisation=organisation)
        items = list(Item.objects.filter(course=course).order_by("pk"))
        versions = ItemVersion.objects.count()
        rows = made_up_rows(learners=4, answers=5)
        for number, row in enumerate(rows):
            row["item"] = items[number % len(items)].slug
        rows[7]["item"] = "No such item!"
        path = write_log(tmp_path / "log.csv", rows)

        said = import_log(path, "--course", course.slug, "--rejects", str(tmp_path / "bad.csv"))

        assert f"The course {course.slug} is there and stays as it is." in said
        assert "The first is line 9: item 'No such item!': the course" in said
        assert Item.objects.count() == len(items)
        assert ItemVersion.objects.count() == versions
        assert Response.objects.count() == 19
        assert {r.item_version.item.slug for r in Response.objects.all()} <= {
            item.slug for item in items
        }
        assert LearnerState.objects.count() == 4

    def test_questions_from_elsewhere_do_not_replace_a_written_course(self, tmp_path):
        organisation = factories.make_organisation()
        course = factories.make_course(organisation=organisation)

        with pytest.raises(CommandError, match="has content from elsewhere"):
            import_log(DBE_SMALL, "--course", course.slug, format_name="dbe-kt22")

        assert not Item.objects.filter(status=Item.Status.RETIRED).exists()


def practise(session, *, answers):
    """Answer everything right; return the items as they were shown."""
    items = []
    for second in range(answers):
        shown = practice_selectors.get_presentation(
            learner=session.learner, public_id=session.current.public_id
        )
        items.append(shown.item)
        assert grading.grade(shown.item, grading.right_answer(shown.item)).is_correct
        factories.answer_current(session, at=LATER + dt.timedelta(minutes=second + 1))
    return items
