"""The servers that other tests lean on do come up, work and go away."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest
import redis
from django.db import connection

from tests.servers.process import ROOT, Process, ServerFailed
from tests.servers.site import Place, Site
from tests.servers.worker import celery_worker

pytestmark = pytest.mark.slow


def wait_for(path: Path, text: str, *, timeout_s: float = 90) -> None:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"{text!r} did not appear in {path} within {timeout_s} s")


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A process that has ended but was not waited for still has a number.
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False


def send(name: str, *arguments: str, environment: dict[str, str]) -> None:
    """Send a probe task from another process, as the web server would."""
    subprocess.run(
        [sys.executable, "-m", "tests.servers.probe_task", name, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
    )


class TestDatabase:
    @pytest.mark.django_db
    def test_is_the_one_that_was_asked_for(self, request):
        assert connection.vendor == (
            "postgresql" if request.config.option.database == "postgres" else "sqlite"
        )

    @pytest.mark.postgres
    def test_postgres_does_not_wait_for_the_disk(self):
        with psycopg.connect(os.environ["TUTOR_DATABASE_URL"]) as direct:
            assert direct.execute("SHOW fsync").fetchone() == ("off",)


class TestRedis:
    def test_answers(self, redis_url):
        with redis.Redis.from_url(redis_url) as client:
            assert client.ping() is True


class TestWorker:
    def test_carries_out_a_task_sent_through_files(self, var, tmp_path):
        environment = {"TUTOR_VAR": str(var), "TUTOR_BROKER_URL": "filesystem://"}
        note = tmp_path / "note"

        with celery_worker(environment=environment, folder=tmp_path):
            send("tests.note", str(note), "through files", environment=environment)
            wait_for(note, "through files")

        assert list((var / "broker").rglob("*.msg")) == []

    def test_carries_out_a_task_sent_through_redis(self, redis_url, var, tmp_path):
        environment = {"TUTOR_VAR": str(var), "TUTOR_BROKER_URL": redis_url}
        note = tmp_path / "note"

        with celery_worker(environment=environment, folder=tmp_path):
            send("tests.note", str(note), "through Redis", environment=environment)
            wait_for(note, "through Redis")


class TestSite:
    def test_serves_pages_until_it_is_killed_and_again_after(self, site: Site):
        site.kill()
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(site.url, timeout=5)

        site.start()  # waits for a page

    def test_has_tables_of_its_own(self, site: Site):
        assert site.place.query("SELECT count(*) FROM accounts_user WHERE id > ?", -1) == [(0,)]


class TestPlaces:
    def test_do_not_share_their_rows(self, places):
        create = ("createsuperuser", "--noinput", "--username=one", "--email=one@example.org")
        full: Place = places.make(("migrate", "--verbosity=0"), create)
        empty: Place = places.make(("migrate", "--verbosity=0"))

        assert full.query("SELECT count(*) FROM accounts_user") == [(1,)]
        assert empty.query("SELECT count(*) FROM accounts_user") == [(0,)]


class TestChromium:
    @pytest.mark.journey
    def test_opens_a_page(self, page):
        page.set_content("<title>A page</title><h1>Hello</h1>")

        assert page.title() == "A page"
        assert page.get_by_role("heading").inner_text() == "Hello"


class TestProcess:
    def test_ends_with_its_starter_even_if_that_is_killed(self, tmp_path):
        script = (
            "import sys, time; from pathlib import Path; from tests.servers.process import *\n"
            f"Process(['sleep', '600'], log=Path({str(tmp_path / 'sleep.log')!r}))\n"
            "time.sleep(600)"
        )
        starter = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
        pid_file = tmp_path / "sleep.pid"
        wait_for(pid_file, "")
        while not pid_file.read_text():
            time.sleep(0.01)
        server = int(pid_file.read_text())
        assert is_alive(server)

        starter.send_signal(signal.SIGKILL)
        starter.wait()

        until_s = time.monotonic() + 60
        while is_alive(server) and time.monotonic() < until_s:
            time.sleep(0.05)
        assert not is_alive(server)

    def test_says_why_it_did_not_come_up(self, tmp_path):
        process = Process(["sh", "-c", "echo no such model; exit 3"], log=tmp_path / "log")

        with pytest.raises(ServerFailed, match="no such model"):
            process.wait_until(lambda: False)
        process.stop()
