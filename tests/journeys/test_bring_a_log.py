"""An administrator brings a log: from a file in a foreign shape to a class that practises on it."""

import csv
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from tests.journeys.person import Person
from tests.journeys.test_accessibility import PHONE, violations
from tests.servers.process import ROOT, free_port
from tests.servers.site import migrated
from tests.tutor.config.test_server import Server
from tests.tutor.intake.bringing import FOREIGN
from tests.tutor.responses.importing.logs import made_up_rows

pytestmark = pytest.mark.journey

POINTS = 4
OTHER_SCHOOL = (
    "from tests.factories import make_organisation, make_user;"
    "make_user(organisation=make_organisation(), username='rival', role='administrator')"
)


@pytest.fixture(scope="module")
def school(places):
    """The small school on the embedded server, with its worker; a file may have 1 MB."""
    place = places.make(*migrated())
    environment = {**os.environ, **place.environment}
    for command in (["-m", "tests.journeys.school"], ["manage.py", "shell", "-c", OTHER_SCHOOL]):
        subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUTOR_UPLOAD_MAX_MB", "1")
        patch.setenv("TUTOR_UPLOADS_PER_HOUR", "100")
        port = free_port()
        server = Server(place=place, port=port)
    try:
        assert server.has_written("The tutor is at"), server.output
        yield SimpleNamespace(place=place, url=f"http://127.0.0.1:{port}", server=server)
    finally:
        server.end()


@pytest.fixture
def admin(sign_in):
    admin = sign_in("admin")
    yield admin
    assert admin.complaints == []


@pytest.fixture
def log(tmp_path):
    """Writes a log with semicolons, German titles and points; returns its path."""

    def write(name="Klasse 7b.csv", *, bad=True, **size):
        rows = [{**row, "correct": row["correct"] * POINTS} for row in made_up_rows(**size)]
        if bad:
            rows += [{**rows[0], "correct": "maybe"}, {**rows[1], "correct": "=1+1"}]
        path = tmp_path / name
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(FOREIGN[column] for column in rows[0])
            writer.writerows(row.values() for row in rows)
        return path

    return write


def bring(person, path, *, title="", wait="What do the columns mean?"):
    person.open("/import/")
    person.page.get_by_label("File", exact=True).set_input_files(path)
    person.page.get_by_label("Title of the new course").fill(title)
    person.page.get_by_role("button", name="Bring this file").click()
    if wait:
        heading(person, wait)


def heading(person, name, *, timeout_s=150):
    person.page.get_by_role("heading", name=name).wait_for(timeout=1000 * timeout_s)


def check(person):
    """Say what a right answer is worth and have the plan made."""
    person.page.get_by_label("A right answer is worth").fill(str(POINTS))
    person.press("Check the whole file")
    heading(person, "What an import would do")


def answers_in(person, course) -> int:
    [(count,)] = person.query(
        "SELECT count(*) FROM responses_response r JOIN content_course c ON c.id = r.course_id "
        "WHERE c.title = ?",
        course,
    )
    return count


