"""The files: whole or not there, the same in every kind, and described as they are."""

import csv
import datetime as dt
import errno
import gzip
import hashlib
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import factories
from tests.tutor.histories import correct, record, versions_of
from tests.tutor.responses.exporting.exports import LATER, export, rows_of, text_of
from tutor.accounts.models import AuditEntry
from tutor.content.models import Concept
from tutor.responses.exporting import csv_file, parquet_file, selectors, staging
from tutor.responses.exporting import export as exporting
from tutor.responses.exporting.choice import Choice
from tutor.responses.exporting.errors import ExportInvalid, ExportNotWritten, NothingToExport

pytestmark = pytest.mark.django_db

ENDINGS = (".csv", ".csv.gz", ".parquet")


@pytest.fixture
def answered(course, organisation):
    """A course with 3 learners who gave 8 answers each, some in part right, one corrected."""
    versions = versions_of(course)
    for number in range(3):
        learner = factories.make_learner(organisation=organisation)
        rows = [
            record(
                learner=learner,
                course=course,
                version=versions[step % len(versions)],
                answered_at=factories.AT + dt.timedelta(hours=step, microseconds=number),
                credit=(0.0, 1.0, 0.1, 1.0)[step % 4],
                is_correct=step % 2 == 1,
                elapsed_ms=None if step == 3 else 1000 * step,
                hints_seen=step % 3,
            )
            for step in range(8)
        ]
        if number == 0:
            correct(rows[1], is_correct=False)
    return course


