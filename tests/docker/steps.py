"""Runs the containers' steps without an engine: `make docker-check`.

    python -m tests.docker.steps [FOLDER]    # kept, and what is built in it is used again

Builds both images in a folder, each with an environment of Python of its own, then starts the
services of docker/compose.yaml as it says: their commands, accounts, variables, secrets, volumes
and health checks, beside a PostgreSQL and a Redis of this machine. What stays to an engine are base
images, limits, networks and mounts. Ends with 1 at the first thing that is not as it should be.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import urlsplit

from tests.docker import reading
from tests.docker.image import APP, SECRETS, Image, copy_of_python
from tests.servers.postgres import postgres_server
from tests.servers.process import ROOT, free_port
from tests.servers.redis_server import redis_server

VARIABLES = {"TUTOR_ALLOWED_HOSTS": "tutor.example", "WORKER_CPUS": "1", "TRACING_CPUS": "1"}
HEALTHY_WITHIN_S = 180
# In a worker's log once it has done something of its queue. Each is sent by the beat.
DONE = {"tracing": "tracing.catch_up", "worker": "intake.sweep"}


class Service:
    """A service of the compose file as a process of this machine."""

    def __init__(self, name: str, told: dict, image: Image, base: Path, swaps: dict[str, str]):
        self.name, self.told, self.image = name, told, image
        self.log = base / f"{name}.log"
        self._swaps = swaps
        self._process: subprocess.Popen | None = None
        self.places = {APP: image.app, SECRETS: base / "secrets"}
        # What is neither a volume nor in memory cannot be written, as with a read-only root.
        in_memory = {entry.split(":")[0] for entry in told.get("tmpfs", [])}
        volumes = dict(reversed(entry.split(":")) for entry in told.get("volumes", []))
        mounts = {one: base / "services" / name / one.replace("/", "-") for one in in_memory}
        mounts |= {one: base / "volumes" / volume for one, volume in volumes.items()}
        image.own(*mounts.values())
        self.places |= mounts
        for inner in volumes:
            outer = self.places.get(str(Path(inner).parent))
            if outer is not None:
                (outer / Path(inner).name).symlink_to(self.places[inner])

    def call(self, command: list[str]) -> dict:
        environment = {key: str(value) for key, value in self.told.get("environment", {}).items()}
        for old, new in self._swaps.items():
            environment = {key: value.replace(old, new) for key, value in environment.items()}
            command = [word.replace(old, new) for word in command]
        return self.image.call(command, places=self.places, more=environment)

    def run(self, command: list[str], **options) -> subprocess.CompletedProcess:
        return subprocess.run(**self.call(command), check=False, **options)

    def start(self) -> None:
        command = self.told.get("command", self.image.command)
        with self.log.open("w") as output:
            self._process = subprocess.Popen(
                **self.call(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> str | None:
        """Return what the health check finds wrong, None if nothing."""
        _, *test = self.told["healthcheck"]["test"]
        if test[-1] == "web":
            test = [*test, "--port", self._swaps["0.0.0.0:8000"].split(":")[1]]
        done = self.run(test, capture_output=True, text=True)
        return None if done.returncode == 0 else done.stderr or f"exit code {done.returncode}"

    def wait_until_healthy(self) -> None:
        until_s = time.monotonic() + HEALTHY_WITHIN_S
        while (problem := self.check()) is not None:
            require(self._process.poll() is None, f"{self.name} ended\n{self.log.read_text()}")
            require(time.monotonic() < until_s, f"{self.name}: {problem}\n{self.log.read_text()}")
            time.sleep(1)

    def wait_until_written(self, text: str) -> None:
        until_s = time.monotonic() + HEALTHY_WITHIN_S
        while text not in self.log.read_text():
            require(time.monotonic() < until_s, f"{self.name}: no {text}\n{self.log.read_text()}")
            time.sleep(1)

    def stop(self) -> float:
        """End the service as an engine does; return the seconds that it took."""
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(int(self.told.get("stop_grace_period", "10s").removesuffix("s")))
        return time.monotonic() - began

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def require(is_so: bool, text: str) -> None:
    if not is_so:
        raise SystemExit(f"NOT AS IT SHOULD BE: {text}")


def names_of(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines()
    return dict(line.lower().split("==") for line in lines if "==" in line)


def check_packages(image: Image, *, lock: str, importable: list[str], absent: list[str]) -> None:
    """Hold what is installed against the lock, and see what can be imported."""
    python = str(image.folder / "python" / "bin" / "python")
    told = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json"], capture_output=True, check=True
    )
    found = {one["name"].lower(): one["version"].split("+")[0] for one in json.loads(told.stdout)}
    wanted = names_of(ROOT / lock)
    missing = {name for name, version in wanted.items() if found.get(name) != version}
    require(not missing, f"{image.dockerfile.name} lacks {sorted(missing)}")
    more = set(found) - set(wanted) - {"pip", "setuptools"}
    # A torch with CUDA pins its libraries itself.
    more = {name for name in more if not name.startswith(("nvidia", "cuda", "triton"))}
    require(not more, f"{image.dockerfile.name} also has {more}")
    for name in [*importable, *absent]:
        code = subprocess.run(
            [python, "-c", f"import {name}"], capture_output=True, check=False
        ).returncode
        require((code == 0) == (name in importable), f"{image.dockerfile.name}: import {name}")
    size = subprocess.run(
        ["du", "-sm", str(image.folder / "python")], capture_output=True, text=True, check=True
    )
    print(f"  {len(found)} packages, {size.stdout.split()[0]} MB of Python", flush=True)


def build(base: Path) -> dict[str, Image]:
    images = {}
    python = copy_of_python(base / "base")
    for name in ("web", "worker"):
        print(f"== Image {name}", flush=True)
        dockerfile = reading.FOLDER / f"Dockerfile.{name}"
        images[name] = Image(dockerfile=dockerfile, folder=base / name, python=python, arguments={})
        images[name].build()
    heavy = ["torch", "numba", "scipy", "pyro", "py_irt", "sklearn", "pandas", "pyarrow"]
    check_packages(images["web"], lock="requirements-web.txt", importable=["django"], absent=heavy)
    check_packages(images["worker"], lock="requirements.txt", importable=heavy, absent=[])
    return images


def get(url: str) -> tuple[int, str]:
    headers = {"Host": "tutor.example", "X-Forwarded-Proto": "https"}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return answer.status, answer.read().decode()


def serve(images: dict[str, Image], base: Path) -> None:
    """Start every service of the compose file in its order, and stop it again."""
    whole = reading.compose(reading.COMPOSE, variables=VARIABLES)["services"]
    secrets = base / "secrets"
    secrets.mkdir(exist_ok=True)
    for name in ("secret_key", "database_password"):
        (secrets / name).write_text(token_urlsafe(64))
    port = free_port()
    with postgres_server() as postgres, redis_server() as broker:
        swaps = {
            "@postgres:5432": f"@127.0.0.1:{urlsplit(postgres).port}",
            "redis://redis:6379": broker.removesuffix("/0"),
            "0.0.0.0:8000": f"127.0.0.1:{port}",
        }
        services = {
            name: Service(name, told, images[image_of(told)], base, swaps)
            for name, told in whole.items()
            if "build" in told
        }
        try:
            _serve(services, port)
        finally:
            for service in services.values():
                service.kill()


def image_of(told: dict) -> str:
    return told["build"]["dockerfile"].removeprefix("docker/Dockerfile.")


def _serve(services: dict[str, Service], port: int) -> None:
    migrate = services.pop("migrate")
    require(migrate.run(migrate.told["command"]).returncode == 0, "migrate")
    deploy = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    require(services["web"].run(deploy).returncode == 0, "check --deploy")
    for service in services.values():
        service.start()
    for service in services.values():
        service.wait_until_healthy()
        print(f"  {service.name} is healthy", flush=True)

    status, page = get(f"http://127.0.0.1:{port}/sign-in/")
    require(status == 200 and "<form" in page, "the sign-in page")
    style = page.split('rel="stylesheet" href="')[1].split('"')[0]
    require(get(f"http://127.0.0.1:{port}{style}")[0] == 200, f"{style}, from collectstatic")
    for name, task in DONE.items():
        services[name].wait_until_written(f"Task {task}")
        services[name].wait_until_written("succeeded")
        print(f"  {name} has done {task}", flush=True)
    mine = services["web"]
    code = "open('/srv/tutor/manage.py', 'a')"
    written = mine.run(["python", "-c", code], capture_output=True).returncode == 0
    require(not written or os.geteuid() != 0, "the code can be written by the tutor's account")

    for service in services.values():
        took_s = service.stop()
        print(f"  {service.name} stopped in {took_s:.1f} s", flush=True)
    require(mine.check() is not None, "a web server that is gone counts as healthy")


def main() -> None:
    """Build, check and run everything."""
    kept = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    base = kept or Path(tempfile.mkdtemp(prefix="tutor-docker-"))
    base.mkdir(exist_ok=True)
    base.chmod(0o755)
    for left in ("services", "volumes"):
        shutil.rmtree(base / left, ignore_errors=True)
    try:
        serve(build(base), base)
    finally:
        if kept is None:
            shutil.rmtree(base, ignore_errors=True)
    print("Every step of the images and every service of docker/compose.yaml works.")


if __name__ == "__main__":
    main()
