"""`manage.py import_log`: what it says is what it does, however often and wherever it is cut."""

import csv
import datetime as dt
import io
import os
import signal
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from tests import factories
from tests.servers.process import ROOT
from tests.tutor.responses.importing.logs import made_up_rows, write_log
from tutor.accounts.models import Learner, Organisation
from tutor.classes.models import Classroom
from tutor.content import grading
from tutor.content.models import Concept, Course, Item, ItemVersion, Prerequisite
from tutor.practice import selectors as practice_selectors
from tutor.registry.models import Promotion, TracerVersion
from tutor.responses.importing import apply
from tutor.responses.models import LogImport, Response
from tutor.scheduling.models import Decision
from tutor.tracing import adoption, selectors, services
from tutor.tracing.models import LearnerState

pytestmark = pytest.mark.django_db

TABLES = (
    *(Organisation, Learner, Course, Concept, Prerequisite, Item, ItemVersion),
    *(TracerVersion, Promotion, Response, LogImport, LearnerState, Classroom),
)
DBE_SMALL = ROOT / "tests" / "data" / "dbe_small"
LATER = factories.AT.replace(year=2027)


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """Somewhere that the file of rejects may be written to."""
    monkeypatch.chdir(tmp_path)


def import_log(path, *options, format_name="csv") -> str:
    out = io.StringIO()
    call_command("import_log", format_name, str(path), *options, stdout=out)
    return out.getvalue()


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in TABLES}


def newest_import() -> LogImport:
    return LogImport.objects.order_by("-pk")[0]


def course_named(slug: str, organisation=None) -> Course:
    found = Course.objects.filter(slug=slug)
    return found.get(organisation=organisation) if organisation else found.get()


def answers_of(course: Course) -> list[tuple]:
    return list(
        Response.objects.filter(course=course)
        .order_by("learner__source_key", "answered_at", "id")
        .values_list(
            *("learner__source_key", "client_key", "item_version__item__slug", "answered_at"),
            *("credit", "is_correct", "hints_seen", "attempt", "elapsed_ms", "presented_at"),
        )
    )


def masteries_of(course: Course) -> dict[str, list[float]]:
    """Source key -> P(right) on every concept, from the stored states under the live tracer."""
    course.refresh_from_db()
    tracer = selectors.get_tracer(course_id=course.pk, revision=course.revision)
    found = {}
    for stored in LearnerState.objects.filter(tracer=tracer.tracer_id).select_related("learner"):
        opened = services.open_state(learner_id=stored.learner_id, tracer=tracer)
        masteries = selectors.masteries_of(tracer, opened.learner, at=LATER)
        found[stored.learner.source_key] = [mastery.prob for mastery in masteries.values()]
    return found


class TestPlan:
    def test_says_what_is_done(self, tmp_path):
        rows = made_up_rows()
        rows += [{**rows[0], "correct": "maybe"}, {**rows[1], "answered_at": "soon"}]
        path = write_log(tmp_path / "spring.csv", rows)

        said = import_log(path, "--dry-run")
        assert counts() == dict.fromkeys(counts(), 0)
        import_log(path)

        plan = newest_import().plan
        done = counts()
        assert plan["answers"] - plan["answers_known"] == done["Response"] == 600
        assert plan["learners_new"] == plan["learners"] == done["Learner"] == 24
        assert plan["items"] == plan["items_new"] == done["Item"] == 12
        assert plan["concepts"] == done["Concept"] == 4
        assert plan["rejects"] == 2
        assert plan["course_new"] is True
        assert "600 answers of 24 learners (24 new), 0 already in the log" in said
        assert "2 rows rejected" in said
        assert newest_import().rows_added == 600

    def test_of_a_second_import_too(self, tmp_path):
        rows = made_up_rows()
        import_log(write_log(tmp_path / "spring.csv", rows[:400]))
        before = counts()

        import_log(write_log(tmp_path / "spring.csv", rows))

        plan, done = newest_import().plan, counts()
        assert (plan["answers"], plan["answers_known"], plan["items_new"]) == (600, 400, 0)
        assert done["Response"] - before["Response"] == 200
        assert plan["learners_new"] == done["Learner"] - before["Learner"] == 8
        assert plan["course_new"] is False


