"""What leaves the panel as a file says what the screen says, and no formula leaves with it."""

import csv
import datetime as dt
import io
import re

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from tests.factories import (
    AT,
    answer_current,
    make_class,
    make_course,
    make_organisation,
    make_user,
    start_session,
)
from tests.tutor.responses.test_tallies import write
from tutor.accounts.models import AuditEntry
from tutor.common import clock
from tutor.teacher import exports, sheets
from tutor.tracing.bands import Band, percent_of

pytestmark = pytest.mark.django_db

AGO = dt.timedelta(days=3)


@pytest.fixture(autouse=True)
def _the_same_moment(monkeypatch):
    # Estimates fade by the second; four surfaces are asked at one moment.
    monkeypatch.setattr(clock, "now", lambda: AT)


@pytest.fixture
def school():
    organisation = make_organisation()
    teacher = make_user(organisation=organisation, role="teacher")
    students = [make_user(organisation=organisation, name=f"Ada {n}") for n in "ABC"]
    course = make_course(organisation=organisation, at=AT - AGO)
    classroom = make_class(course=course, users=[teacher, *students])
    for number, student in enumerate(students[:2]):
        session = start_session(learner=student.learner, course=course, at=AT - AGO)
        for step in range(5):
            at = AT - AGO + dt.timedelta(minutes=step)
            answer_current(session, right=(step + number) % 3 != 0, at=at)
    course.refresh_from_db()
    return classroom, teacher, students


def read_csv(response) -> list[dict[str, str]]:
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def sheet_of(response, name: str) -> list[dict[str, object]]:
    rows = load_workbook(io.BytesIO(response.content), read_only=True)[name].iter_rows(
        values_only=True
    )
    head = next(rows)
    return [dict(zip(head, row, strict=True)) for row in rows]


def cells(page: str, marker: str) -> list[str]:
    """The texts of the table row whose head has this link or name."""
    [row] = [row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if marker in row]
    texts = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", text).split()) for text in texts]


def percent(text: str) -> int:
    return int(re.search(r"(\d+)\s%", text)[1])


class Surfaces:
    """What each surface says of a learner: concept slug -> (band, answers, chance, at least)."""

    def __init__(self, client, school, student):
        self.client, self.student = client, student
        self.classroom, self.teacher, _ = school
        self.learner = student.learner

    def get(self, name: str, *arguments, **query):
        return self.client.get(reverse(name, args=arguments), query)

    def api(self):
        self.client.force_login(self.student)
        course = self.classroom.course.slug
        found = self.get("api:mastery", self.learner.pseudonym, course=course).json()["concepts"]
        return {
            one["concept"]: (
                Band(one["band"]).label,
                one["evidence_n"],
                percent_of(one["prob"]),
                percent_of(one["lower_prob"]),
            )
            for one in found
        }

    def student_page(self, slug: str) -> tuple[str, int, int]:
        """The band and the two chances; the student's page does not say the answers."""
        self.client.force_login(self.student)
        page = self.get("student:concept", self.classroom.course.slug, slug).content.decode()
        now = cells(page, '<th scope="row">Now</th>')
        [band] = re.findall(r'<span class="band [a-z-]+">([a-z ]+)</span>', page)
        return band, percent(now[2]), percent(now[3])

    def panel(self, names):
        self.client.force_login(self.teacher)
        page = self.get("teacher:learner", self.classroom.public_id, self.learner.pseudonym)
        found = {}
        for slug, name in names.items():
            row = cells(page.content.decode(), f">{name}<")
            band = next(label.label for label in Band if row[1].startswith(label.label))
            chances = [percent(text) for text in row if text.endswith("%")]
            n = next(int(text) for text in row if text.isdecimal())
            found[slug] = (band, n, *chances)
        return found

    def grid(self, names):
        """The band and the answers of each field."""
        self.client.force_login(self.teacher)
        page = self.get("teacher:classroom", self.classroom.public_id).content.decode()
        fields = cells(page, f">{self.learner.label}</a>")[2:]
        found = [field.split(", ") for field in fields]
        return {
            slug: (band, 0 if n == "no answers" else int(n))
            for slug, (band, n) in zip(names, found, strict=True)
        }

    def files(self):
        """The table of all learners, the learner's own, and the sheet of the workbook."""
        self.client.force_login(self.teacher)
        room = self.classroom.public_id
        every = read_csv(self.get("teacher:export-csv", room, "estimates"))
        alone = read_csv(self.get("teacher:export-learner", room, self.learner.pseudonym))
        sheet = sheet_of(self.get("teacher:export-xlsx", room), "Estimates")
        # Numbers are numbers in a workbook.
        assert all(isinstance(row[exports.CHANCES[0]], int) for row in sheet)
        for rows in (every, alone, sheet):
            own = [r for r in rows if r.get("Pseudonym") in {None, str(self.learner.pseudonym)}]
            yield {
                row["Topic key"]: (
                    row["Band"],
                    *(int(row[name]) for name in ("Answers", *exports.CHANCES)),
                )
                for row in own
            }