class TestWholeWay:
    def test_leads_from_a_foreign_file_to_a_class_that_practises(self, admin, sign_in, log):
        bring(admin, log(), title="Year 7")
        assert admin.page.get_by_text("say what the full score is").count()
        assert admin.page.locator("#learner-1").input_value() == "Schüler"
        admin.page.locator("#concepts-1").select_option("")
        admin.page.locator("th", has_text="Left out").filter(has_text="Thema").wait_for()
        admin.page.locator("#concepts-1").select_option("Thema")
        admin.page.locator("th", has_text="Concepts").filter(has_text="Thema").wait_for()
        check(admin)
        assert admin.page.get_by_text("2 rows are left out").count() == 1
        with admin.page.expect_download() as download:
            admin.page.get_by_role("link", name="Download all of them").click()
        assert "'=1+1" in download.value.path().read_text(encoding="utf-8-sig")
        assert download.value.suggested_filename == "Klasse 7b.rejects.csv"
        assert answers_in(admin, "Year 7") == 0

        admin.page.get_by_role("button", name="Import 600 answers").dblclick()
        heading(admin, "600 answers came in")
        assert answers_in(admin, "Year 7") == 600
        admin.page.get_by_label("Sam Student").check()
        admin.page.get_by_label("Thea Teacher").check()
        admin.press("Put them into the class")
        admin.press("See the class Year 7")
        heading(admin, "Year 7")

        student = sign_in("student")
        student.open("/learn/")
        assert student.page.get_by_text("Year 7").count()
        admin.open("/import/")
        assert admin.page.get_by_role("row", name="Klasse 7b.csv").get_by_text("600").count()

    def test_keeps_nobody_out_and_fits_every_width(self, sign_in, log):
        found, too_wide = set(), set()

        def look(person):
            found.update(violations(person))
            assert person.page.locator("h1").count() == 1
            for size in (PHONE, {"width": 320, "height": 500}, {"width": 1920, "height": 1080}):
                person.page.set_viewport_size(size)
                if person.overflow_px > 0:
                    too_wide.add((person.page.title(), size["width"], person.overflow_px))
            person.page.set_viewport_size({"width": 1280, "height": 800})

        admin = sign_in("admin")
        admin.open("/import/")
        look(admin)
        bring(admin, log("A rather long name of a file that somebody gave " * 2 + ".csv"))
        admin.page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
        look(admin)
        admin.page.locator("#correct-1").select_option("")
        admin.page.get_by_text("Still to be named: Correct.").first.wait_for()
        look(admin)
        admin.page.locator("#correct-1").select_option("Punkte")
        check(admin)
        admin.page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
        look(admin)
        admin.page.get_by_role("button", name="Import ").click()
        heading(admin, "Being imported")
        look(admin)
        heading(admin, "answers came in")
        look(admin)
        bring(admin, log("gone.csv"))
        admin.press("Discard this file")
        admin.press("gone.csv")
        look(admin)

        assert found == set()
        assert too_wide == set()
        assert admin.complaints == []

    def test_needs_no_scripts(self, school, browser, log):
        context = browser.new_context(java_script_enabled=False)
        try:
            admin = Person(page=context.new_page(), site=school, username="admin")
            admin.sign_in()
            bring(admin, log(), title="By hand", wait="")
            reload_until(admin, "What do the columns mean?")
            admin.page.locator("#concepts-1").select_option("")
            admin.press("Update the preview")
            assert admin.page.locator("th", has_text="Left out").filter(has_text="Thema").count()
            admin.page.get_by_label("A right answer is worth").fill(str(POINTS))
            admin.press("Check the whole file")
            reload_until(admin, "What an import would do")
            admin.press("Import 600 answers")
            reload_until(admin, "600 answers came in")
            assert answers_in(admin, "By hand") == 600
        finally:
            context.close()

    def test_can_be_gone_by_keyboard(self, admin, log):
        bring(admin, log(bad=False, learners=4), title="Keys")
        page = admin.page
        page.get_by_label("A right answer is worth").focus()
        page.keyboard.type("4")
        page.keyboard.press("Home")
        page.keyboard.press("Delete")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        heading(admin, "What an import would do")
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.value") == "import":
                break
        page.keyboard.press("Enter")
        heading(admin, "100 answers came in")


def reload_until(person, name, *, timeout_s=150):
    until_s = time.monotonic() + timeout_s
    while not person.page.get_by_role("heading", name=name).count():
        assert time.monotonic() < until_s, person.page.locator("main").inner_text()
        time.sleep(0.5)
        person.page.reload()


class TestRefused:
    def test_a_file_above_the_limit_before_it_is_sent(self, admin, tmp_path):
        path = tmp_path / "big.csv"
        path.write_bytes(b"x" * 1_200_000)
        admin.open("/import/")
        sent = []
        admin.page.on("request", lambda request: sent.append(request.method))

        admin.page.get_by_label("File", exact=True).set_input_files(path)
        admin.page.get_by_role("button", name="Bring this file").click()

        assert "at most 1 MB" in admin.page.get_by_role("alert").inner_text()
        assert "POST" not in sent

    def test_a_file_above_the_limit_by_the_server_too(self, school, browser, tmp_path):
        path = tmp_path / "big.csv"
        path.write_bytes(b"x" * 1_200_000)
        context = browser.new_context(java_script_enabled=False)
        try:
            admin = Person(page=context.new_page(), site=school, username="admin")
            admin.sign_in()
            bring(admin, path, wait="")
            assert "more than 1 MB" in admin.page.get_by_role("alert").inner_text()
        finally:
            context.close()

    def test_a_picture(self, admin, tmp_path):
        path = tmp_path / "log.csv"
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 1000)

        bring(admin, path, wait="")

        admin.page.get_by_role("alert").get_by_text("log.csv is a picture").wait_for()

    def test_somebody_elses_upload(self, admin, sign_in, log):
        bring(admin, log())
        rival = sign_in("rival")

        answer = rival.page.goto(admin.page.url)

        assert answer.status == 404
        rival.open("/import/")
        assert rival.page.get_by_text("Klasse 7b").count() == 0


@pytest.mark.slow
class TestKilled:
    def test_a_worker_killed_while_it_writes_is_followed_by_one_that_goes_on(
        self, school, admin, log
    ):
        path = log(bad=False, learners=400, answers=60)
        packed = path.with_suffix(".csv.gz")
        subprocess.run(["gzip", "-k", str(path)], check=True)
        bring(admin, packed, title="Killed")
        check(admin)
        admin.page.get_by_role("button", name="Import 24,000 answers").click()
        until_s = time.monotonic() + 150
        while not answers_in(admin, "Killed"):
            assert time.monotonic() < until_s
        os.kill(school.server.worker, signal.SIGKILL)
        written = answers_in(admin, "Killed")

        heading(admin, "24,000 answers came in")

        assert 0 < written < 24_000
        assert answers_in(admin, "Killed") == 24_000
        [(keys,)] = admin.query(
            "SELECT count(DISTINCT r.client_key) FROM responses_response r "
            "JOIN content_course c ON c.id = r.course_id WHERE c.title = 'Killed'"
        )
        assert keys == 24_000
