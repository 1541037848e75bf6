"""The DBE-KT22 folder: read, imported and practised on; the real one where it is at hand."""

import csv
import datetime as dt
import io
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests import factories
from tests.servers.process import ROOT
from tests.tutor.responses.importing.reading import read_log
from tutor.content import grading, markup
from tutor.content.models import Course, Item
from tutor.content.rendered import choice_id
from tutor.content.selectors import get_rendered_item
from tutor.practice import selectors as practice_selectors
from tutor.responses.importing.errors import UnreadableLog
from tutor.responses.models import LogImport, Response
from tutor.tracing.models import LearnerState

SMALL = ROOT / "tests" / "data" / "dbe_small"
ARCHIVE = ROOT.parent / "shared" / "data" / "dbe_kt22.tar.xz"
ANSWERS = 30 * 3 * 7


@pytest.fixture
def folder(tmp_path) -> Path:
    """A copy of the small folder, to change."""
    return Path(shutil.copytree(SMALL, tmp_path / "dbe"))


AT = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)


def read(folder: Path, *, at: dt.datetime = AT):
    return read_log(folder, form="dbe-kt22", title="Bread", slug="bread", at=at)


def import_folder(folder: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("import_log", "dbe-kt22", str(folder), "--course", "bread", *options, stdout=out)
    return out.getvalue()


def change(folder: Path, name: str, edit) -> None:
    """Rewrite a file of the folder; `edit` changes the list of its rows in place."""
    with (folder / name).open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows, columns = list(reader), list(reader.fieldnames)
    edit(rows)
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


class TestRead:
    def test_takes_questions_choices_concepts_and_links(self):
        incoming = read(SMALL)

        course = incoming.course
        items = {item.slug: item for item in course.items}
        assert [concept.slug for concept in course.concepts] == [
            *("flour", "dough", "proofing", "baking", "crumb-crust"),
        ]
        assert {c.slug: c.requires for c in course.concepts} == {
            "flour": (),
            "dough": ("flour",),
            "proofing": ("dough",),
            "baking": ("proofing",),
            "crumb-crust": ("baking",),
        }
        assert set(items) == {f"q{number}" for number in range(11, 18)}
        assert items["q14"].kind == "multiple_choice"
        assert items["q14"].concepts == ("proofing", "dough")
        assert items["q13"].kind == "single_choice"
        assert (items["q11"].difficulty, items["q14"].difficulty) == (-0.7, 0.7)
        assert items["q17"].difficulty == 0.0
        assert "1 questions have no concept or no choices and stay out." in incoming.warnings

    def test_takes_answers_with_their_zone_hint_and_choice(self):
        incoming = read(SMALL)

        first = incoming.answers[0]
        assert len(incoming.answers) == ANSWERS
        assert incoming.rejects == []
        assert first.answered_at.utcoffset() == dt.timedelta(0)
        assert first.presented_at < first.answered_at
        assert first.elapsed_ms == (first.answered_at - first.presented_at) / dt.timedelta(
            milliseconds=1
        )
        assert first.answer["choice"] in {choice_id(slug=first.item, index=n) for n in range(3)}
        assert sum(answer.hints for answer in incoming.answers) > 0
        for answer in incoming.answers:
            right = {"q11": 1, "q13": 1, "q15": 0, "q16": 0, "q17": 0}
            if answer.item in right:
                key = choice_id(slug=answer.item, index=right[answer.item])
                assert answer.is_correct == (answer.answer["choice"] == key)

    @pytest.mark.parametrize(
        ("field", "value", "reason"),
        [
            ("student_id", " ", "empty"),
            ("question_id", "999", "no such question"),
            ("question_id", "18", "it has no concept"),
            ("answer_state", "maybe", "neither true nor false"),
            ("end_time", "yesterday", "not a time"),
            ("end_time", "2026-09-01 00:05:01.000 +0000", "in the future"),
            ("student_id", "1\x002", "holds a NUL"),
            ("start_time", "1889-01-01 10:00:00.000 +0000", "not between 1990 and 2100"),
        ],
    )
    def test_says_which_rows_cannot_be_taken(self, folder, field, value, reason):
        # Row 50 holds a line break, so that the lines after it stand one further down.
        change(folder, "Transaction.csv", lambda rows: rows[60].update({field: value}))

        incoming = read(folder)

        [reject] = incoming.rejects
        shown = value.replace("\x00", "?")
        assert (reject.line, reject.field, reject.value) == (63, field, shown)
        assert reason in reject.reason
        assert len(incoming.answers) == ANSWERS - 1

    def test_refuses_questions_with_a_nul(self, folder):
        change(folder, "Questions.csv", lambda rows: rows[0].update({"explanation": "a\x00b"}))

        with pytest.raises(UnreadableLog, match=r"Questions\.csv, line \d+: holds a NUL"):
            read(folder)

    def test_reads_times_that_run_backwards_as_no_time_at_all(self, folder):
        def swap(rows):
            row = rows[0]
            row["start_time"], row["end_time"] = row["end_time"], row["start_time"]

        change(folder, "Transaction.csv", swap)

        [answer] = [one for one in read(folder).answers if one.line == 2]
        assert answer.elapsed_ms == 0

    def test_tells_concepts_of_one_name_apart(self, folder):
        change(folder, "KCs.csv", lambda rows: rows[0].update(name="dough"))

        slugs = {concept.slug for concept in read(folder).course.concepts}

        assert {"dough-1", "dough-3"} < slugs

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("KCs.csv", None, "has no KCs.csv"),
            ("KCs.csv", b"id,title\n1,a\n", "KCs.csv lacks the column name, description"),
            ("KCs.csv", "id,name,description\n1,Käse,\n".encode("latin-1"), "not text in UTF-8"),
            ("KCs.csv", b'id,name,description\n1,"a,b\n', "KCs.csv is not a CSV"),
        ],
    )
    def test_says_what_a_folder_lacks(self, folder, name, content, said):
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)

        with pytest.raises(UnreadableLog, match=said):
            read(folder)