def names_in(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestKinds:
    def test_say_the_same(self, answered, tmp_path):
        plain, packed, typed = (
            export(answered, tmp_path / f"log{ending}", has_group=True, has_answers=True).path
            for ending in ENDINGS
        )

        assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
        table = pq.read_table(typed).to_pylist()
        rows = rows_of(plain)
        assert len(rows) == len(table) == 24
        for text, values in zip(rows, table, strict=True):
            assert list(text) == list(values)
            assert float(text["correct"]) == values["correct"]
            assert dt.datetime.fromisoformat(text["answered_at"]) == values["answered_at"]
            assert text["elapsed_ms"] == ("" if (ms := values["elapsed_ms"]) is None else str(ms))
            for column in ("hints", "attempt", "is_pilot"):
                assert text[column] == str(values[column])
            for column in ("learner", "item", "concepts", "answer"):
                assert text[column] == values[column]
            assert text["group"] == (values["group"] or "")

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_are_the_same_file_again(self, answered, tmp_path, ending):
        first = export(answered, tmp_path / f"a{ending}")
        second = export(answered, tmp_path / f"b{ending}", at=LATER + dt.timedelta(days=3))

        assert first.path.read_bytes() == second.path.read_bytes()

    def test_parquet_has_types_row_groups_and_its_origin(self, answered, tmp_path, monkeypatch):
        monkeypatch.setattr(parquet_file, "ROWS_IN_GROUP", 10)
        answered.source = "Made up, CC0"
        answered.save()
        done = export(answered, tmp_path / "log.parquet", licence="CC BY 4.0", creator="A. School")

        file = pq.ParquetFile(done.path)
        groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
        assert groups == [10, 10, 4]
        assert {field.name: field.type for field in file.schema_arrow} == {
            **dict.fromkeys(("learner", "item", "concepts"), pa.string()),
            "correct": pa.float64(),
            "answered_at": pa.timestamp("us", tz="UTC"),
            **dict.fromkeys(("elapsed_ms", "hints", "attempt", "is_pilot"), pa.int64()),
        }
        assert all(field.metadata[b"description"] for field in file.schema_arrow)
        facts = json.loads(file.metadata.metadata[b"tutor.export"])
        assert (facts["licence"], facts["creator"]) == ("CC BY 4.0", "A. School")
        assert facts["content_source"] == "Made up, CC0"
        assert facts["made_with"] == "adaptive-tutor 0.1.0"
        assert facts["counts"] == done.facts["counts"]
        assert facts["counts"]["answers"] == 24

    def test_the_name_decides(self, answered, tmp_path):
        for name in ("log.txt", "log", ".csv", "log.csv.zip", "log.gz"):
            with pytest.raises(ExportInvalid, match=r"\.csv, \.csv\.gz, \.parquet"):
                export(answered, tmp_path / name)
        assert names_in(tmp_path) == []


class TestDescription:
    def test_counts_what_is_in_the_file(self, answered, tmp_path):
        done = export(answered, tmp_path / "log.csv")

        rows = rows_of(done.path)
        described = json.loads((tmp_path / "log.csv.columns.json").read_text())
        correct = [float(row["correct"]) for row in rows]
        moments = [dt.datetime.fromisoformat(row["answered_at"]) for row in rows]
        assert described["export"]["counts"] == {
            "answers": 24,
            "learners": 3,
            "items": len({row["item"] for row in rows}),
            "mean_correct": round(sum(correct) / 24, 4),
            "first_answered_at": f"{min(moments).replace(tzinfo=None).isoformat()}Z",
            "last_answered_at": f"{max(moments).replace(tzinfo=None).isoformat()}Z",
        }
        of_item = {}
        for row in rows:
            of_item.setdefault(row["item"], []).append(float(row["correct"]))
        assert described["items"] == [
            {"item": item, "answers": len(own), "mean_correct": round(sum(own) / len(own), 4)}
            for item, own in sorted(of_item.items())
        ]
        assert described["concepts"] == [
            {"slug": concept.slug, "name": concept.name}
            for concept in Concept.objects.filter(course=answered).order_by("position")
        ]

    def test_is_a_table_schema_that_every_row_keeps_to(self, answered, tmp_path):
        done = export(answered, tmp_path / "log.csv", has_group=True, has_answers=True)

        schema = json.loads(done.described[1].read_text())
        read = {
            "string": str,
            "number": float,
            "integer": int,
            "datetime": dt.datetime.fromisoformat,
        }
        rows = rows_of(done.path)
        assert [field["name"] for field in schema["fields"]] == list(rows[0])
        for field in schema["fields"]:
            limits = field["constraints"]
            assert field["description"]
            for text in (row[field["name"]] for row in rows):
                if text in schema["missingValues"]:
                    assert not limits.get("required")
                    continue
                value = read[field["type"]](text)
                assert value >= limits.get("minimum", value)
                assert value <= limits.get("maximum", value)

    def test_names_the_very_file(self, answered, tmp_path):
        done = export(answered, tmp_path / "log.csv.gz", licence="CC BY 4.0")

        digest = hashlib.sha256(done.path.read_bytes()).hexdigest()
        guide = (tmp_path / "log.csv.gz.columns.md").read_text()
        assert done.facts["file"]["sha256"] == digest
        assert guide.count(digest) == 2
        assert "CC BY 4.0" in guide
        assert f"Made {LATER:%Y-%m-%d} with adaptive-tutor 0.1.0" in guide
        for column in rows_of(done.path)[0]:
            assert f"| `{column}` |" in guide

    def test_stays_a_table_whatever_the_content_is_called(self, answered, tmp_path):
        answered.title, answered.source = "A | B\n# C", "line one\n| line two |"
        answered.save()

        guide = export(answered, tmp_path / "log.csv").described[0].read_text()

        assert "| Course | A \\| B # C |" in guide
        assert "| Content | line one \\| line two \\| |" in guide


class TestWholeOrNotThere:
    @pytest.mark.parametrize("ending", ENDINGS)
    def test_a_full_disk_leaves_nothing(self, answered, tmp_path, monkeypatch, ending):
        def fill_up(*_, **__):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(parquet_file.pq.ParquetWriter, "write_table", fill_up)
        monkeypatch.setattr(csv_file, "_cells", fill_up)

        with pytest.raises(ExportNotWritten, match="No space left on device"):
            export(answered, tmp_path / f"log{ending}")

        assert names_in(tmp_path) == []
        assert not AuditEntry.objects.exists()

    def test_what_was_there_stays_until_the_new_one_is_whole(self, answered, tmp_path, monkeypatch):
        path = tmp_path / "log.csv"
        path.write_text("precious")
        with pytest.raises(ExportInvalid, match=r"log\.csv in .* already.*--force"):
            export(answered, path)

        with monkeypatch.context() as patch:
            patch.setattr(csv_file, "_WHOLE", None)
            with pytest.raises(AttributeError):
                export(answered, path, may_replace=True)
        assert names_in(tmp_path) == ["log.csv"]
        assert path.read_text() == "precious"

        export(answered, path, may_replace=True)
        assert len(rows_of(path)) == 24
        assert names_in(tmp_path) == ["log.csv", "log.csv.columns.json", "log.csv.columns.md"]

    def test_a_description_that_is_there_is_not_replaced_either(self, answered, tmp_path):
        (tmp_path / "log.csv.columns.md").write_text("notes")

        with pytest.raises(ExportInvalid, match=r"log\.csv\.columns\.md"):
            export(answered, tmp_path / "log.csv")

        assert names_in(tmp_path) == ["log.csv.columns.md"]

    def test_without_the_record_there_is_no_file(self, answered, tmp_path, monkeypatch):
        def lose(**_):
            raise RuntimeError

        monkeypatch.setattr(exporting.account_services, "record_audit", lose)
        with pytest.raises(RuntimeError):
            export(answered, tmp_path / "log.csv")

        assert names_in(tmp_path) == []

    @pytest.mark.django_db(transaction=True)
    def test_without_the_file_there_is_no_record(self, answered, tmp_path, monkeypatch):
        def refuse(_):
            raise OSError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(staging.Staged, "take_names", refuse)
        with pytest.raises(ExportNotWritten, match="Permission denied"):
            export(answered, tmp_path / "log.csv")

        assert names_in(tmp_path) == []
        assert not AuditEntry.objects.exists()

    def test_a_folder_that_is_missing_or_a_file_that_is_one(self, answered, tmp_path):
        with pytest.raises(ExportNotWritten, match="There is no folder"):
            export(answered, tmp_path / "no" / "log.csv")
        (tmp_path / "dir.csv").mkdir()
        with pytest.raises(ExportInvalid, match="is a folder"):
            export(answered, tmp_path / "dir.csv", may_replace=True)


class TestChosen:
    def test_what_comes_in_meanwhile_is_not_half_there(self, answered, tmp_path, monkeypatch):
        expected = text_of(export(answered, tmp_path / "before.csv").path)
        iterate = selectors.iterate_answers

        def late(**asked):
            learner = answered.organisation.learners.order_by("-pk")[0]
            rows = selectors.Response.objects.filter(learner=learner).order_by("pk")
            correct(rows[3], is_correct=False)
            record(learner=learner, course=answered, version=versions_of(answered)[0])
            return iterate(**asked)

        monkeypatch.setattr(selectors, "iterate_answers", late)
        assert text_of(export(answered, tmp_path / "during.csv").path) == expected
        monkeypatch.undo()
        assert text_of(export(answered, tmp_path / "after.csv").path) != expected

    def test_by_time_from_since_on_and_before_until(self, answered, tmp_path):
        hours = dt.timedelta(hours=1)
        path = export(
            answered,
            tmp_path / "log.csv",
            since=factories.AT + 2 * hours,
            until=factories.AT + 4 * hours,
        ).path

        times = {row["answered_at"][11:19] for row in rows_of(path)}
        assert times == {"11:00:00", "12:00:00"}

    def test_other_courses_and_their_learners_stay_out(self, answered, tmp_path):
        other = factories.make_course(organisation=factories.make_organisation())
        record(
            learner=factories.make_learner(organisation=other.organisation),
            course=other,
            version=versions_of(other)[0],
        )

        assert len(rows_of(export(answered, tmp_path / "a.csv").path)) == 24
        assert len(rows_of(export(other, tmp_path / "b.csv").path)) == 1

    def test_nothing_is_said_so(self, course, answered, tmp_path):
        with pytest.raises(NothingToExport, match="of these classes and times"):
            export(answered, tmp_path / "log.csv", since=LATER)
        empty = factories.make_course(organisation=factories.make_organisation())
        with pytest.raises(NothingToExport, match="has no answers"):
            export(empty, tmp_path / "log.csv")
        assert names_in(tmp_path) == []

    def test_takes_few_queries_whatever_the_number_of_answers(
        self, answered, tmp_path, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(12):
            export(answered, tmp_path / "log.csv", has_group=True)

    def test_progress_ends_at_the_number_of_answers(self, answered, tmp_path, monkeypatch):
        monkeypatch.setattr(selectors, "BATCH", 10)
        seen = []

        export(answered, tmp_path / "log.csv", progress=lambda *step: seen.append(step))

        assert seen == [(8, 24), (16, 24), (24, 24)]


def test_a_name_in_quotes_stays_one_cell(course, organisation, tmp_path):
    user = factories.make_user(organisation=organisation)
    factories.make_class(course=course, users=[user], name='7b, "the\nbest"')
    record(learner=user.learner, course=course, version=versions_of(course)[0])

    path = export(course, tmp_path / "log.csv", has_group=True, has_class_names=True).path

    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["group"] for row in rows] == ['7b, "the\nbest"']


def test_the_choice_begins_with_what_tells_least(course):
    choice = Choice(course=course)

    assert (choice.has_group, choice.has_class_names, choice.has_answers) == (False,) * 3
