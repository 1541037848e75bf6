"""The pages: every step is shown, guarded and worded; a second click changes nothing."""

import csv
import datetime as dt
import io
import json
import re

import pytest
from django.core.management import call_command

from tests.factories import make_organisation, make_user
from tests.tutor.intake import bringing
from tests.tutor.intake.bringing import acts, finish, plan, start, work
from tests.tutor.responses.importing.logs import made_up_rows, write_log
from tutor.accounts.models import User
from tutor.classes.models import Classroom
from tutor.common import clock
from tutor.intake import claims, rejects, services, wording
from tutor.intake.models import State, Upload
from tutor.intake.usecases import Stage
from tutor.responses.importing.mapping import FIELDS, from_dict
from tutor.responses.models import LogImport

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


@pytest.fixture
def signed_in(client, admin):
    client.force_login(admin)
    return client


def address(upload, what="") -> str:
    return f"/import/{upload.public_id}/{what}"


def page(client, upload, what="") -> str:
    answer = client.get(address(upload, what))
    assert answer.status_code == 200
    return answer.content.decode()


def form_of(html: str) -> dict[str, object]:
    """What a browser would send of the form of the columns, unchanged."""
    form = html.split('<form class="mapping"')[1].split("</form>", maxsplit=1)[0]
    fields: dict[str, object] = {}
    for name, inside in re.findall(r'<select [^>]*name="(\w+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', inside)
        value = "" if chosen is None else chosen[1] or chosen[2]
        fields.setdefault(name, []).append(value)
    fields |= dict(re.findall(r'name="(\w+)" type="text"[^>]*? value="([^"]*)"', form))
    return fields


def foreign(bring, **fields):
    content = bringing.csv_of(made_up_rows(), delimiter=";", titles=bringing.FOREIGN)
    return work(bring(content=content, **fields))


class TestWords:
    def test_name_every_field_and_stage(self):
        assert tuple(wording.FIELDS) == FIELDS
        assert list(wording.STAGES) == [stage.value for stage in Stage]


class TestList:
    def test_has_what_was_brought_and_what_came_by_command(self, bring, signed_in, tmp_path):
        waiting, done = bring(), finish(bring(made_up_rows(learners=3), name="summer.csv"))
        path = write_log(tmp_path / "winter.csv", made_up_rows(learners=2))
        organisation = done.organisation.slug
        rejects = str(tmp_path / "rejects.csv")
        call_command(
            *("import_log", "csv", str(path), "--organisation", organisation, "--rejects", rejects)
        )

        html = signed_in.get("/import/").content.decode()

        brought, commands = html.split("Imported by command")[0], html.split("by command</h2>")[1]
        assert address(waiting) in brought
        assert "summer.csv" in brought
        assert "75" in brought
        assert "Winter" in commands
        assert "Summer" not in commands

    def test_has_a_killed_run_of_an_upload_under_the_upload_alone(self, bring, signed_in):
        done = finish(bring())
        LogImport.objects.create(
            organisation=done.organisation,
            course=done.course,
            format="csv",
            source_hash=done.sha256,
            plan={},
            started_at=done.run.started_at,
        )

        assert "Imported by command" not in signed_in.get("/import/").content.decode()

    def test_has_nothing_of_another_school(self, bring, client):
        bring(name="secret.csv")
        client.force_login(make_user(organisation=make_organisation(), role="administrator"))

        assert "secret.csv" not in client.get("/import/").content.decode()

    def test_is_not_for_an_account_without_a_school(self, client):
        client.force_login(User.objects.create_superuser("root"))

        told = client.get("/import/")

        assert told.status_code == 403
        assert "import_log" in told.content.decode()

    def test_is_reached_from_every_page_of_an_administrator_only(self, client, organisation, admin):
        client.force_login(make_user(organisation=organisation, role="teacher"))
        assert 'href="/import/"' not in client.get("/teach/").content.decode()
        client.force_login(admin)
        assert 'href="/import/"' in client.get("/teach/").content.decode()


class TestGuard:
    @pytest.mark.parametrize(
        ("method", "what"),
        [
            *(("get", what) for what in ("", "progress/", "rejects/", "mapping.json")),
            *(("post", what) for what in ("act/", "class/", "mapping/", "read-again/")),
        ],
    )
    def test_keeps_an_upload_within_its_school(self, bring, client, method, what):
        rows = made_up_rows(learners=2)
        upload = plan(bring([*rows, {**rows[0], "correct": "maybe"}]))
        client.force_login(make_user(organisation=make_organisation(), role="administrator"))

        answer = getattr(client, method)(address(upload, what), {"do": "discard"})

        assert answer.status_code == 404
        upload.refresh_from_db()
        assert upload.state == State.PLANNED


