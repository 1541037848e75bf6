"""Items are compared between groups of learners; what is found is shown and nothing follows."""

import io

import numpy as np
import pytest
from django.core.management import call_command
from django.db.models import QuerySet

from tests.factories import AT, make_class, make_user
from tests.tutor.calibration.conftest import EM
from tests.tutor.calibration.logs import a_course, answer_all
from tests.tutor.histories import versions_of
from tests.tutor.responses.importing.logs import write_log
from tests.tutor.tracing.imports import course_named, import_log
from tutor.calibration import preparing, running, showing
from tutor.classes.models import Enrolment
from tutor.responses import grouping
from tutor.responses.grouping import By
from tutor.responses.models import Response

pytestmark = pytest.mark.django_db


def enrol(course, name, learners):
    classroom = make_class(course=course, name=name)
    Enrolment.objects.bulk_create(
        [Enrolment(classroom=classroom, learner_id=learner) for learner in learners]
    )


@pytest.fixture
def two_classes(organisation):
    """Nine items, 260 learners in each of two classes; the third item is unfair to 7b."""
    course = a_course(organisation=organisation, items=9)
    ours = answer_all(course, learners=260, source="7a")
    # Abler, which is no unfairness.
    theirs = answer_all(course, learners=260, source="7b", seed=1, mean=0.4)
    unfair = versions_of(course)[2]
    right = Response.objects.filter(item_version=unfair, learner__in=theirs, is_correct=True)
    taken = np.random.default_rng(0).permutation(right.order_by("pk").values_list("pk", flat=True))
    cut = taken[: len(taken) // 2].tolist()
    # The log itself refuses: it is only appended to.
    QuerySet(Response).filter(pk__in=cut).update(is_correct=False, credit=0.0)
    return course, unfair, ours, theirs


def classes_of(run, focal):
    rows = [row for row in run.groups["items"] if row["focal"] == focal]
    return {row["version"]: row["mantel_haenszel"]["ets"] for row in rows}


def test_an_unfair_item_is_found_shown_and_left_alone(two_classes, client, organisation):
    course, unfair, ours, theirs = two_classes
    enrol(course, "7a", [*ours, theirs[0]])
    enrol(course, "7b", theirs)

    run = running.calibrate_course(course=course, at=AT, settings=EM)

    assert (run.groups["by"], run.groups["reference"]) == ("class", "7a")
    # Who is in both classes is in none.
    assert run.groups["sizes"] == {"": 1, "7a": 260, "7b": 259}
    found = classes_of(run, "7b")
    assert found[unfair.pk] == "C"
    assert [ets for pk, ets in found.items() if pk != unfair.pk].count("C") == 0
    row = next(row for row in run.groups["items"] if row["version"] == unfair.pk)
    assert (row["n_focal"], row["n_reference"]) == (259, 260)
    assert row["mantel_haenszel"]["delta"] < -1.5
    assert row["logistic"]["p_uniform"] < 1e-4
    # It is flagged in the run, and no status follows from that.
    assert "dif" in run.items.get(version=unfair).flags
    moves = preparing.find_moves(course=course, run=run)
    assert moves.get(unfair.item_id, ("", ""))[0] != "flagged"
    first = showing.tabulate_groups(run)[1][0]
    assert first[:5] == (str(unfair), "7b", "259", "260", "C")
    client.force_login(make_user(organisation=organisation, role="administrator"))
    page = client.get(f"/admin/calibration/calibrationrun/{run.pk}/change/").content.decode()
    assert "<td>259</td><td>260</td><td>C</td>" in page
    out = io.StringIO()
    call_command("show_calibration", "--course", course.slug, stdout=out)
    assert "learners 7a: 260, 7b: 259, in none or several: 1" in out.getvalue()
    assert out.getvalue().count("item-") >= 18


def test_groups_that_chance_made_find_nothing(two_classes):
    course, _, ours, theirs = two_classes
    shuffled = np.random.default_rng(1).permutation([*ours, *theirs]).tolist()
    enrol(course, "heads", shuffled[:260])
    enrol(course, "tails", shuffled[260:])

    run = running.calibrate_course(course=course, at=AT, settings=EM)

    assert set(classes_of(run, "heads") | classes_of(run, "tails")) == {
        version.pk for version in versions_of(course)
    }
    assert "C" not in {*classes_of(run, "heads").values(), *classes_of(run, "tails").values()}


def test_without_two_groups_nothing_is_compared(organisation):
    course = a_course(organisation=organisation, items=9)
    learners = answer_all(course, learners=30)
    enrol(course, "7a", learners)

    run = running.calibrate_course(course=course, at=AT, settings=EM)
    enrol(course, "7b", [])

    assert run.groups is None
    assert grouping.find_groups(course=course) is None
    assert "less than two" in showing.describe_groups(run)[0]


class TestFindGroups:
    @pytest.fixture
    def imported(self, tmp_path):
        told = [("ann", "north"), ("bo", "south"), ("cy", "south"), ("di", ""), ("ed", "north")]
        rows = [
            {"learner": name, "item": "q", "correct": 1, "group": group}
            for name, group in [*told, ("ed", "south")]
        ]
        import_log(write_log(tmp_path / "log.csv", rows), "--no-fit")
        return course_named("log")

    def test_takes_the_column_of_an_imported_log_first(self, imported):
        learners = list(Response.objects.order_by("pk").values_list("learner", flat=True))
        enrol(imported, "7a", learners[:2])
        enrol(imported, "7b", learners[2:4])

        found = grouping.find_groups(course=imported)
        by_class = grouping.find_groups(course=imported, by=By.CLASS)

        # Di has none, Ed two.
        assert found.by == "group"
        assert sorted(found.groups.values()) == ["north", "south", "south"]
        assert sorted(set(by_class.groups.values())) == ["7a", "7b"]
        assert grouping.find_groups(course=imported, by=By.NONE) is None

    def test_tells_two_classes_of_one_name_apart(self, imported):
        learners = list(Response.objects.order_by("pk").values_list("learner", flat=True))
        enrol(imported, "7a", learners[:1])
        enrol(imported, "7a", learners[1:2])

        found = grouping.find_groups(course=imported, by=By.CLASS)

        assert len(set(found.groups.values())) == 2
