"""Nothing in an export says who somebody is, unless it was asked for."""

import csv
import datetime as dt
import hashlib
import hmac
import itertools
import json
import re
import uuid

import pyarrow.parquet as pq
import pytest

from tests import factories
from tests.tutor.histories import record, versions_of
from tests.tutor.responses.exporting.exports import export, rows_of, text_of
from tutor.accounts.models import AuditEntry
from tutor.classes.models import Classroom
from tutor.responses.exporting.choice import Times
from tutor.responses.models import Response

pytestmark = pytest.mark.django_db

TYPED = "My name is Zerlina Quux, call 555-0199"
DAY = dt.timedelta(days=1)


@pytest.fixture
def school():
    """An organisation whose name can be told from everything else."""
    return factories.make_organisation(slug="hogwash-academy", name="Hogwash Academy")


@pytest.fixture
def course(school):
    return factories.make_course(organisation=school)


@pytest.fixture
def learners(school, course):
    """Six learners with names, of whom five are in a class, with two answers each."""
    users = [
        factories.make_user(
            organisation=school, username=f"zerlina.{number}", name=f"Zerlina{number} Quux"
        )
        for number in range(6)
    ]
    factories.make_class(course=course, users=users[:5], name="Mr Vole's 7b")
    for number, user in enumerate(users):
        user.email = f"zerlina{number}@hogwash.example"
        user.save()
        for version in versions_of(course)[:2]:
            record(
                learner=user.learner,
                course=course,
                version=version,
                answer={"text": TYPED},
                presentation=uuid.uuid4(),
                misconception="zerlinas-mistake",
                source="import:777",
                answered_at=factories.AT + number * DAY,
                received_at=factories.AT + 300 * DAY,
            )
    return [user.learner for user in users]


def secrets_of(learners) -> list[str]:
    """All that is known of the learners and that no recipient may learn."""
    [classroom] = Classroom.objects.all()
    found = ["quux", "hogwash", "zerlina", "vole", "555-0199", "import:777", "2026-12-27"]
    keys = [classroom.public_id, *(learner.pseudonym for learner in learners)]
    for response in Response.objects.all():
        keys += [response.client_key, response.presentation]
    for learner in learners:
        found += [learner.user.username, learner.user.get_full_name(), learner.user.email]
    return [text.lower() for key in keys for text in (str(key), key.hex)] + found


def everything_in(done) -> str:
    """The text of all three files, of a Parquet also what is packed, and what is put on record."""
    if done.path.suffix == ".parquet":
        file = pq.ParquetFile(done.path)
        log = f"{file.read().to_pylist()} {file.schema_arrow.metadata} {file.metadata.metadata}"
    else:
        log = text_of(done.path)
    [entry] = AuditEntry.objects.filter(action="log-exported").order_by("-pk")[:1]
    return "\n".join([log, *(path.read_text() for path in done.described), str(entry.facts)])


class TestNobodyIsNamed:
    @pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
    @pytest.mark.parametrize("has_group", [False, True])
    def test_in_any_file(self, course, learners, tmp_path, ending, has_group):
        done = export(course, tmp_path / f"log{ending}", has_group=has_group)

        # The audit log stays in the house and may say which class was exported.
        text = everything_in(done).lower()
        assert [secret for secret in secrets_of(learners) if secret in text] == []
        assert "pseudonymised, not anonymous" in text

    def test_and_what_was_asked_for_is_there(self, course, learners, tmp_path):
        """The search above does find what it looks for."""
        done = export(
            course,
            tmp_path / "log.csv",
            has_group=True,
            has_class_names=True,
            has_answers=True,
        )

        rows = rows_of(done.path)
        assert {row["answer"] for row in rows} == {
            json.dumps({"text": TYPED}, separators=(",", ":"))
        }
        assert sorted({row["group"] for row in rows}) == ["", "Mr Vole's 7b"]
        assert "quux" in everything_in(done).lower()

    def test_the_columns_are_these_and_no_others(self, course, learners, tmp_path):
        with export(course, tmp_path / "log.csv").path.open(newline="") as file:
            rows = list(csv.reader(file))

        assert rows[0] == [
            *("learner", "item", "correct", "concepts"),
            *("answered_at", "elapsed_ms", "hints", "attempt", "is_pilot"),
        ]
        assert all(re.fullmatch(r"L[0-9a-f]{20}", row[0]) for row in rows[1:])

    def test_the_order_of_learners_is_not_that_in_which_they_came(self, school, course, tmp_path):
        version = versions_of(course)[0]
        for _ in range(12):
            learner = factories.make_learner(organisation=school)
            record(learner=learner, course=course, version=version)

        names = [row["learner"] for row in rows_of(export(course, tmp_path / "log.csv").path)]

        assert names == sorted(names)