class TestAgreement:
    def test_student_page_panel_api_csv_and_workbook_say_the_same(self, school, client):
        classroom, _, students = school
        names = dict(classroom.course.concepts.values_list("slug", "name"))
        told = set()
        for student in students:
            surfaces = Surfaces(client, school, student)
            said = surfaces.api()
            assert list(said) == list(names)
            assert surfaces.panel(names) == said
            assert surfaces.grid(names) == {slug: one[:2] for slug, one in said.items()}
            assert all(found == said for found in surfaces.files())
            for slug, (band, n, chance, least) in said.items():
                if n:
                    assert surfaces.student_page(slug) == (band, chance, least)
            told |= set(said.values())
        # Else the same figure everywhere would pass.
        assert len(told) > 4

    def test_learners_and_topics_of_the_page_are_those_of_the_files(self, school, client):
        classroom, teacher, _ = school
        client.force_login(teacher)
        query = {"from": "2026-02-23", "to": "2026-03-01"}
        page = client.get(reverse("teacher:activity", args=[classroom.public_id]), query)

        files = {
            name: read_csv(
                client.get(reverse("teacher:export-csv", args=[classroom.public_id, name]), query)
            )
            for name in ("learners", "topics", "weeks")
        }

        did = page.context["activity"]
        assert did.whole.answers == 10
        names = ("Answers", "Right without help", "Minutes", "Days")
        assert [[int(row[name]) for name in names] for row in files["learners"]] == [
            [line.tally.answers, line.tally.right, line.tally.minutes, line.days]
            for line in did.learners
        ]
        by_slug = {row["Topic key"]: row for row in files["topics"]}
        for slug, _, tally in did.concepts:
            assert int(by_slug[slug]["Answers"]) == tally.answers
        assert [(row["Week from"], int(row["Answers"])) for row in files["weeks"]] == [
            (week.begins.isoformat(), week.answers) for week in did.weeks
        ]


class TestFilters:
    def test_of_the_page_go_along_into_the_file(self, school, client):
        classroom, teacher, _ = school
        client.force_login(teacher)
        address = reverse("teacher:classroom", args=[classroom.public_id])
        whole = client.get(address).context["grid"]
        column = next(c for c in whole.practised if 0 < max(c.counts.values()) < 3)
        band = next(band for band, count in column.counts.items() if 0 < count < 3)
        query = {"concept": column.slug, "band": band.value, "topics": "practised"}

        page = client.get(address, query)

        grid = page.context["grid"]
        assert len(grid.rows) == column.counts[band]
        assert {grid.cell(row, column).band for row in grid.rows} == {band}
        link = reverse("teacher:export-csv", args=[classroom.public_id, "estimates"])
        [href] = re.findall(rf'href="{link}([^"]*)"', page.content.decode())
        rows = read_csv(client.get(link + href.replace("&amp;", "&")))
        assert {row["Learner"] for row in rows} == {row.name for row in grid.rows}
        assert {row["Topic key"] for row in rows} == {c.slug for c in grid.columns}
        assert len(rows) == len(grid.rows) * len(grid.columns) > 0

    def test_hidden_names_are_hidden_in_every_file(self, school, client):
        classroom, teacher, students = school
        client.force_login(teacher)
        hidden = {"names": "hidden"}
        for name in exports.TABLES:
            address = reverse("teacher:export-csv", args=[classroom.public_id, name])
            content = client.get(address, hidden).content.decode()
            assert "Ada" not in content
            assert not any(str(student.learner.pseudonym) in content for student in students)
        # The pages that cannot do without names ask first, and the way back keeps them hidden.
        for name in ("steering", "rules", "trust"):
            there = reverse(f"teacher:{name}", args=[classroom.public_id])
            grid = client.get(reverse("teacher:classroom", args=[classroom.public_id]), hidden)
            assert f'href="{there}?names=hidden"' in grid.content.decode()
            shown = client.get(there, hidden).content.decode()
            assert "Ada" not in shown
            assert (
                f"{reverse('teacher:classroom', args=[classroom.public_id])}?names=hidden" in shown
            )
        workbook = client.get(reverse("teacher:export-xlsx", args=[classroom.public_id]), hidden)
        assert [row["Learner"] for row in sheet_of(workbook, "Bands")] == [
            "Learner 1",
            "Learner 2",
            "Learner 3",
        ]

    @pytest.mark.parametrize(
        "query",
        [
            {"band": "mastered"},
            {"concept": "adding"},
            {"concept": "nothing", "band": "mastered"},
            {"concept": "adding", "band": "great"},
            {"from": "31.3.2026"},
            {"from": "2026-03-02", "to": "2026-03-01"},
            {"from": "2020-01-01", "to": "2026-03-01"},
            {"topics": "everything"},
            {"names": "Hidden"},
            {"topics": "00000000-0000-4000-8000-000000000000"},
        ],
    )
    def test_that_cannot_be_met_are_refused_in_words(self, school, client, query):
        classroom, teacher, _ = school
        client.force_login(teacher)

        refused = client.get(reverse("teacher:classroom", args=[classroom.public_id]), query)

        assert refused.status_code == 400

    def test_a_table_that_there_is_not_is_named(self, school, client):
        classroom, teacher, _ = school
        client.force_login(teacher)

        missing = client.get(reverse("teacher:export-csv", args=[classroom.public_id, "ranks"]))

        assert missing.status_code == 404
        assert "estimates" in missing.content.decode()