class TestColumns:
    def test_stand_as_they_were_guessed_beside_the_first_rows(self, bring, signed_in):
        upload = foreign(bring)

        html = page(signed_in, upload)

        assert '<option value="Schüler" selected>' in html
        head = html.split("<thead>")[1].split("</thead>")[0]
        pairs = re.findall(r'used">([^<]+)</span><span class="column">([^<]+)', head)
        assert ("Learner", "Schüler") in pairs
        assert ("Correct", "Punkte") in pairs
        assert "student 0" in html

    def test_that_are_left_as_they_are_mean_what_was_guessed(self, bring, signed_in):
        upload = foreign(bring)
        guessed = from_dict(upload.mapping)

        fields = form_of(page(signed_in, upload))
        answer = signed_in.post(address(upload, "mapping/"), {**fields, "do": "plan"})

        upload.refresh_from_db()
        assert answer.status_code == 302
        assert upload.state == State.PLANNING
        assert from_dict(upload.mapping) == guessed

    def test_are_shown_again_as_they_are_changed(self, bring, signed_in):
        upload = foreign(bring)
        fields = form_of(page(signed_in, upload))
        fields["correct"], fields["concepts"] = [""], ["Aufgabe"]

        html = signed_in.post(
            address(upload, "mapping/"), fields, headers={"HX-Request": "true"}
        ).content.decode()

        assert "<html" not in html
        assert "Item and Concepts" in html
        assert "Still to be named: Correct." in html
        assert re.search(r'id="problem-correct"[^>]*>Choose the column', html)
        upload.refresh_from_db()
        assert upload.state == State.MAPPING

    @pytest.mark.parametrize(
        ("field", "value", "said"),
        [
            ("correct", [""], "Choose the column"),
            ("learner", ["Lehrer"], "no column Lehrer"),
            ("time_zone", "Mitteleuropa", "no time zone"),
            ("full_score", "0", "above 0"),
            ("full_score", "viel", "above 0"),
        ],
    )
    def test_that_make_no_sense_are_told_beside_the_field(
        self, bring, signed_in, field, value, said
    ):
        upload = foreign(bring)
        fields = {**form_of(page(signed_in, upload)), field: value, "do": "plan"}

        html = signed_in.post(address(upload, "mapping/"), fields).content.decode()

        beside = re.search(rf'id="problem-{field}">([^<]*)<', html)
        assert said in beside[1]
        upload.refresh_from_db()
        assert upload.state == State.MAPPING

    def test_that_are_kept_or_together_reach_the_plan(self, bring, signed_in):
        upload = foreign(bring)
        fields = form_of(page(signed_in, upload))
        fields |= {"item": ["Thema", "Aufgabe"], "hints": "", "keep": ["Hilfen"], "do": "plan"}

        signed_in.post(address(upload, "mapping/"), fields)
        upload.refresh_from_db()

        chosen = from_dict(upload.mapping)
        assert chosen.columns["item"] == ("Thema", "Aufgabe")
        assert chosen.keep == ("Hilfen",)
        assert "hints" not in chosen.columns
        assert work(upload).state == State.PLANNED

    def test_can_be_taken_along_as_a_file(self, bring, signed_in):
        upload = foreign(bring, name="Frühling.csv")

        answer = signed_in.get(address(upload, "mapping.json"))

        assert from_dict(json.loads(answer.content)) == from_dict(upload.mapping)
        assert "Fr%C3%BChling.mapping.json" in answer.headers["Content-Disposition"]

    def test_can_be_read_in_another_way(self, bring, signed_in):
        content = bringing.csv_of(made_up_rows(), titles=bringing.FOREIGN).decode()
        upload = work(bring(content=content.encode("cp1252")))
        assert upload.problem

        signed_in.post(
            address(upload, "read-again/"), {"format": "csv", "encoding": "cp1252", "delimiter": ""}
        )
        upload.refresh_from_db()
        assert upload.state == State.LOOKING
        work(upload)

        assert upload.look["header"][0] == "Schüler"
        assert upload.mapping["columns"]["learner"] == "Schüler"
        assert finish(upload).rows_added == 600