class TestPseudonyms:
    @pytest.fixture
    def names(self, course, learners, tmp_path):
        """Export and return the names in the file."""

        numbers = itertools.count()

        def export_names(**choice) -> set[str]:
            path = tmp_path / f"{next(numbers)}.csv"
            return {row["learner"] for row in rows_of(export(course, path, **choice).path)}

        return export_names

    def test_are_keyed_hashes_under_the_organisations_key(self, school, course, learners, names):
        key = school.pseudonym_key.encode()
        messages = [f"export-learner:{course.slug}:\0{one.pseudonym}" for one in learners]

        expected = {hmac.new(key, m.encode(), hashlib.sha256).hexdigest()[:20] for m in messages}

        assert names() == {f"L{digits}" for digits in expected}

    def test_are_the_same_again_and_under_the_same_salt(self, names):
        assert names() == names()
        assert names(salt="for Ann") == names(salt="for Ann")
        assert len(names()) == 6

    def test_have_nothing_in_common_under_another_salt_key_or_course(self, school, course, names):
        found = [names(), names(salt="for Ann"), names(salt="for Bo")]
        school.pseudonym_key = "0" * 64
        school.save()
        course.refresh_from_db()
        found.append(names())
        course.slug = "another"
        course.save()
        found.append(names())

        assert len(set().union(*found)) == 6 * len(found)

    def test_of_classes_are_not_those_of_another_salt_either(self, course, learners, tmp_path):
        groups = [
            {row["group"] for row in rows_of(export(course, path, has_group=True, salt=salt).path)}
            for salt, path in (("", tmp_path / "a.csv"), ("x", tmp_path / "b.csv"))
        ]

        assert groups[0] & groups[1] == {""}
        assert all(re.fullmatch(r"C[0-9a-f]{20}|", name) for name in groups[0] | groups[1])


class TestTimes:
    def test_shifted_are_whole_days_earlier_and_a_learners_own(self, school, course, tmp_path):
        version = versions_of(course)[0]
        for _ in range(30):
            learner = factories.make_learner(organisation=school)
            for step in range(3):
                at = factories.AT + step * dt.timedelta(hours=7)
                record(learner=learner, course=course, version=version, answered_at=at)
        exact = rows_of(export(course, tmp_path / "exact.csv").path)
        shifted = rows_of(export(course, tmp_path / "shifted.csv", times=Times.SHIFTED).path)

        shifts: dict[str, set[dt.timedelta]] = {}
        for true, told in zip(exact, shifted, strict=True):
            assert {**true, "answered_at": ""} == {**told, "answered_at": ""}
            moments = [dt.datetime.fromisoformat(row["answered_at"]) for row in (true, told)]
            shifts.setdefault(true["learner"], set()).add(moments[0] - moments[1])
        assert all(len(own) == 1 for own in shifts.values())
        days = [own.pop() for own in shifts.values()]
        assert all(shift % DAY == dt.timedelta(0) and 0 <= shift.days < 365 for shift in days)
        assert len(set(days)) > 20

    def test_left_out_are_nowhere(self, course, learners, tmp_path):
        done = export(course, tmp_path / "log.csv", times=Times.NONE)

        text = "\n".join([text_of(done.path), done.described[0].read_text()])
        assert "answered_at" not in rows_of(done.path)[0]
        assert "2026-03" not in text
        assert done.facts["counts"]["first_answered_at"] is None