class TestAgain:
    def test_the_same_file_adds_nothing(self, tmp_path):
        path = write_log(tmp_path / "spring.csv", made_up_rows())
        import_log(path)
        before, answers = counts(), answers_of(course_named("spring"))
        masteries = masteries_of(course_named("spring"))

        said = import_log(path)

        assert "0 answers added, 600 were there already." in said
        assert counts() == {**before, "LogImport": before["LogImport"] + 1}
        assert answers_of(course_named("spring")) == answers
        assert masteries_of(course_named("spring")) == masteries

    def test_equal_rows_are_as_many_as_the_file_has(self, tmp_path):
        row = made_up_rows()[0]
        import_log(write_log(tmp_path / "log.csv", [row] * 2))

        import_log(write_log(tmp_path / "log.csv", [row] * 3))

        assert Response.objects.count() == 3

    def test_a_longer_file_adds_the_rest_with_its_items(self, tmp_path):
        rows = made_up_rows()
        new = [
            {**rows[0], "item": "Question 1", "concepts": "Topic 1", "answered_at": 1_773_000_000},
            {**rows[0], "item": "question 1", "concepts": "Topic 1", "answered_at": 1_773_000_001},
        ]
        import_log(write_log(tmp_path / "log.csv", rows))
        before = answers_of(course_named("log"))

        said = import_log(write_log(tmp_path / "log.csv", [*rows, *new]))

        after = answers_of(course_named("log"))
        assert "2 answers added, 600 were there already." in said
        assert set(before) < set(after)
        assert Item.objects.count() == ItemVersion.objects.count() == 13
        assert Concept.objects.count() == 5
        assert not Item.objects.filter(status=Item.Status.RETIRED).exists()
        newest = sorted(set(after) - set(before), key=lambda row: row[3])
        first, second = (row[2] for row in newest)
        assert first != second
        assert second in {row[2] for row in before}

    def test_another_part_of_the_log_keeps_what_it_does_not_name(self, tmp_path):
        rows = made_up_rows(items=12)
        early = [row for row in rows if int(row["item"].split()[1]) < 6]
        late = [row for row in rows if int(row["item"].split()[1]) >= 6]
        import_log(write_log(tmp_path / "a.csv", early), "--course", "maths")

        import_log(write_log(tmp_path / "b.csv", late), "--course", "maths")

        assert Item.objects.filter(status=Item.Status.OPERATIONAL).count() == 12
        assert Response.objects.count() == len(rows)
        assert Learner.objects.count() == 24

    def test_a_fit_that_was_declined_is_made_up_for(self, tmp_path):
        path = write_log(tmp_path / "log.csv", made_up_rows())
        import_log(path, "--no-fit")
        assert [p.reason for p in Promotion.objects.all()] == ["prior"]
        assert LearnerState.objects.count() == 24

        import_log(path)

        assert [p.reason for p in Promotion.objects.order_by("pk")] == ["prior", "import"]


class PowerCut(BaseException):
    """Nothing catches it."""


CUTS = {
    "before the learners": ("tutor.accounts.services.admit_learners", 1, "before"),
    "after the learners": ("tutor.accounts.services.admit_learners", 1, "after"),
    "in the second chunk": ("tutor.responses.services.append_new", 2, "after"),
    "after the last chunk": ("tutor.responses.services.append_new", 6, "after"),
    "before the fit": ("tutor.registry.training.fit_filter", 1, "before"),
    "after the fit": ("tutor.registry.training.fit_filter", 1, "after"),
    "while folding": ("tutor.tracing.services.refold_learner", 3, "after"),
    "before the switch": ("tutor.registry.services.promote", 1, "before"),
}


