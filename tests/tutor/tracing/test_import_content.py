"""`manage.py import_content`: what is stored, shown, refused; and practising on it."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests.factories import answer_current, make_organisation, make_user, start_session
from tests.tutor.content.importing.factories import SMALL, as_one_file, copy_small
from tutor.accounts.models import Organisation
from tutor.classes.models import Classroom
from tutor.content import grading
from tutor.content.models import Concept, Course, Item, ItemVersion, Prerequisite
from tutor.content.templates import instantiate
from tutor.registry.models import TracerVersion
from tutor.responses.models import Response

pytestmark = pytest.mark.django_db

COURSE = "baking-a-start"
TABLES = (Organisation, Course, Concept, Prerequisite, Item, ItemVersion, TracerVersion, Classroom)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    out = io.StringIO()
    call_command("import_content", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused(*arguments):
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    return str(caught.value)


def counts():
    return {model.__name__: model.objects.count() for model in TABLES}


def links(slug=COURSE):
    edges = Prerequisite.objects.filter(concept__course__slug=slug)
    return set(edges.values_list("concept__slug", "requires__slug"))


def edges_file(tmp_path, *pairs):
    path = tmp_path / "edges.csv"
    path.write_text("concept,requires\n" + "".join(f"{a},{b}\n" for a, b in pairs))
    return path


class TestOATutor:
    def test_stores_the_courses_and_says_what_it_took(self, tmp_path):
        text = run("oatutor", SMALL)

        assert "Course baking-a-start (Baking: A Start): 5 concepts, 11 items" in text
        assert "13 of 18 steps can be taken (72.2%)" in text
        assert "     1  interval (for example circle5c: [2,inf))" in text
        assert Course.objects.count() == 3
        course = Course.objects.get(slug=COURSE)
        assert course.title == "Baking: A Start"
        assert "CC BY 4.0" in course.source
        assert Item.objects.filter(course=course, current__isnull=False).count() == 11
        assert TracerVersion.objects.filter(course=course).count() == 1
        with (tmp_path / "oatutor_small.listed.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["step"] for row in rows} >= {"circle5c", "shelf4a", "dough2a"}
        assert all(row["reason"] for row in rows)

    def test_changes_nothing_the_second_time(self):
        run("oatutor", SMALL)
        before, revision = counts(), Course.objects.get(slug=COURSE).revision

        assert "0 new items, 0 new versions, 0 retired" in run("oatutor", SMALL)

        assert counts() == before
        assert Course.objects.get(slug=COURSE).revision == revision

    def test_makes_a_new_version_of_what_changed(self, tmp_path):
        folder = copy_small(tmp_path)
        run("oatutor", folder, "--course", COURSE)
        step = folder / "content-pool/loaf1/steps/loaf1a/loaf1a.json"
        data = json.loads(step.read_text())
        step.write_text(json.dumps(data | {"stepTitle": "And half of it?"}))

        # The next part tells what this one asked.
        assert "0 new items, 3 new versions, 0 retired" in run(
            "oatutor", folder, "--course", COURSE
        )
        versions = ItemVersion.objects.filter(item__slug="loaf1-a").order_by("number")
        assert [version.number for version in versions] == [1, 2]
        assert "And half of it?" in versions[1].body["stem"]

    def test_writes_nothing_in_a_dry_run_but_the_list(self, tmp_path):
        before = counts()
        text = run("oatutor", SMALL, "--dry-run", "--listed", tmp_path / "left.csv")
        assert "Dry run: nothing was imported." in text
        assert counts() == before
        assert (tmp_path / "left.csv").exists()

    def test_lists_the_courses_and_stops(self):
        text = run("oatutor", SMALL, "--list")
        assert f"{COURSE}: Baking: A Start (en), 2 lessons, 5 skills, 16 steps" in text
        assert counts()["Course"] == 0

    def test_lets_those_enrolled_practise(self, organisation):
        student = make_user(organisation=organisation, username="anna")
        text = run(
            "oatutor", SMALL, "--course", COURSE, "--enrol", "anna",
            "--organisation", organisation.slug,
        )  # fmt: skip

        course = Course.objects.get(slug=COURSE)
        assert "Class “Baking: A Start”: anna" in text
        assert Classroom.objects.get(course=course).enrolments.get().learner == student.learner
        session = start_session(learner=student.learner, course=course)
        for _ in range(5):
            answer_current(session)
            session.refresh_from_db()
        assert Response.objects.filter(is_correct=True).count() == 5

    def test_takes_prerequisites_by_name_or_slug(self, tmp_path):
        path = edges_file(
            tmp_path, ("money", "Halves and quarters"), ("solve_equations", "simplify-expressions"),
            ("solve_equations", "nothing_known"),
        )  # fmt: skip
        text = run("oatutor", SMALL, "--course", COURSE, "--prerequisites", path)

        assert "column 1 requires column 2" in text
        assert "3 pairs read, 2 prerequisite links" in text
        assert "1 names lead nowhere: nothing_known." in text
        assert links() == {
            ("money", "halves-and-quarters"),
            ("solve-equations", "simplify-expressions"),
        }

    def test_keeps_prerequisites_that_were_added_since(self, tmp_path):
        run("oatutor", SMALL, "--course", COURSE)
        run("edges", edges_file(tmp_path, ("money", "halves-and-quarters")), "--course", COURSE)
        before = links()

        run("oatutor", SMALL, "--course", COURSE)

        assert links() == before == {("money", "halves-and-quarters")}

    def test_refuses_a_circle_unless_told_to_break_it(self, tmp_path):
        path = edges_file(tmp_path, ("money", "solve-equations"), ("solve-equations", "money"))
        arguments = ("oatutor", SMALL, "--course", COURSE, "--prerequisites", path)

        message = refused(*arguments)
        assert "money" in message
        assert "--drop-cycles" in message
        assert counts()["Course"] == 0

        text = run(*arguments, "--drop-cycles")
        assert "1 pairs left out to break circles: money requires solve-equations." in text
        assert links() == {("solve-equations", "money")}

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (("oatutor", "nowhere"), "nowhere: there is no such folder or file"),
            (("oatutor", "."), "has no coursePlans.json"),
            (("oatutor", SMALL, "--course", "cooking"), "There is no course 'cooking'"),
            (("oatutor", SMALL, "--organisation", "nowhere"), "There is no organisation 'nowhere'"),
            (("oatutor", SMALL, "--enrol", "nobody"), "No account in this organisation"),
            (("oatutor", SMALL, "--listed", "no/such/folder.csv"), "name another with --listed"),
            (("oatutor", SMALL, "--prerequisites", "none.csv"), "No such file"),
            (("junyi", "none.csv"), "No such file"),
            (("edges", "none.csv"), "Name one course"),
            (("edges", "none.csv", "--course", "none"), "There is no course 'none'"),
        ],
    )
    def test_refuses_in_one_sentence(self, arguments, said):
        assert said in refused(*arguments)
        assert counts()["Course"] == 0

    def test_says_that_nothing_can_be_taken(self, tmp_path):
        folder = as_one_file(copy_small(tmp_path))
        (folder / "problems.jsonl").write_text("{\n")
        assert "no step can be taken" in refused("oatutor", folder)

    def test_asks_which_organisation(self):
        make_organisation()
        make_organisation()
        assert "add --organisation" in refused("oatutor", SMALL)

    def test_stores_all_of_a_course_or_nothing(self, monkeypatch):
        def fail(**_):
            raise RuntimeError

        monkeypatch.setattr("tutor.tracing.services.give_prior_tracer", fail)
        before = counts()
        with pytest.raises(RuntimeError):
            run("oatutor", SMALL)
        assert counts() == before


TABLE = """name,live,prerequisites,pretty_display_name,topic,area
halves,TRUE,wholes,一半,fractions,arithmetic
wholes,TRUE,,整體,fractions,arithmetic
quarters,TRUE,"halves,wholes",四分,fractions,arithmetic
"""
LOG = "learner,item,correct,concepts\nl1,halves,1,halves\nl1,quarters,0,quarters\n"


class TestJunyi:
    def test_makes_a_course_that_a_log_can_be_imported_into(self, tmp_path):
        (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
        (tmp_path / "log.csv").write_text(LOG)

        text = run("junyi", tmp_path / "table.csv")
        assert "3 exercises in table.csv" in text
        assert "3 concepts, 3 items (3 self marked), 3 prerequisite links" in text
        call_command("import_log", "csv", "log.csv", "--course", "junyi", stdout=io.StringIO())

        assert links("junyi") == {
            ("halves", "wholes"),
            ("quarters", "halves"),
            ("quarters", "wholes"),
        }
        answered = Response.objects.values_list("item_version__item__slug", "is_correct")
        assert set(answered) == {("halves", True), ("quarters", False)}
        assert "0 new items, 0 new versions" in run("junyi", tmp_path / "table.csv")
        assert Course.objects.get().slug == "junyi"

    def test_takes_slug_and_title(self, tmp_path):
        (tmp_path / "table.csv").write_text(TABLE, encoding="utf-8")
        run("junyi", tmp_path / "table.csv", "--course", "maths", "--title", "Maths")
        assert Course.objects.values_list("slug", "title").get() == ("maths", "Maths")
        assert "is no slug" in refused("junyi", tmp_path / "table.csv", "--course", "a b")


class TestEdges:
    @pytest.fixture(autouse=True)
    def _course(self):
        run("oatutor", SMALL, "--course", COURSE)

    def test_replaces_the_graph_and_raises_the_revision(self, tmp_path):
        run("edges", edges_file(tmp_path, ("money", "halves-and-quarters")), "--course", COURSE)
        before = Course.objects.get().revision

        path = edges_file(tmp_path, ("solve-equations", "money"))
        assert "has 1 prerequisite links" in run("edges", path, "--course", COURSE)
        assert links() == {("solve-equations", "money")}
        assert Course.objects.get().revision == before + 1

        assert "already" in run("edges", path, "--course", COURSE)
        assert Course.objects.get().revision == before + 1

    def test_extends_the_graph(self, tmp_path):
        run("edges", edges_file(tmp_path, ("money", "halves-and-quarters")), "--course", COURSE)
        path = edges_file(tmp_path, ("solve-equations", "money"))
        run("edges", path, "--course", COURSE, "--extend")
        assert links() == {("money", "halves-and-quarters"), ("solve-equations", "money")}

    def test_changes_nothing_in_a_dry_run_or_when_no_name_fits(self, tmp_path):
        run("edges", edges_file(tmp_path, ("money", "halves-and-quarters")), "--course", COURSE)
        before = links()
        path = edges_file(tmp_path, ("solve-equations", "money"))
        assert "Dry run" in run("edges", path, "--course", COURSE, "--dry-run")
        strangers = edges_file(tmp_path, ("a", "b"))
        assert "nothing was changed" in refused("edges", strangers, "--course", COURSE)
        assert links() == before


def test_every_stored_key_is_graded_right():
    run("oatutor", SMALL)
    for body in ItemVersion.objects.values_list("body", flat=True):
        item = instantiate(body, seed=3)
        assert grading.grade(item, grading.right_answer(item)).is_correct