@pytest.mark.django_db
class TestImport:
    def test_brings_the_course_and_its_answers_once(self):
        import_folder(SMALL)
        course = Course.objects.get()
        stored = list(Response.objects.order_by("pk").values())

        said = import_folder(SMALL)

        assert f"0 answers added, {ANSWERS} were there already." in said
        assert list(Response.objects.order_by("pk").values()) == stored
        assert len(stored) == ANSWERS
        assert Item.objects.filter(status=Item.Status.PROVISIONAL).count() == 7
        assert all(item.versions.count() == 1 for item in Item.objects.all())
        assert LearnerState.objects.count() == 30
        assert course.concepts.count() == 5
        assert LogImport.objects.count() == 2

    def test_of_a_longer_folder_adds_the_rest(self, folder):
        change(folder, "Transaction.csv", lambda rows: rows.__delitem__(slice(400, None)))
        import_folder(folder)

        said = import_folder(SMALL)

        assert f"{ANSWERS - 400} answers added, 400 were there already." in said
        assert Response.objects.count() == ANSWERS

    def test_of_one_folder_into_two_courses_gives_both_their_answers(self):
        import_folder(SMALL)

        call_command("import_log", "dbe-kt22", str(SMALL), "--course", "b", stdout=io.StringIO())

        assert [Response.objects.filter(course=c).count() for c in Course.objects.all()] == [
            ANSWERS,
            ANSWERS,
        ]

    def test_lets_a_student_practise_on_the_questions_themselves(self):
        organisation = factories.make_organisation()
        student = factories.make_user(organisation=organisation)
        import_folder(SMALL, "--enrol", student.username)

        shown = practise_like_a_good_student(student.learner, Course.objects.get(), answers=20)

        assert len(shown) == 20
        assert {item.kind for item in shown} <= {"single_choice", "multiple_choice"}
        hydration, slowing = (
            get_rendered_item(version_id=Item.objects.get(slug=slug).current_id, seed=0)
            for slug in ("q12", "q14")
        )
        first, second = (choice_id(slug="q14", index=index) for index in range(2))
        assert grading.grade(slowing, {"choices": [first, second]}).is_correct
        assert not grading.grade(slowing, {"choices": [first]}).is_correct
        assert "<math" in markup.render(hydration.stem, hydration.markup)

    def test_refuses_a_folder_without_answers(self, folder):
        change(folder, "Transaction.csv", lambda rows: rows.clear())

        with pytest.raises(CommandError, match="Nothing to import"):
            import_folder(folder)

        assert not Course.objects.exists()


def practise_like_a_good_student(learner, course, *, answers: int):
    """Answer everything right, day by day for at most 60 days; return what was shown."""
    course.refresh_from_db()
    shown, at = [], factories.AT.replace(year=2027)
    for _ in range(60):
        session = factories.start_session(
            learner=learner, course=course, at=at, draw_seed=len(shown)
        )
        while session.finished_at is None and len(shown) < answers:
            at += dt.timedelta(minutes=1)
            item = practice_selectors.get_presentation(
                learner=learner, public_id=session.current.public_id
            ).item
            shown.append(item)
            factories.answer_current(session, at=at, draw_seed=len(shown))
        at += dt.timedelta(days=1)
    return shown


LEARNERS_OF_REAL_LOG = 60


@pytest.fixture(scope="module")
def real_folder(tmp_path_factory):
    """The real folder, cut to some learners; unpacked where it is at hand."""
    if not ARCHIVE.exists():
        pytest.skip(f"{ARCHIVE.name} is not at {ARCHIVE.parent}: the real log is not tested")
    folder = tmp_path_factory.mktemp("dbe_kt22")
    subprocess.run(["tar", "xf", str(ARCHIVE), "-C", str(folder)], check=True)
    folder = next(folder.rglob("Transaction.csv")).parent
    change(
        folder,
        "Transaction.csv",
        lambda rows: rows.__setitem__(
            slice(None), [r for r in rows if int(r["student_id"]) <= LEARNERS_OF_REAL_LOG]
        ),
    )
    return folder


@pytest.mark.django_db
@pytest.mark.slow
class TestRealLog:
    def test_comes_in_whole_and_can_be_practised_on(self, real_folder):
        organisation = factories.make_organisation()
        student = factories.make_user(organisation=organisation)

        import_folder(real_folder, "--enrol", student.username)

        course = Course.objects.get()
        plan = LogImport.objects.get().plan
        assert (plan["items_new"], plan["concepts"], plan["rejects"]) == (212, 98, 0)
        assert plan["answers"] == Response.objects.count() > 1000
        shown = practise_like_a_good_student(student.learner, course, answers=60)
        assert len(shown) == 60
        assert all(grading.grade(item, grading.right_answer(item)).is_correct for item in shown)
        bodies = Item.objects.values_list("current", "current__body")
        pictures = [pk for pk, body in bodies if "latex.codecogs.com" in body["stem"]]
        assert pictures
        for version_id in pictures:
            item = get_rendered_item(version_id=version_id, seed=0)
            rendered = markup.render(item.stem, item.markup)
            assert "<math" in rendered
            assert "codecogs" not in rendered