class TestFormulas:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\uff1d1+1", "\tAda"])
    def test_are_defused(self, text):
        assert sheets.defuse(text) == f"'{text}"

    @pytest.mark.parametrize(
        ("text", "safe"),
        [
            ("Ada;=1+1", "Ada;'=1+1"),
            ('a;"-2', "a;'\"-2"),
            ("a\t @b|+c", "a\t' @b|'+c"),
            ("a\r\n\n=1", "a\r\n\n'=1"),
            ("\n-2", "'\n'-2"),
            ("\t=1", "'\t'=1"),
        ],
    )
    def test_are_defused_where_another_field_may_begin(self, text, safe):
        assert sheets.defuse(text) == safe

    def test_half_of_a_pair_breaks_no_file(self):
        table = sheets.Table("Odd", ("\ud800",), (("b\udc00",),))

        assert b"b?" in sheets.write_csv(table)
        [sheet] = load_workbook(io.BytesIO(sheets.write_xlsx([table]))).worksheets
        assert sheet["A2"].value == "b?"

    @pytest.mark.parametrize("text", ["Ada", "3 - 4", "", "x = 2", "’=1", "a; b", "a\nb"])
    def test_other_texts_stay(self, text):
        assert sheets.defuse(text) == text

    def test_that_learners_typed_leave_as_text(self, school, client):
        classroom, teacher, students = school
        evil = '=HYPERLINK("http://evil.example","x")'
        students[0].first_name, students[0].last_name = evil, ""
        students[0].save()
        version = classroom.course.items.get(slug="add-two").current
        write(
            students[0].learner,
            version,
            is_correct=False,
            answer={"text": "=1+1\x00"[:4]},
            answered_at=AT,
        )
        client.force_login(teacher)

        mistakes = read_csv(
            client.get(reverse("teacher:export-csv", args=[classroom.public_id, "wrong-answers"]))
        )
        book = client.get(reverse("teacher:export-xlsx", args=[classroom.public_id])).content

        assert "'=1+1" in {row["Answer"] for row in mistakes}
        typed = set()
        for sheet in load_workbook(io.BytesIO(book)):
            for row in sheet.iter_rows():
                typed |= {cell.data_type for cell in row}
                texts = [cell.value for cell in row if isinstance(cell.value, str)]
                assert not [text for text in texts if text.startswith("=")]
        assert "f" not in typed
        assert typed >= {"s", "n", "d"}

    def test_numbers_and_days_stay_what_they_are(self):
        table = sheets.Table(
            "Odd",
            ("=head", "n", "day", "at", "none"),
            ((-3, 0.5, dt.date(2026, 3, 2), AT, None), ("\x0b", 1, None, None, "")),
        )

        [sheet] = load_workbook(io.BytesIO(sheets.write_xlsx([table]))).worksheets

        first = [cell.value for cell in sheet[2]]
        assert first == [-3, 0.5, dt.datetime(2026, 3, 2), dt.datetime(2026, 3, 2, 9), None]
        assert sheet["A1"].value == "'=head"
        text = sheets.write_csv(table).decode("utf-8-sig")
        assert text.splitlines()[1].startswith("-3,0.5,2026-03-02,2026-03-02T09:00:00+00:00,")


def test_who_took_a_file_is_kept(school, client):
    classroom, teacher, _ = school
    client.force_login(teacher)

    client.get(reverse("teacher:export-csv", args=[classroom.public_id, "bands"]), {"topics": ""})

    entry = AuditEntry.objects.get(action="class.export")
    assert (entry.actor, entry.organisation) == (teacher, classroom.organisation)
    assert entry.facts["what"] == "bands"
