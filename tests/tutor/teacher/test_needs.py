"""Who needs their teacher, on the pages: what is offered, kept once, and hidden."""

import csv
import datetime as dt
import io
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from tests.factories import make_class, make_user
from tests.tutor.alerts.conftest import MINUTE, School
from tests.tutor.pages import text
from tutor.alerts import wording
from tutor.alerts.models import AlertAction, AlertThresholds
from tutor.alerts.thresholds import DEFAULTS, NAMES
from tutor.common import cache, clock
from tutor.scheduling.models import StuckRelease
from tutor.teacher import needs_pages

pytestmark = pytest.mark.django_db


@pytest.fixture
def school(organisation, client, monkeypatch):
    found = School(organisation)
    client.force_login(found.teacher)
    monkeypatch.setattr(clock, "now", lambda: found.now)
    return found


def address(name, school, *more):
    return reverse(f"teacher:{name}", args=[school.classroom.public_id, *more])


def forms(page, marker):
    """The fields of the forms in the line that has this text."""
    lines = re.findall(r'<li class="card need .*?</li>', page.content.decode(), re.DOTALL)
    [line] = [line for line in lines if marker in line]
    for form in re.findall(r"<form.*?</form>", line, re.DOTALL):
        yield dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


class TestLanding:
    def test_names_five_of_all_classes_the_most_urgent_first(self, school, client):
        other = make_class(course=school.course, users=[school.teacher], name="8c")
        streaks = [school.join(f"Stefan {n}") for n in range(6)]
        for one in streaks:
            school.answer(one, 6, is_correct=False)
        school.join("Ben Quiet")
        first, school.classroom = school.classroom, other
        asking = school.join("Ada Asks")
        school.ask(asking, "the <b>sign</b>?")
        school.classroom = first

        shown = client.get(reverse("teacher:classes"))

        lines = shown.context["lines"]
        assert len(lines) == 5
        assert (lines[0].name, lines[0].need.classroom) == ("Ada Asks", other)
        said = text(shown)
        assert "the &lt;b&gt;sign&lt;/b&gt;?" in said
        # The class has all wrong too.
        assert "The 5 most urgent of 8. The others are with their classes." in said
        assert "1 asks for help" in said
        assert "6 many wrong in a row" in said

    def test_leads_to_where_each_is_dealt_with(self, school, client):
        ada, ben = school.join("Ada A"), school.join("Ben B")
        school.ask(ada)
        school.answer(ben, 6, is_correct=False)

        lines = client.get(reverse("teacher:classes")).context["lines"]

        assert lines[0].next.address == address("learner", school, ada.pseudonym) + "#said"
        assert lines[1].next.address == address("learner-concept", school, ben.pseudonym, "adding")
        page = client.get(lines[0].next.address.partition("#")[0])
        assert 'id="said"' in page.content.decode()
        assert [line.kind.value for line in page.context["lines_now"]] == ["help"]

    def test_every_way_on_is_there(self, school, client):
        """Of each reason the next step, and the evidence, are pages that open."""
        ada, ben, cy = (school.join(name) for name in ("Ada", "Ben", "Cy"))
        dora, elif_, finn, gus = (school.join(name) for name in ("Dora", "Elif", "Finn", "Gus"))
        assignment = school.assign()
        school.ask(ada)
        school.decide(ben, stuck_on=[school.concept()])
        school.answer(cy, 6, is_correct=False)
        school.forecast(dora, assignment)
        school.skim(elif_, 4)
        school.answer(finn, 6, is_correct=False, elapsed_ms=1)
        school.answer(finn, 1, ago=MINUTE, elapsed_ms=1)
        for one in (ada, ben, cy):
            school.answer(one, ago=3 * MINUTE, is_correct=False, misconception="subtracted")
            school.put_off(one)
        school.award(gus, *school.course.concepts.values_list("slug", flat=True))
        school.answer(gus, ago=MINUTE)

        shown = client.get(address("needs", school), {"show": "all"})

        lines = shown.context["lines"]
        assert {line.kind.value for line in lines} >= {
            "help", "stuck", "streak", "risk", "hints", "guessing", "fading", "idea",
        }  # fmt: skip
        for line in lines:
            for link in filter(None, (line.evidence, line.next)):
                path, _, anchor = link.address.partition("#")
                found = client.get(path)
                assert found.status_code == 200, link
                assert not anchor or f'id="{anchor}"' in found.content.decode(), link
        # For those who hear the page each button says whom it is about.
        for line in lines:
            assert f'Done<span class="hidden">: {escape(line.name)}</span>' in (
                shown.content.decode()
            )

    def test_of_nobody_says_so(self, school, client):
        school.join()

        assert "Nobody needs you right now." in text(client.get(reverse("teacher:classes")))

    def test_looks_into_as_many_classes_as_it_may(self, school, client, monkeypatch):
        school.ask(school.join("Ada A"))
        first, school.classroom = (
            school.classroom,
            make_class(course=school.course, users=[school.teacher], name="9z"),
        )
        school.ask(school.join("Zed Z"))
        school.classroom = first
        monkeypatch.setattr(needs_pages, "MOST_LEARNERS", 1)

        shown = client.get(reverse("teacher:classes"))

        assert [line.name for line in shown.context["lines"]] == ["Ada A"]
        assert {room.name: counts for room, counts in shown.context["classes"]}["9z"] is None

    def test_of_an_administrator_lists_the_classes(self, school, client):
        school.ask(school.join("Ada A"))
        admin = make_user(organisation=school.classroom.organisation, role="administrator")
        client.force_login(admin)

        shown = text(client.get(reverse("teacher:classes")))

        assert "Ada A" not in shown
        assert f'href="{address("needs", school)}"' in shown
        assert "Ada A" in text(client.get(address("needs", school)))


