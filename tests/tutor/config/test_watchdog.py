"""A worker that is deaf, or too long at a task, ends itself; no other does."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests.servers.process import ROOT
from tests.servers.test_servers import send, wait_for
from tests.servers.worker import celery_worker
from tutor.config import watchdog
from tutor.config.watchdog import DEAF_AFTER_S, Running, Watch

IMPATIENT_APP = "tests.servers.impatient_task"
TASK = Running(name="registry.train", queue="training", began_s=0.0)


def watch() -> Watch:
    return Watch(limits_s={"training": 1000.0})


class TestJudge:
    def test_a_worker_that_hears_is_idle(self):
        one = watch()
        one.note_sent(now_s=0.0, is_sent=True)
        one.note_received()

        assert one.judge(running=(), now_s=10 * DEAF_AFTER_S).state == "idle"

    def test_one_that_does_not_is_deaf(self):
        one = watch()
        one.note_sent(now_s=0.0, is_sent=True)

        assert one.judge(running=(), now_s=DEAF_AFTER_S - 1).state == "idle"
        assert one.judge(running=(), now_s=DEAF_AFTER_S + 1).is_fatal

    def test_one_at_a_task_need_not_hear_and_has_time_afterwards(self):
        one = watch()
        one.note_sent(now_s=0.0, is_sent=True)

        assert one.judge(running=(TASK,), now_s=900.0).state == "busy"
        assert one.judge(running=(), now_s=900.0 + DEAF_AFTER_S - 1).state == "idle"
        assert one.judge(running=(), now_s=900.0 + DEAF_AFTER_S + 1).state == "deaf"

    def test_a_task_has_the_time_that_its_queue_allows(self):
        verdict = watch().judge(running=(TASK,), now_s=1001.0)

        assert verdict.is_fatal
        assert "registry.train has run for 1001 s" in verdict.reason

    def test_a_broker_that_is_away_is_no_fault_of_the_worker(self):
        one = watch()
        one.note_sent(now_s=0.0, is_sent=True)
        one.note_sent(now_s=60.0, is_sent=False)

        verdict = one.judge(running=(), now_s=10 * DEAF_AFTER_S)

        assert (verdict.state, verdict.is_fatal) == ("waiting", False)

    def test_a_second_echo_does_not_give_a_deaf_worker_more_time(self):
        one = watch()
        one.note_sent(now_s=0.0, is_sent=True)
        one.note_sent(now_s=DEAF_AFTER_S, is_sent=True)

        assert one.judge(running=(), now_s=DEAF_AFTER_S + 1).is_fatal


class TestWorker:
    @pytest.fixture
    def environment(self, var, redis_url) -> dict[str, str]:
        return {
            "TUTOR_VAR": str(var),
            "TUTOR_BROKER_URL": redis_url,
            "TUTOR_HEALTH_FILE": str(var / "health"),
        }

    def test_that_hears_goes_on_and_says_so(self, environment, var, tmp_path):
        with celery_worker(environment=environment, folder=tmp_path, app=IMPATIENT_APP) as worker:
            # Longer than a deaf one would have.
            time.sleep(6)

            assert worker.is_running, worker.output
            assert worker.output.count("watchdog.echo") > 3
            assert json.loads((var / "health").read_text())["state"] == "idle"

    def test_that_lost_its_broker_without_noticing_ends_itself(self, environment, var, tmp_path):
        with celery_worker(environment=environment, folder=tmp_path, app=IMPATIENT_APP) as worker:
            send("tests.go_deaf", str(tmp_path / "note"), environment=environment)
            wait_for(tmp_path / "note", "deaf")

            ended(worker)

        assert "The worker is deaf" in worker.output
        assert json.loads((var / "health").read_text())["state"] == "deaf"

    def test_that_is_too_long_at_a_task_ends_itself(self, environment, tmp_path):
        with celery_worker(environment=environment, folder=tmp_path, app=IMPATIENT_APP) as worker:
            send("tests.dawdle", str(tmp_path / "note"), environment=environment)

            ended(worker)

        assert "tests.dawdle has run for" in worker.output
        # Where it was.
        assert 'impatient_task.py", line' in worker.output
        assert not (tmp_path / "note").exists()


def ended(worker) -> None:
    until_s = time.monotonic() + 120
    while worker.is_running and time.monotonic() < until_s:
        time.sleep(0.1)
    assert not worker.is_running, worker.output


class TestBeat:
    def test_that_writes_nothing_ends_itself(self, tmp_path):
        script = (
            "from tests.servers import impatient_task\n"
            "from tutor.config import watchdog\n"
            "import time\n"
            "watchdog._watch_beat()\n"
            "time.sleep(30)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "TUTOR_VAR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == watchdog.EXIT_CODE, done.stderr
        assert "The beat has not written its schedule" in done.stderr


def read(**variables: str) -> dict:
    """Return Celery's settings as a process with these variables has them."""
    script = (
        "import json; from tutor.config.celery import app; c = app.conf\n"
        "names = ['broker_transport_options', 'result_backend', 'task_acks_late',\n"
        "  'task_reject_on_worker_lost', 'worker_prefetch_multiplier',\n"
        "  'worker_soft_shutdown_timeout', 'broker_connection_max_retries']\n"
        "print(json.dumps({name: c[name] for name in names}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def with_redis(tmp_path_factory) -> dict:
    var = tmp_path_factory.mktemp("var")
    return read(TUTOR_VAR=str(var), TUTOR_BROKER_URL="redis://127.0.0.1:1/0")


class TestSettings:
    def test_a_message_comes_back_only_after_the_longest_task(self, with_redis):
        back_after_s = with_redis["broker_transport_options"]["visibility_timeout"]
        assert back_after_s > max(settings.TASK_LIMITS_S.values())
        assert back_after_s < watchdog.QUEUE_LASTS_S
        # Or a connection that waits for work would be taken for a dead one.
        assert with_redis["broker_transport_options"]["socket_timeout"] > 10

    def test_what_is_lost_is_found_in_the_database(self, with_redis):
        assert with_redis["task_acks_late"] is True
        assert with_redis["task_reject_on_worker_lost"] is False
        assert with_redis["result_backend"] is None
        assert with_redis["worker_prefetch_multiplier"] == 1
        # It would put the one task of a solo worker to sleep.
        assert with_redis["worker_soft_shutdown_timeout"] == 0
        assert with_redis["broker_connection_max_retries"] is None

    def test_files_have_no_options_of_redis(self, tmp_path):
        assert read(TUTOR_VAR=str(tmp_path))["broker_transport_options"] == {}

    def test_every_queue_has_a_limit(self):
        queues = {queue.name for queue in settings.CELERY_TASK_QUEUES}

        assert set(settings.TASK_LIMITS_S) == queues

    def test_the_beat_writes_often_enough_to_be_judged_by_it(self):
        every_s = [
            entry["schedule"]
            for entry in settings.CELERY_BEAT_SCHEDULE.values()
            if isinstance(entry["schedule"], float)
        ]
        a_second = sum(1 / one for one in every_s)

        written_every_s = settings.CELERY_BEAT_SYNC_EVERY / a_second
        assert written_every_s < watchdog.BEAT_STUCK_AFTER_S / 5
        assert Path(settings.CELERY_BEAT_SCHEDULE_FILENAME).name == "beat-schedule"