class TestProgress:
    def test_is_told_and_the_page_loads_anew_when_the_step_is_over(self, bring, signed_in):
        upload = start(plan(bring()))
        claim = claims.take(upload_id=upload.pk, token=upload.public_id)
        claim.show_life(at=clock.now(), stage="writing", done=0, total=600)
        begun = page(signed_in, upload, "progress/?state=importing")
        claim.show_life(at=clock.now(), stage="writing", done=150, total=600)

        html = page(signed_in, upload, "progress/?state=importing&said=")
        same = page(signed_in, upload, "progress/?state=importing&said=Writing the answers: 20 %25")
        claim.finish(to=State.PLANNED, at=clock.now())
        over = signed_in.get(address(upload, "progress/?state=importing"))

        assert "Writing the answers" in begun
        assert "<progress" in begun
        assert 'value="0"' not in begun
        assert "25 %" in html
        assert 'value="25"' in html
        assert "hx-swap-oob" in html
        assert "hx-swap-oob" not in same
        assert over.headers["HX-Refresh"] == "true"

    def test_asks_a_person_who_is_signed_out_to_sign_in(self, bring, client):
        answer = client.get(address(bring(), "progress/"))

        assert answer.status_code == 401
        assert answer.headers["HX-Refresh"] == "true"


class TestActs:
    def press(self, client, upload, do):
        return client.post(address(upload, "act/"), {"do": do})

    def test_import_starts_once_however_often_it_is_pressed(self, bring, signed_in):
        upload = plan(bring())

        codes = [self.press(signed_in, upload, "import").status_code for _ in range(2)]
        work(upload)
        late = self.press(signed_in, upload, "import")

        assert codes == [302, 302]
        assert late.status_code == 302
        assert acts().count("log-import-started") == 1
        upload.refresh_from_db()
        assert (upload.state, upload.rows_added) == (State.IMPORTED, 600)

    def test_import_waits_for_another_of_the_school(self, bring, signed_in, tmp_path):
        first, second = plan(bring()), plan(bring(made_up_rows(learners=2), name="b.csv"))
        stranger = make_user(organisation=make_organisation(), role="administrator")
        elsewhere = plan(bringing.bring(actor=stranger, folder=tmp_path))
        self.press(signed_in, first, "import")

        refused = self.press(signed_in, second, "import")
        start(elsewhere)

        assert refused.status_code == 409
        assert "Another import of your school is running" in refused.content.decode()
        assert address(first) in refused.content.decode()
        assert Upload.objects.get(pk=second.pk).state == State.PLANNED
        work(first)
        assert self.press(signed_in, second, "import").status_code == 302

    def test_change_leads_back_to_the_columns(self, bring, signed_in):
        upload = plan(bring())

        self.press(signed_in, upload, "change")

        assert "What do the columns mean?" in page(signed_in, upload)

    def test_cancel_leads_back_a_step(self, bring, signed_in):
        upload = start(plan(bring()))

        self.press(signed_in, upload, "cancel")

        upload.refresh_from_db()
        assert upload.state == State.PLANNED

    def test_cancel_of_what_is_being_written_is_refused(self, bring, signed_in):
        upload = start(plan(bring()))
        Upload.objects.update(writing_at=clock.now())

        answer = self.press(signed_in, upload, "cancel")

        assert answer.status_code == 409
        upload.refresh_from_db()
        assert upload.state == State.IMPORTING

    def test_discard_deletes_the_file_and_is_content_the_second_time(
        self, bring, signed_in, folder
    ):
        upload = plan(bring())

        codes = [self.press(signed_in, upload, "discard").status_code for _ in range(2)]

        assert codes == [302, 302]
        assert bringing.kept(folder) == []
        assert "are deleted" in page(signed_in, upload)
        assert acts().count("log-discarded") == 1

    def test_discard_of_an_import_under_way_is_refused(self, bring, signed_in, folder):
        upload = start(plan(bring()))

        assert self.press(signed_in, upload, "discard").status_code == 409
        assert bringing.kept(folder) == [upload.stored_name]

    def test_nothing_else_is_done(self, bring, signed_in):
        assert self.press(signed_in, bring(), "explode").status_code == 404