class TestClass:
    def test_shows_five_then_all_then_by_reason(self, school, client):
        for n in range(7):
            school.ask(school.join(f"Ada {n}"))
        school.answer(school.join("Ben"), 6, is_correct=False)

        first = client.get(address("needs", school))
        every = client.get(address("needs", school), {"show": "all"})
        some = client.get(address("needs", school), {"kind": "streak"})

        assert [len(page.context["lines"]) for page in (first, every, some)] == [5, 8, 1]
        assert "And 3 more" in text(first)
        assert client.get(address("needs", school), {"kind": "x"}).status_code == 400

    def test_with_names_hidden_shows_nobody(self, school, client):
        members = [school.join(f"Ada {n}") for n in range(3)]
        for one in members:
            school.ask(one, "Ada wrote this")
            school.answer(one, is_correct=False, misconception="subtracted")
        hidden = {"names": "hidden"}

        pages = [
            text(client.get(there, hidden))
            for there in (
                reverse("teacher:classes"),
                address("needs", school),
                address("needs-done", school),
                address("export-csv", school, "needs"),
            )
        ]

        assert not [page for page in pages if "Ada" in page]
        assert all("wrong idea" in page for page in (pages[0], pages[1], pages[3]))
        # How many there are is no name.
        assert 'Asks for help <span class="count">3</span>' in pages[1]

    def test_takes_as_many_queries_for_many_as_for_few(self, school, client):
        counts = []
        for joining in (1, 4):
            for _ in range(joining):
                school.ask(school.join())
            for there in (reverse("teacher:classes"), address("needs", school)):
                cache.clear_all()
                with CaptureQueriesContext(connection) as queries:
                    assert client.get(there).status_code == 200
                counts.append(len(queries))

        assert counts[:2] == counts[2:]
        assert max(counts) < 45

    def test_file_says_what_the_page_says(self, school, client):
        school.ask(school.join("Ada"))
        ben = school.join("Ben")
        school.answer(ben, 6, is_correct=False, elapsed_ms=1)

        needs = client.get(address("needs", school), {"show": "all"}).context["lines"]
        content = client.get(address("export-csv", school, "needs")).content.decode("utf-8-sig")

        rows = list(csv.DictReader(io.StringIO(content)))
        assert [(row["Learner"], row["Reason"], row["Why"]) for row in rows] == [
            (line.name, alert.kind.label, wording.say(alert.kind, alert.facts, at=school.now))
            for line in needs
            for alert in line.need.alerts
        ]
        assert [row["Leads"] for row in rows] == ["yes", "yes", ""]


