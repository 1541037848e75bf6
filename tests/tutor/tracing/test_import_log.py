"""`manage.py import_log`: what it says is what it does, however often and wherever it is cut."""

import csv

import pytest
from django.core.management import CommandError

from tests import factories
from tests.tutor.responses.importing.logs import made_up_rows, write_log
from tests.tutor.tracing.imports import (
    answers_of,
    counts,
    course_named,
    import_log,
    masteries_of,
    newest_import,
)
from tutor.accounts.models import Learner
from tutor.classes.models import Classroom
from tutor.content.models import Concept, Item, ItemVersion
from tutor.registry.models import Promotion
from tutor.responses.models import Response
from tutor.tracing import adoption
from tutor.tracing.models import LearnerState

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch):
    """Somewhere that the file of rejects may be written to."""
    monkeypatch.chdir(tmp_path)


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

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            ("colour", "re\x00d", "NUL"),
            ("group", "\x00", "NUL"),
            ("answered_at", "2099-01-01T00:00:00Z", "in the future"),
        ],
    )
    def test_leaves_out_what_cannot_be_stored(self, tmp_path, column, value, reason):
        rows = [{**row, "colour": "red", "group": "a"} for row in made_up_rows(learners=2)]
        rows[3][column] = value
        path = write_log(tmp_path / "spring.csv", rows)

        said = import_log(path, "--no-fit")

        assert "49 answers added" in said
        with (tmp_path / "spring.rejects.csv").open(newline="", encoding="utf-8") as file:
            [reject] = csv.DictReader(file)
        assert (reject["line"], reject["field"]) == ("5", column)
        assert reason in reject["reason"]

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

        assert Item.objects.filter(status=Item.Status.PROVISIONAL).count() == 12
        assert Response.objects.count() == len(rows)
        assert Learner.objects.count() == 24

    def test_a_fit_that_was_declined_is_made_up_for(self, tmp_path):
        path = write_log(tmp_path / "log.csv", made_up_rows())
        import_log(path, "--no-fit")
        assert [p.reason for p in Promotion.objects.all()] == ["prior"]
        assert LearnerState.objects.count() == 24

        import_log(path)

        assert [p.reason for p in Promotion.objects.order_by("pk")] == ["prior", "import"]

    def test_warns_of_the_same_file_under_another_mapping(self, tmp_path):
        rows = [
            {"user": "ann", "task": f"q{n}", "correct": n % 2, "time": f"2026-03-01 10:0{n}"}
            for n in range(6)
        ]
        path = write_log(tmp_path / "log.csv", rows)
        first = import_log(path, "--no-fit")

        again = import_log(path, "--no-fit", "--dry-run")
        shifted = import_log(path, "--dry-run", "--set", "time_zone=Europe/Berlin")

        assert "This very file" not in first + again
        assert "This very file was imported before, and 6 of its answers" in shifted


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
        (b"", "there is nothing in it"),
        (b"learner,item\na,b\n", "No column looks like correct"),
        (b"learner,item,correct,item\na,b,1,c\n", "names the column item more than once"),
        ("learner,item,correct\nZoë,b,1\n".encode("latin-1"), "not text in UTF-8"),
        ("learner,item,correct\na,b,1\n".encode("utf-16"), "not text in UTF-8"),
        (b'learner,item,correct\na,b,1\na,"b,1\n', "row after line 2. Is a quote open?"),
        (b"learner,item,correct\na," + b"b" * 10_000_000 + b",1\n", "line 2, is longer than"),
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


class TestWhoIsWho:
    def test_stands_in_a_file_of_its_own_if_it_is_asked_for(self, tmp_path):
        rows = made_up_rows(learners=3, answers=4)
        path = write_log(tmp_path / "log.csv", rows)

        import_log(path, "--no-fit", "--learner-map", str(tmp_path / "who.csv"))

        with (tmp_path / "who.csv").open(newline="") as file:
            found = {row["learner"]: row["pseudonym"] for row in csv.DictReader(file)}
        assert set(found) == {row["learner"] for row in rows}
        assert set(found.values()) == {str(one.pseudonym) for one in Learner.objects.all()}
        assert (tmp_path / "who.csv").stat().st_mode & 0o077 == 0
        for one in Response.objects.select_related("learner").filter(learner__isnull=False):
            name = next(n for n, p in found.items() if p == str(one.learner.pseudonym))
            assert any(
                row["learner"] == name and row["answered_at"] == one.answered_at.timestamp()
                for row in rows
            )

    def test_overwrites_no_file(self, tmp_path):
        path = write_log(tmp_path / "log.csv", made_up_rows(learners=1))
        (tmp_path / "who.csv").write_text("mine")

        with pytest.raises(CommandError, match="Everything is imported, but the list"):
            import_log(path, "--no-fit", "--learner-map", str(tmp_path / "who.csv"))

        assert (tmp_path / "who.csv").read_text() == "mine"
        assert Response.objects.count() == 25


class TestClass:
    def test_holds_the_log_s_learners_and_the_accounts_named(self, tmp_path):
        organisation = factories.make_organisation()
        teacher = factories.make_user(organisation=organisation, role="teacher")
        other = factories.make_user(organisation=organisation)
        path = write_log(tmp_path / "log.csv", made_up_rows(learners=5))

        for _ in range(2):
            import_log(path, "--class", "Spring 2026", "--enrol", teacher.username)

        classroom = Classroom.objects.get()
        assert classroom.name == "Spring 2026"
        assert set(classroom.teachers.all()) == {teacher}
        assert classroom.learners.count() == 5
        assert other.learner not in classroom.learners.all()


class TestMapping:
    def test_is_shown_saved_edited_and_taken(self, tmp_path):
        rows = made_up_rows(learners=2, answers=5)
        foreign = [
            {
                "who": row["learner"],
                "what": row["item"],
                "points": 5 * row["correct"],
                "skill": row["concepts"],
                "when": 1000 * row["answered_at"],
            }
            for row in rows
        ]
        path = write_log(tmp_path / "log.csv", foreign)
        saved = tmp_path / "mapping.json"

        with pytest.raises(CommandError, match="No column looks like learner"):
            import_log(path, "--dry-run")
        said = import_log(
            path,
            *("--map", "learner=who", "--map", "item=what", "--map", "answered_at=when"),
            *("--map", "correct=points", "--set", "full_score=5"),
            *("--save-mapping", str(saved), "--dry-run"),
            format_name="auto",
        )
        import_log(path, "--mapping", str(saved), "--no-fit")

        assert "answered_at  when: 1772359200000" in said
        assert "time_unit    milliseconds" in said
        stored = Response.objects.order_by("learner", "answered_at")
        assert sorted((one.credit, one.answered_at.timestamp()) for one in stored) == sorted(
            (float(row["correct"]), row["answered_at"]) for row in rows
        )

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--map", "learner"), "write FIELD=COLUMN"),
            (("--map", "pupil=a"), "pupil is no field"),
            (("--map", "learner=nobody"), "There is no column nobody"),
            (("--set", "time_zone=Mars"), "is no time zone"),
            (("--set", "merge_skills=perhaps"), "merge_skills is true or false"),
            (("--mapping", "none.json"), "cannot be read as a mapping"),
            (("--save-mapping", "no/where.json"), "cannot be written"),
        ],
    )
    def test_that_means_nothing_is_refused(self, tmp_path, options, said):
        path = write_log(tmp_path / "log.csv", made_up_rows(learners=1))

        with pytest.raises(CommandError, match=said):
            import_log(path, *options)

        assert counts() == dict.fromkeys(counts(), 0)