class TestCutOff:
    @pytest.mark.parametrize("where", CUTS)
    def test_goes_on_to_what_an_uninterrupted_import_gives(self, tmp_path, monkeypatch, where):
        monkeypatch.setattr(apply, "CHUNK", 100)
        path = write_log(tmp_path / "log.csv", made_up_rows())
        whole = factories.make_organisation()
        cut = factories.make_organisation(pseudonym_key=whole.pseudonym_key)
        import_log(path, "--organisation", whole.slug)
        options = ("--organisation", cut.slug)
        if where == "while folding":
            options += ("--no-fit",)

        with monkeypatch.context() as patch:
            cut_at(patch, *CUTS[where])
            with pytest.raises(PowerCut):
                import_log(path, *options)
        import_log(path, "--organisation", cut.slug)

        expected, found = course_named("log", whole), course_named("log", cut)
        assert answers_of(found) == answers_of(expected)
        assert masteries_of(found) == masteries_of(expected)
        assert Item.objects.filter(course=found).count() == 12
        newest = newest_import()
        assert newest.finished_at is not None
        imports = LogImport.objects.filter(organisation=cut)
        assert sum(run.rows_added for run in imports) == 600

    def test_kill_9_leaves_whole_chunks(self, place, tmp_path):
        path = write_log(tmp_path / "log.csv", made_up_rows())
        run = [sys.executable, "-c", KILLED_IN_THE_SECOND_CHUNK, str(path)]
        environment = {**os.environ, **place.environment, "PYTHONPATH": str(ROOT)}

        killed = subprocess.run(run, env=environment, cwd=tmp_path, check=False)
        after_kill = place.query(COUNT_ANSWERS)
        said = place.manage("import_log", "csv", str(path))

        assert killed.returncode == -signal.SIGKILL
        assert after_kill == [(100, 100)]
        assert "500 answers added, 100 were there already." in said
        assert place.query(COUNT_ANSWERS) == [(600, 600)]
        assert "live" in said


COUNT_ANSWERS = "SELECT count(*), count(DISTINCT client_key) FROM responses_response"
KILLED_IN_THE_SECOND_CHUNK = """
import os, signal, sys
import django
django.setup()
from django.core.management import call_command
from tutor.responses import services
from tutor.responses.importing import apply

apply.CHUNK, append, calls = 100, services.append_new, iter(range(2))

def append_and_die(*, rows):
    added = append(rows=rows)
    if next(calls) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return added

services.append_new = append_and_die
call_command("import_log", "csv", sys.argv[1])
"""


def cut_at(patch, target: str, call: int, when: str) -> None:
    """Cut the power at the n-th call of a function."""
    module, _, name = target.rpartition(".")
    original = getattr(__import__(module, fromlist=[name]), name)
    calls = iter(range(1, 1000))

    def cutting(*args, **kwargs):
        is_last = next(calls) == call
        if is_last and when == "before":
            raise PowerCut
        result = original(*args, **kwargs)
        if is_last:
            raise PowerCut
        return result

    patch.setattr(target, cutting)


