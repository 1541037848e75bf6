"""The container files, as far as they can be judged by reading; `make docker-check` runs them."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.conf import settings

from tests.docker import reading
from tests.servers.process import ROOT
from tests.test_light import HEAVY

IMAGES = ["web", "worker"]
GIVEN = {"TUTOR_ALLOWED_HOSTS": "tutor.example"}
WHOLE = reading.compose(reading.COMPOSE, variables=GIVEN)
SERVICES = WHOLE["services"]


def steps(image: str) -> list[reading.Step]:
    return reading.steps_of(reading.FOLDER / f"Dockerfile.{image}")


def queues_of(service: dict) -> set[str]:
    command = service.get("command", [])
    return set(command[command.index("--queues") + 1].split(",")) if "worker" in command else set()


WORKERS = [name for name, service in SERVICES.items() if queues_of(service)]


class TestImages:
    @pytest.mark.parametrize("image", IMAGES)
    def test_run_as_an_account_of_their_own(self, image):
        keywords = [step.keyword for step in steps(image)]
        [user] = [step.text for step in steps(image) if step.keyword == "USER"]

        assert int(user.split(":")[0]) > 0
        # Nothing is made after it, so the account owns nothing of the code.
        assert not {"RUN", "COPY"} & set(keywords[keywords.index("USER") :])

    @pytest.mark.parametrize("image", IMAGES)
    def test_copy_only_what_the_context_has(self, image):
        copied = {
            source
            for step in steps(image)
            if step.keyword == "COPY"
            for source in step.text.split()[:-1]
        }

        assert copied <= reading.allowed_in_context()
        assert [one for one in copied if not (ROOT / one).exists()] == []

    def test_no_secret_gets_into_the_context(self):
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        rules = [line for line in lines if not line.startswith("#")]

        assert rules[0] == "*"
        assert not [one for one in reading.allowed_in_context() if re.match(r"var|\.|docker$", one)]

    def test_the_worker_forks_nothing(self):
        [text] = [step.text for step in steps("worker") if step.keyword == "CMD"]
        command = json.loads(text)

        assert command[command.index("--pool") + 1] == "solo"


class TestLocks:
    def test_the_lock_of_all_has_what_is_needed_and_nothing_else(self):
        script = (
            "import lock_web as lock; from packaging.requirements import Requirement\n"
            "needed = lock.closure(map(Requirement, lock.requirements('requirements.in')))\n"
            "locked = {lock.name_of(line) for line in lock.requirements('requirements.txt')}\n"
            "print(sorted(needed ^ locked))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": "scripts"},
            capture_output=True,
            text=True,
            check=True,
        )

        # Of a torch with CUDA its libraries, which its own version pins.
        own = re.sub(r"'(nvidia|cuda|triton)[^']*'(, )?", "", done.stdout.strip())
        assert own == "[]"


class TestLockOfTheWebServer:
    def test_is_what_is_made_from_the_lock_of_all(self):
        done = subprocess.run(
            [sys.executable, "scripts/lock_web.py", "--check"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr

    def test_has_nothing_heavy(self):
        names = {name.split("==")[0].lower() for name in text_lines("requirements-web.txt")}

        assert {"django", "gunicorn", "numpy"} <= names
        assert not names & {name.lower() for name in HEAVY}
        assert not names & {"py-irt", "pyro-ppl", "scikit-learn", "torch", "numba"}

    def test_is_asked_for_with_names_that_all_need(self):
        def names(file):
            return {re.split(r"[=\[]", one)[0].lower() for one in text_lines(file)}

        assert names("requirements-web.in") < names("requirements.in")


def text_lines(file: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / file).read_text().splitlines())
    return [line for line in lines if line and not line.startswith("-")]


class TestCompose:
    def test_every_queue_has_a_worker_and_none_has_two_kinds(self):
        served = [queue for name in WORKERS for queue in sorted(queues_of(SERVICES[name]))]

        assert sorted(served) == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)

    @pytest.mark.parametrize("name", WORKERS)
    def test_a_worker_is_one_process_that_computes_with_the_cores_it_has(self, name):
        service = SERVICES[name]
        limits = service["deploy"]["resources"]["limits"]

        command = service["command"]
        assert command[command.index("--pool") + 1] == "solo"
        assert service["environment"]["OMP_NUM_THREADS"] == limits["cpus"]

    @pytest.mark.parametrize("name", sorted(SERVICES))
    def test_a_service_can_write_little_and_gain_nothing(self, name):
        service = SERVICES[name]

        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service
        # Our images name their account; the others' would begin as root.
        assert "build" in service or service["user"] in {"postgres", "redis"}

    @pytest.mark.parametrize("name", sorted(SERVICES))
    def test_a_service_has_limits_and_somebody_who_looks_after_it(self, name):
        service = SERVICES[name]

        assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"])
        if name == "migrate":
            assert service["restart"] == "no"
        else:
            assert service["healthcheck"]["test"][0].startswith("CMD")
            assert service["restart"] == "unless-stopped"
            assert "stop_grace_period" in service

    def test_only_the_web_server_can_be_reached_and_only_from_this_machine(self):
        ports = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}

        assert ports == {"web": ["127.0.0.1:8000:8000"]}
        assert WHOLE["networks"]["backend"] == {"internal": True}
        assert SERVICES["postgres"]["networks"] == SERVICES["redis"]["networks"] == ["backend"]

    def test_secrets_are_files_and_never_variables(self):
        for service in SERVICES.values():
            for name, value in service.get("environment", {}).items():
                assert not re.search("SECRET|PASSWORD", name) or value.startswith("/run/secrets/")

    def test_there_is_one_beat(self):
        beats = [one for one in SERVICES.values() if "beat" in one.get("command", [])]

        assert [one["deploy"]["replicas"] for one in beats] == [1]

    def test_redis_keeps_what_waits(self):
        command = SERVICES["redis"]["command"]

        assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
        assert command[command.index("--appendonly") + 1] == "yes"

    def test_says_what_is_missing(self):
        with pytest.raises(KeyError, match="names under which the tutor is reached"):
            reading.compose(reading.COMPOSE, variables={})

    def test_with_gpus_only_those_that_use_one_get_one(self):
        both = reading.compose(reading.COMPOSE, reading.GPU, variables=GIVEN)["services"]
        with_gpu = {
            name: one["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"]
            for name, one in both.items()
            if "reservations" in one["deploy"]["resources"]
        }

        assert with_gpu == {"tracing": ["0"], "training": ["1"]}
        # Laid over, not put in place of it.
        assert "memory" in both["tracing"]["deploy"]["resources"]["limits"]

    def test_its_variables_are_described(self):
        guide = (ROOT / "docs" / "administrators.md").read_text()
        asked = reading.variables_of(reading.COMPOSE, reading.GPU) | {"TORCH_INDEX"}

        assert [name for name in sorted(asked) if f"`{name}`" not in guide] == []

    def test_its_secrets_are_made_by_the_script_once(self, tmp_path):
        script = tmp_path / "make_secrets.sh"
        script.write_bytes((reading.FOLDER / "make_secrets.sh").read_bytes())
        subprocess.run(["bash", script], check=True, capture_output=True)
        made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
        subprocess.run(["bash", script], check=True, capture_output=True)

        assert set(made) == set(WHOLE["secrets"])
        assert all(len(text) == 64 and text.isalnum() for text in made.values())
        assert len(set(made.values())) == 2
        assert (tmp_path / "secrets" / "secret_key").read_text() == made["secret_key"]
        assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


def health(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "docker/health.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


class TestHealth:
    @pytest.fixture
    def page(self):
        """A web server that answers as it is told, and notes what it was asked."""
        told = {"status": 200, "headers": {}}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                told["headers"] = {**dict(self.headers), "path": self.path}
                self.send_response(told["status"])
                self.end_headers()
                self.wfile.write(b'{"database": "?"}')

            def log_message(self, *_):
                pass

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            told["port"] = str(server.server_port)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield told
            server.shutdown()

    def test_asks_the_web_server_as_the_proxy_would(self, page):
        done = health("web", "--port", page["port"], TUTOR_ALLOWED_HOSTS="a.example, b.example")

        assert done.returncode == 0, done.stderr
        assert page["headers"]["path"] == "/api/v1/health"
        assert page["headers"]["Host"] == "a.example"
        assert page["headers"]["X-Forwarded-Proto"] == "https"

    @pytest.mark.parametrize("status", [301, 400, 503])
    def test_takes_nothing_else_for_a_page(self, page, status):
        page["status"] = status

        done = health("web", "--port", page["port"])

        assert done.returncode == 1
        assert str(status) in done.stderr

    def test_says_that_no_web_server_is_there(self):
        assert health("web", "--port", "1").returncode == 1

    @pytest.mark.parametrize(
        ("state", "age_s", "code"),
        [("idle", 0, 0), ("busy", 0, 0), ("waiting", 0, 1), ("deaf", 0, 1), ("idle", 200, 1)],
    )
    def test_reads_what_the_watchdog_wrote(self, tmp_path, state, age_s, code):
        file = tmp_path / "health"
        file.write_text(json.dumps({"state": state, "reason": "why"}))
        os.utime(file, (time.time() - age_s,) * 2)

        assert health("worker", TUTOR_HEALTH_FILE=str(file)).returncode == code

    @pytest.mark.parametrize(("age_s", "code"), [(0, 0), (100, 0), (250, 1)])
    def test_looks_at_the_age_of_the_schedule(self, tmp_path, age_s, code):
        file = tmp_path / "beat-schedule.db"
        file.touch()
        os.utime(file, (time.time() - age_s,) * 2)

        assert health("beat", TUTOR_VAR=str(tmp_path)).returncode == code

    @pytest.mark.parametrize("what", ["worker", "beat"])
    def test_nothing_written_is_not_healthy(self, tmp_path, what):
        variables = {"TUTOR_VAR": str(tmp_path), "TUTOR_HEALTH_FILE": str(tmp_path / "none")}

        assert health(what, **variables).returncode == 1