class TestActing:
    def test_twice_is_once_and_clears_the_line(self, school, client):
        ada = school.join("Ada A")
        school.ask(ada)
        fields, _ = forms(client.get(reverse("teacher:classes")), "Ada A")
        sent = {**fields, "what": "talked", "text": "after class"}

        answers = [client.post(address("needs-act", school), sent) for _ in range(2)]

        action = AlertAction.objects.get()
        assert {one.headers["Location"] for one in answers} == {f"/teach/?kept={action.pk}"}
        assert (action.actor, action.learner, action.text) == (school.teacher, ada, "after class")
        after = client.get(answers[0].headers["Location"])
        assert after.context["lines"] == []
        assert "Kept: talked to them, Ada A (asks for help)." in text(after)
        client.post(address("needs-undo", school, action.pk), {"back": "landing"})
        assert len(client.get(reverse("teacher:classes")).context["lines"]) == 1

    def test_puts_off_for_so_many_days(self, school, client):
        school.ask(school.join("Ada A"))
        _, later = forms(client.get(address("needs", school)), "Ada A")

        client.post(address("needs-act", school), {**later, "what": "snoozed", "days": "2"})

        assert AlertAction.objects.get().until == school.now + dt.timedelta(days=2)
        assert school.needs() == []

    def test_lets_go_on_in_one_click(self, school, client):
        school.decide(school.join("Ada A"), stuck_on=[school.concept()])
        fields, *_ = forms(client.get(address("needs", school)), "Ada A")

        for _ in range(2):
            client.post(address("needs-act", school), {**fields, "what": "let-go-on"})

        assert StuckRelease.objects.count() == AlertAction.objects.count() == 1
        assert school.needs() == []

    @pytest.mark.parametrize(
        "change",
        [
            {"token": "x"},
            {"client_key": "x"},
            {"what": ""},
            {"what": "snoozed", "days": "x"},
            {"text": "x" * 501},
        ],
    )
    def test_that_cannot_be_kept_is_refused_in_words(self, school, client, change):
        school.ask(school.join("Ada A"))
        fields, _ = forms(client.get(address("needs", school)), "Ada A")

        refused = client.post(address("needs-act", school), {**fields, "what": "talked", **change})

        assert refused.status_code == 400
        assert 'role="alert"' in refused.content.decode()
        assert not AlertAction.objects.exists()

    def test_by_what_another_class_showed_is_refused(self, school, client):
        school.ask(school.join("Ada A"))
        fields, _ = forms(client.get(address("needs", school)), "Ada A")
        other = make_class(course=school.course, users=[school.teacher], name="8c")

        refused = client.post(
            reverse("teacher:needs-act", args=[other.public_id]), {**fields, "what": "talked"}
        )

        assert refused.status_code == 400
        assert not AlertAction.objects.exists()

    def test_of_another_class_cannot_be_taken_back(self, school, client):
        ada = school.join("Ada A")
        school.ask(ada)
        action = school.act(ada)
        other = make_class(course=school.course, users=[school.teacher], name="8c")

        there = reverse("teacher:needs-undo", args=[other.public_id, action.pk])

        assert client.post(there).status_code == 404

    def test_on_the_steering_page_and_by_another_date_is_kept_too(self, school, client):
        ada, assignment = school.join("Ada A"), school.assign()
        school.decide(ada, stuck_on=[school.concept()])
        client.post(
            address("release", school, ada.pseudonym), {"concept": str(school.concept().pk)}
        )
        sent = {
            "do": "date",
            "assignment": str(assignment.public_id),
            "learner": str(ada.pseudonym),
            "date": "2026-06-30T18:00",
            "back": str(ada.pseudonym),
        }
        for _ in range(2):
            assert client.post(address("override-set", school), sent).status_code == 302

        kept = AlertAction.objects.order_by("pk").values_list("kind", "what", "learner")
        assert list(kept) == [("stuck", "let-go-on", ada.pk), ("risk", "extended", ada.pk)]


class TestDone:
    def test_lists_what_was_done_with_what_followed_here_and_on_the_learners_page(
        self, school, client
    ):
        ada = school.join("Ada A")
        school.ask(ada)
        school.act(ada, text="a private word")
        school.wait(days=1)
        school.answer(ada, 2)

        done = text(client.get(address("needs-done", school)))
        own = text(client.get(address("learner", school, ada.pseudonym)))

        for page in (done, own):
            assert "a private word" in page
            assert "So far in the 7 days after: 2 first answers on 1 day, 2 right" in page
        assert "Asked for help 20 minutes ago" in done
        assert "need not have come because of it" in done

    def test_keeps_what_teachers_wrote_from_administrators(self, school, client):
        ada = school.join("Ada A")
        school.ask(ada)
        school.act(ada, text="a private word")
        admin = make_user(organisation=school.classroom.organisation, role="administrator")
        client.force_login(admin)

        for there in (address("needs-done", school), address("learner", school, ada.pseudonym)):
            page = text(client.get(there))
            assert "alked to them" in page
            assert "a private word" not in page


class TestThresholds:
    def send(self, client, school, **changes):
        values = {name: str(getattr(DEFAULTS, name)) for name in NAMES}
        on = {f"on-{kind}": "on" for kind in wording.Kind.values}
        there = address("needs-when-set", school)
        return client.post(there, {"base": "0", **values, **on, **changes}, follow=True)

    def test_set_by_one_teacher_are_seen_by_the_other(self, school, client):
        self.send(client, school, quiet_days="9")
        client.force_login(school.colleague)

        page = text(client.get(address("needs-when", school)))

        assert 'name="quiet_days" value="9"' in page
        assert "Gone quiet after: 9 days, before 5" in page
        assert "Thea Teacher" in page

    def test_refused_keep_what_was_typed(self, school, client):
        shown = self.send(client, school, quiet_days="900")

        assert shown.status_code == 400
        assert 'name="quiet_days" value="900"' in text(shown)
        assert "choose from 1 to 60 days" in text(shown)
        assert not AlertThresholds.objects.exists()

    def test_of_an_older_page_are_refused_with_what_holds_now(self, school, client):
        self.send(client, school, quiet_days="9")
        client.force_login(school.colleague)

        shown = self.send(client, school, faded="9")

        assert shown.status_code == 409
        assert "Thea Teacher has changed these" in text(shown)
        assert 'name="quiet_days" value="9"' in text(shown)


def test_a_key_is_new_on_every_page(school, client):
    school.ask(school.join("Ada A"))
    seen = [next(forms(client.get(address("needs", school)), "Ada A")) for _ in range(2)]

    assert seen[0]["client_key"] != seen[1]["client_key"]
    assert uuid.UUID(seen[0]["client_key"])
