"""`manage.py export_log`: what it writes, what it refuses, and what others make of its files."""

import datetime as dt
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError

from kt_models.cli import main as kt_models
from kt_models.data.csv_log import read_csv
from tests import factories
from tests.servers.process import ROOT
from tests.servers.site import migrated
from tests.tutor.histories import record, versions_of
from tests.tutor.responses.exporting.exports import rows_of, run_command, without_names
from tests.tutor.responses.importing.logs import made_up_rows, write_log
from tests.tutor.tracing.imports import import_log
from tutor.accounts.models import AuditEntry
from tutor.classes.models import Classroom

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def taught(course, organisation):
    """A course with two classes of two and one learner without; each gave one answer a day."""
    users = [factories.make_user(organisation=organisation) for _ in range(5)]
    factories.make_class(course=course, users=users[:2], name="7b")
    factories.make_class(course=course, users=users[2:4], name="8a")
    for user in users:
        for day in range(3):
            record(
                learner=user.learner,
                course=course,
                version=versions_of(course)[day],
                answered_at=factories.AT + dt.timedelta(days=day),
            )
    return course


class TestWrites:
    def test_what_was_asked_for_and_says_so(self, taught, tmp_path):
        out = tmp_path / "log.csv"

        said, warned = run_command(taught.slug, out, "--licence", "CC BY 4.0", "--creator", "Ann")

        assert len(rows_of(out)) == 15
        assert f"15 answers of 5 learners on 3 items: {out}" in said
        assert "not anonymous" in said
        assert warned == ""
        assert "CC BY 4.0" in (tmp_path / "log.csv.columns.md").read_text()
        assert "Ann. *A small course" in (tmp_path / "log.csv.columns.md").read_text()

    def test_only_some_classes_and_times(self, taught, tmp_path):
        out = tmp_path / "log.csv"
        since, until = "2026-03-03", "2026-03-04T09:00:00Z"

        run_command(taught.slug, out, "--class", "7b", "--since", since, "--until", until)
        assert len(rows_of(out)) == 2
        both = ("--class", "7b", "--class", "8a", "--force")
        run_command(taught.slug, out, *both)
        assert len({row["learner"] for row in rows_of(out)}) == 4

    def test_classes_by_pseudonym_or_by_name_when_asked(self, taught, tmp_path):
        hidden, named = tmp_path / "a.csv", tmp_path / "b.csv"

        run_command(taught.slug, hidden, "--group")
        _, warned = run_command(taught.slug, named, "--class-names")

        pairs = {
            (one["group"], other["group"])
            for one, other in zip(rows_of(hidden), rows_of(named), strict=True)
        }
        assert len(pairs) == 3
        assert {name for _, name in pairs} == {"7b", "8a", ""}
        assert "7b" not in {name for name, _ in pairs}
        assert "names of classes" in warned

    def test_of_the_chosen_classes_only(self, taught, organisation, tmp_path):
        both = Classroom.objects.get(name="7b").learners.first().user
        factories.make_class(course=taught, users=[both], name="choir")

        run_command(taught.slug, tmp_path / "all.csv", "--class-names")
        run_command(taught.slug, tmp_path / "one.csv", "--class-names", "--class", "7b")

        assert "7b|choir" in {row["group"] for row in rows_of(tmp_path / "all.csv")}
        assert {row["group"] for row in rows_of(tmp_path / "one.csv")} == {"7b"}

    def test_the_answers_themselves_with_a_warning(self, taught, tmp_path):
        out = tmp_path / "log.csv"

        _, warned = run_command(taught.slug, out, "--answers")

        assert {row["answer"] for row in rows_of(out)} == {'{"text":"5"}'}
        assert "may name people" in warned

    def test_pseudonyms_the_same_again_or_never(self, taught, tmp_path):
        def names(*options) -> set[str]:
            run_command(taught.slug, tmp_path / "log.csv", "--force", *options)
            return {row["learner"] for row in rows_of(tmp_path / "log.csv")}

        assert names() == names()
        assert names("--salt", "Ann") == names("--salt", "Ann") != names()
        fresh = names("--fresh-pseudonyms")
        assert len(fresh | names("--fresh-pseudonyms") | names()) == 15

    def test_times_shifted_or_not_at_all(self, taught, tmp_path):
        run_command(taught.slug, tmp_path / "a.csv", "--shift-times")
        run_command(taught.slug, tmp_path / "b.csv", "--no-times")

        days = {row["answered_at"][:10] for row in rows_of(tmp_path / "a.csv")}
        assert len(days) > 6
        assert "answered_at" not in rows_of(tmp_path / "b.csv")[0]

    def test_an_entry_in_the_audit_log(self, taught, tmp_path):
        out = tmp_path / "log.csv"

        run_command(taught.slug, out, "--class", "7b", "--group", "--salt", "for Ann")

        entry = AuditEntry.objects.get(action="log-exported")
        assert (entry.organisation, entry.subject) == (taught.organisation, taught.slug)
        assert entry.facts["counts"]["answers"] == 6
        assert entry.facts["choice"]["group"] == "pseudonyms"
        assert entry.facts["class_ids"] == [str(Classroom.objects.get(name="7b").public_id)]
        assert entry.facts["file"]["name"] == "log.csv"
        assert len(entry.facts["file"]["sha256"]) == 64
        assert "for Ann" not in str(entry.facts)