class TestRejects:
    def test_stand_in_a_file_and_the_others_come_in(self, tmp_path):
        rows = made_up_rows(learners=2, answers=3)
        rows[1]["correct"] = "NaN"
        rows[4]["answered_at"] = "1772359200000"
        path = write_log(tmp_path / "log.csv", rows)

        import_log(path, "--rejects", str(tmp_path / "bad.csv"))

        with (tmp_path / "bad.csv").open(newline="") as file:
            found = list(csv.DictReader(file))
        assert [(row["line"], row["field"], row["value"]) for row in found] == [
            ("3", "correct", "NaN"),
            ("6", "answered_at", "1772359200000"),
        ]
        assert "divided by 1000" in found[1]["reason"]
        assert Response.objects.count() == 4

    def test_of_a_file_without_one_good_row_nothing_is_written(self, tmp_path):
        path = write_log(tmp_path / "log.csv", made_up_rows(learners=1, correct="yes"))

        with pytest.raises(CommandError, match="25 rows, none of which"):
            import_log(path)

        assert counts() == dict.fromkeys(counts(), 0)
        assert len((tmp_path / "log.rejects.csv").read_text().splitlines()) == 26

    def test_that_cannot_be_written_stop_the_import(self, tmp_path):
        rows = made_up_rows(learners=1)
        path = write_log(tmp_path / "log.csv", [*rows, {**rows[0], "item": ""}])

        with pytest.raises(CommandError, match="--rejects"):
            import_log(path, "--rejects", str(tmp_path / "no" / "where.csv"))

        assert counts() == dict.fromkeys(counts(), 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "lacks the column learner, item, correct"),
        (b"learner,item\na,b\n", "lacks the column correct"),
        (b"learner;item;correct\na;b;1\n", "separated by semicolons; use commas"),
        (b"learner,item,correct,item\na,b,1,c\n", "names the column item more than once"),
        ("learner,item,correct\nZoë,b,1\n".encode("latin-1"), "not text in UTF-8"),
        ("learner,item,correct\na,b,1\n".encode("utf-16"), "not text in UTF-8"),
        (b'learner,item,correct\na,b,1\na,"b,1\n', "row after line 2. Is a quote open?"),
        (b"learner,item,correct\na," + b"b" * 10_000_000 + b",1\n", "field larger than"),
        (b"learner,item,correct\n", "there is no answer in it"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_a_reason(tmp_path, content, said):
    path = tmp_path / "log.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError) as caught:
        import_log(path)

    assert said in str(caught.value)
    assert counts() == dict.fromkeys(counts(), 0)


class TestOptions:
    def test_that_name_nothing_are_refused(self, tmp_path):
        path = write_log(tmp_path / "log.csv", made_up_rows(learners=1))
        first, second = factories.make_organisation(), factories.make_organisation()
        before = counts()

        for options, said in (
            ((), f"{first.slug}, {second.slug}"),
            (("--organisation", "nowhere"), "no organisation 'nowhere'"),
            (("--organisation", first.slug, "--enrol", "nobody"), "is called nobody"),
            (("--organisation", first.slug, "--course", "my course!"), "is no slug"),
        ):
            with pytest.raises(CommandError, match=said):
                import_log(path, *options)
        with pytest.raises(CommandError, match="No such file"):
            import_log(tmp_path / "none.csv", "--organisation", first.slug)

        assert counts() == before


class TestShapes:
    """Logs at the edge: whatever they hold, everybody has a state and estimates are numbers."""

    @pytest.mark.parametrize(
        "made",
        [
            {"correct": 1},
            {"correct": 0},
            {"correct": 0.5},
            {"answered_at": None},
            {"answered_at": 1_772_359_200},
            {"concepts": None},
            {"concepts": "Ω|a|b|a", "item": "only"},
            {"learners": 1, "answers": 600},
            {"learners": 600, "answers": 1},
            {"elapsed_ms": None, "hints": 3},
        ],
        ids=str,
    )
    def test_give_everybody_estimates(self, tmp_path, made):
        rows = made_up_rows(**made)

        import_log(write_log(tmp_path / "log.csv", rows))

        course = course_named("log")
        masteries = masteries_of(course)
        assert len(masteries) == len({row["learner"] for row in rows})
        assert all(0.0 < prob < 1.0 for own in masteries.values() for prob in own)
        assert adoption.count_learners(course=course) == len(masteries)
        fitted = Promotion.objects.order_by("-pk")[0].reason != "prior"
        assert fitted == (made.get("learners") != 1)


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

        said = import_log(path, "--course", course.slug)

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
