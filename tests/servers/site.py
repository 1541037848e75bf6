"""The tutor itself, served by gunicorn in a process of its own against a database of its own."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.servers.postgres import make_database
from tests.servers.process import ROOT, Process, free_port

Command = tuple[str, ...]


class CommandFailed(Exception):
    """A management command ended with an error; the text is what it printed."""


class Place:
    """A folder for the tutor's files and a database: everything that one installation keeps."""

    def __init__(self, *, var: Path, postgres_url: str | None) -> None:
        """Name the place; `postgres_url` is that of its own database, None means SQLite."""
        self.var = var
        self.postgres_url = postgres_url
        # Variables that this one has beside or instead of the usual ones.
        self.own: dict[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        sqlite_url = f"sqlite:///{self.var / 'tutor.sqlite3'}"
        return {
            "TUTOR_VAR": str(self.var),
            "TUTOR_DATABASE_URL": self.postgres_url or sqlite_url,
            "TUTOR_BROKER_URL": "filesystem://",
            "DJANGO_SETTINGS_MODULE": "tutor.config.settings",
            **self.own,
        }

    def manage(self, *command: str) -> str:
        """Run a management command and return what it printed.

        Raises:
            CommandFailed: it ended with an error.
        """
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            check=False,
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        if done.returncode != 0:
            raise CommandFailed(f"manage.py {' '.join(command)}\n{done.stdout}")
        return done.stdout

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT; write `?` for a parameter."""
        if self.postgres_url is not None:
            with psycopg.connect(self.postgres_url) as connection:
                return connection.execute(sql.replace("?", "%s"), parameters).fetchall()
        with contextlib.closing(sqlite3.connect(self.var / "tutor.sqlite3")) as connection:
            return connection.execute(sql, parameters).fetchall()


class Places:
    """Makes new places. What it takes to prepare one is done once for all test processes."""

    def __init__(self, *, folder: Path, postgres_url: str | None) -> None:
        """Keep places in `folder`, which the test processes share."""
        self._folder = folder
        self._postgres_url = postgres_url

    def make(self, *commands: Command) -> Place:
        """Return a new place on which these management commands have run."""
        return self._copied(self.template(commands), f"place_{uuid.uuid4().hex[:12]}")

    def template(self, commands: tuple[Command, ...]) -> Place:
        """Return the place that those with these commands are copies of; leave it as it is.

        Its last command runs on a copy of what the ones before it have made.
        """
        digest = hashlib.sha256(repr(commands).encode()).hexdigest()[:12]
        name = f"template_{digest}"
        done = self._folder / f"{digest}.done"
        with (self._folder / f"{digest}.lock").open("w") as lock:
            # Another test process may be preparing the same one.
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                self._prepare(name, commands)
                done.touch()
        return self._named(name)

    def _prepare(self, name: str, commands: tuple[Command, ...]) -> None:
        if commands:
            self._copied(self.template(commands[:-1]), name).manage(*commands[-1])
            return
        empty = self._named(name)
        empty.var.mkdir()
        if empty.postgres_url is not None:
            self._make_database(empty)

    def _copied(self, template: Place, name: str) -> Place:
        place = self._named(name)
        shutil.copytree(template.var, place.var)
        if place.postgres_url is not None:
            self._make_database(place, template=template)
        return place

    def _named(self, name: str) -> Place:
        base = self._postgres_url
        url = None if base is None else urlunsplit(urlsplit(base)._replace(path=name))
        return Place(var=self._folder / name, postgres_url=url)

    def _make_database(self, place: Place, *, template: Place | None = None) -> None:
        make_database(
            url=self._postgres_url,
            name=urlsplit(place.postgres_url).path[1:],
            template=None if template is None else urlsplit(template.postgres_url).path[1:],
        )


class Site:
    """The web server of one place. It can be killed and started again on the same port."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: Process | None = None

    @property
    def output(self) -> str:
        """What the web server has written so far."""
        return "" if self._process is None else self._process.output

    @property
    def pid(self) -> int:
        """The web server's own process; its workers are its children."""
        return self._process.pid

    def start(self) -> None:
        command = ["-m", "gunicorn", "--config", "python:tutor.config.gunicorn"]
        self._process = Process(
            [sys.executable, *command, "--bind", f"127.0.0.1:{self.port}"],
            log=self.place.var / "web.log",
            environment=self.place.environment,
        )
        self._process.wait_until(self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End the server and its workers at once, in the middle of whatever they do."""
        self._process.kill()

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self.url, timeout=5).close()
        except urllib.error.HTTPError as answer:
            answer.close()  # any status says that the application is up
        return True


@contextlib.contextmanager
def served(place: Place) -> Iterator[Site]:
    """Serve a place."""
    site = Site(place)
    try:
        site.start()
        yield site
    finally:
        site.stop()


def migrated(*more: Sequence[str]) -> tuple[Command, ...]:
    """Return the commands that make a place with tables, followed by `more`."""
    return (("migrate", "--verbosity=0"), *(tuple(command) for command in more))