class TestPlan:
    def test_tells_the_time_by_an_import_of_about_its_size(self, bring, signed_in):
        first = plan(bring())
        assert "it takes" not in page(signed_in, first)
        done = finish(first)
        Upload.objects.update(moved_at=done.run.started_at + dt.timedelta(minutes=40))

        third = page(signed_in, plan(bring(made_up_rows(learners=8))))
        tenth = page(signed_in, plan(bring(made_up_rows(learners=2))))

        assert "it takes about 13 minutes" in third
        assert "it takes" not in tenth


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_a_cell_that_would_be_calculated_gets_an_apostrophe(cell):
    assert rejects.neutral(cell) == f"'{cell}"
    assert rejects.neutral(f"a{cell}") == f"a{cell}"


class TestRejects:
    DANGEROUS = ("=1+1", "+1", "-1", "@x", "\tx")

    def test_come_as_a_file_that_a_spreadsheet_does_not_calculate(self, bring, signed_in):
        rows = made_up_rows(learners=2)
        bad = [{**rows[0], "correct": value} for value in ("Jürgen", *self.DANGEROUS)]
        upload = plan(bring([*rows, *bad], name="Klasse 7b.csv"))

        answer = signed_in.get(address(upload, "rejects/"))

        text = b"".join(answer.streaming_content).decode("utf-8-sig")
        cells = [row["value"] for row in csv.DictReader(io.StringIO(text, newline=""))]
        assert cells[0] == "Jürgen"
        assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
        assert "'=1+1" in cells
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert 'filename="Klasse 7b.rejects.csv"' in answer.headers["Content-Disposition"]
        assert acts()[-1] == "log-rejects-downloaded"
        assert "apostrophe" in page(signed_in, upload)

    def test_that_are_not_kept_are_not_there(self, bring, signed_in):
        assert signed_in.get(address(plan(bring()), "rejects/")).status_code == 404


class TestImported:
    def test_says_what_came_in_and_what_did_not(self, bring, signed_in):
        rows = made_up_rows()
        first = finish(bring(rows[:400]))
        upload = finish(bring([*rows, {**rows[0], "correct": "?"}], course=first.course))

        html = page(signed_in, upload)

        assert "200 answers came in" in html
        assert "400 answers" in html
        assert "1 row is left out" in html

    def test_makes_a_class_with_the_accounts_chosen_once(self, bring, signed_in, organisation):
        upload = finish(bring())
        student = make_user(organisation=organisation)
        teacher = make_user(organisation=organisation, role="teacher")
        stranger = make_user(organisation=make_organisation())
        names = [user.username for user in (student, teacher, stranger)]

        for _ in range(2):
            signed_in.post(address(upload, "class/"), {"account": names})

        classroom = Classroom.objects.get()
        assert [learner.user for learner in classroom.learners.all()] == [student]
        assert list(classroom.teachers.all()) == [teacher]
        assert classroom.course == upload.course
        assert f"/teach/{classroom.public_id}/" in page(signed_in, upload)

    def test_makes_no_class_of_nobody_or_before_the_end(self, bring, signed_in, organisation):
        waiting, done = plan(bring()), finish(bring())
        names = {"account": [make_user(organisation=organisation).username]}

        assert signed_in.post(address(waiting, "class/"), names).status_code == 409
        assert signed_in.post(address(done, "class/")).status_code == 409
        assert Classroom.objects.count() == 0

    def test_is_remembered_when_the_same_file_comes_again(self, bring, signed_in):
        first = finish(bring())
        again = bring(course=first.course)

        assert "Importing it again adds nothing" in page(signed_in, again)


class TestEveryState:
    @pytest.mark.parametrize("state", State.values)
    def test_has_a_page(self, bring, signed_in, state):
        upload = finish(bring())
        Upload.objects.filter(pk=upload.pk).update(state=state, problem="Because.")

        html = page(signed_in, upload)

        assert html.count("<h1>") == 1
        if state != State.IMPORTED:
            assert "Because." in html


def test_the_mapping_of_a_moved_upload_is_not_changed(bring, signed_in):
    upload = foreign(bring)
    fields = form_of(page(signed_in, upload))
    services.discard(upload=upload, actor=upload.uploaded_by, at=clock.now())

    answer = signed_in.post(address(upload, "mapping/"), {**fields, "do": "plan"})

    assert answer.status_code == 302
    upload.refresh_from_db()
    assert upload.state == State.DISCARDED