class TestRefuses:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("nowhere", "log.csv"), "no course 'nowhere'. There are: small"),
            (("small", "log.xlsx"), "let the name end in one of .csv, .csv.gz, .parquet"),
            (("small", "no/log.csv"), "There is no folder"),
            (("small", "log.csv", "--class", "9z"), "no class '9z'. There are: 7b, 8a."),
            (("small", "log.csv", "--since", "soon"), "'soon' is no time; write 2026-09-01"),
            (("small", "log.csv", "--until", "2020-01-01"), "No answer of the course small"),
            (("small", "log.csv", "--organisation", "none"), "in the organisation 'none'"),
            (("small", "log.csv", "--salt", "a", "--fresh-pseudonyms"), "not allowed with"),
            (("small", "log.csv", "--no-times", "--shift-times"), "not allowed with"),
        ],
    )
    def test_what_is_not_there(self, taught, tmp_path, monkeypatch, options, said):
        monkeypatch.chdir(tmp_path)

        with pytest.raises(CommandError) as caught:
            run_command(*options)

        assert said in str(caught.value)
        assert list(tmp_path.iterdir()) == []
        assert not AuditEntry.objects.exists()

    def test_to_replace_a_file_unless_told_to(self, taught, tmp_path):
        out = tmp_path / "log.csv"
        run_command(taught.slug, out)
        before = out.read_bytes()

        with pytest.raises(CommandError, match="--force"):
            run_command(taught.slug, out, "--fresh-pseudonyms")
        assert out.read_bytes() == before
        run_command(taught.slug, out, "--fresh-pseudonyms", "--force")
        assert out.read_bytes() != before

    def test_a_slug_that_two_organisations_have(self, taught, tmp_path):
        other = factories.make_course(organisation=factories.make_organisation())

        with pytest.raises(CommandError, match=f"--organisation.*{other.organisation.slug}"):
            run_command("small", tmp_path / "log.csv")

        ours = ("--organisation", taught.organisation.slug)
        run_command("small", tmp_path / "log.csv", *ours)
        assert len(rows_of(tmp_path / "log.csv")) == 15


class TestReadByOthers:
    @pytest.fixture
    def exported(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        import_log(write_log(tmp_path / "spring.csv", made_up_rows()), "--no-fit")
        run_command("spring", tmp_path / "out.csv")
        return tmp_path / "out.csv"

    def test_kt_models_reads_the_same_log(self, exported):
        log = read_csv(exported)

        rows = rows_of(exported)
        assert len(log) == len(rows) == 600
        found = [
            (
                log.learner_keys[log.learner[row]],
                log.item_keys[log.item[row]],
                log.correct[row],
                log.answered_at[row],
                log.concept_keys[log.concepts[row][0]],
            )
            for row in range(len(log))
        ]
        assert sorted(found) == sorted(
            (
                row["learner"],
                row["item"],
                float(row["correct"]),
                dt.datetime.fromisoformat(row["answered_at"]).timestamp(),
                row["concepts"],
            )
            for row in rows
        )

    def test_its_command_trains_and_evaluates_on_it(self, exported, tmp_path, capsys):
        models = "majority,item-mean"

        trained = kt_models(["train", "--log", str(exported), "--out", str(tmp_path / "fitted")])
        evaluated = kt_models(["evaluate", "--log", str(exported), "--models", models])

        assert (trained, evaluated) == (0, 0)
        assert "600 answers, 24 learners" in capsys.readouterr().out


def test_from_one_installation_to_an_empty_one(places, tmp_path):
    """Both commands as they are run, each on a database of its own."""
    here, there = places.make(*migrated()), places.make(*migrated())
    log = write_log(tmp_path / "spring.csv", made_up_rows(learners=6))
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"

    here.manage("import_log", "csv", str(log), "--no-fit")
    here.manage("export_log", "spring", str(first))
    there.manage("import_log", "csv", str(first), "--no-fit")
    there.manage("export_log", "first", str(second))

    answers = (
        "SELECT credit, answered_at, elapsed_ms, hints_seen, attempt FROM responses_response "
        "ORDER BY answered_at, elapsed_ms, credit"
    )
    assert there.query(answers) == here.query(answers)
    assert len(there.query(answers)) == 150
    assert without_names(second) == without_names(first)
    names = [{row["learner"] for row in rows_of(path)} for path in (first, second)]
    assert names[0] & names[1] == set()


class TestCutOff:
    # The file that may not grow further stands for a disk that is full.
    SCRIPT = """
import resource, sys
import django
django.setup()
from django.core.management import execute_from_command_line
from tutor.responses.exporting import export

written = export.WRITERS[".csv"]

def bounded(file, **given):
    limit = int(sys.argv.pop())
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    written(file, **given)

export.WRITERS[".csv"] = bounded
execute_from_command_line(["manage.py", "export_log", "spring", sys.argv[1]])
"""

    def test_a_disk_that_is_full_leaves_the_old_file(self, place, tmp_path):
        log = write_log(tmp_path / "spring.csv", made_up_rows(learners=40))
        place.manage("import_log", "csv", str(log), "--no-fit")
        out = tmp_path / "out.csv"
        place.manage("export_log", "spring", str(out))
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        environment = {**os.environ, **place.environment, "PYTHONPATH": str(ROOT)}

        done = subprocess.run(
            [
                sys.executable,
                "-c",
                self.SCRIPT.replace("argv[1]]", 'argv[1], "--force"]'),
                out,
                "20000",
            ],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 1
        assert "out.csv cannot be written: File too large. Nothing was exported." in done.stderr
        assert "Traceback" not in done.stderr
        assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
