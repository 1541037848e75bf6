"""Which database the tests run on, and the servers they can ask for."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings

from tests.servers.browser import chromium
from tests.servers.postgres import postgres_server
from tests.servers.rabbitmq_server import rabbitmq_server
from tests.servers.redis_server import redis_server
from tests.servers.site import Place, Places, Site, migrated, served

# Small problems gain nothing by threads, and those of several test processes wait for each other by
# spinning. Set here, it reaches torch, the processes of `-n` and whatever else the tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run, and no failure because others want the machine too. New ones are
# looked for by `pytest --hypothesis-profile=default`.
settings.register_profile(
    "suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

DATABASE_URL = "TUTOR_DATABASE_URL"
LONG = {"slow", "journey"}
# What is tested here knows no database, and takes long to import.
LIBRARIES = [
    Path(__file__).parent / name
    for name in (
        *("curriculum", "docker", "kt_models"),
        *("tutor/content/demo_course", "tutor/content/grading"),
    )
]
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "places"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=["sqlite", "postgres"],
        default="sqlite",
        help="postgres: run only what touches a database, on a PostgreSQL started for it",
    )
    parser.addoption(
        "--share-slow",
        action="store_true",
        help="of the slow tests that touch a database run only this database's half",
    )


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Start the run over with a PostgreSQL, if one is wanted and not yet there.

    In a child process, because Django's settings are read before this file is.
    """
    if config.option.database == "sqlite" or on_postgres() or config.option.help:
        return None
    with postgres_server() as url:
        command = [sys.executable, "-m", "pytest", *config.invocation_params.args]
        run = subprocess.Popen(command, env={**os.environ, DATABASE_URL: url})
        while True:
            try:
                return run.wait()
            except KeyboardInterrupt:
                continue  # the run has had the same Ctrl-C and is ending


def on_postgres() -> bool:
    return os.environ.get(DATABASE_URL, "").startswith("postgres")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """On PostgreSQL do not even read the tests of the libraries."""
    return True if on_postgres() and collection_path in LIBRARIES else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL keep what touches a database; on SQLite leave out what needs PostgreSQL."""
    astray = [item.nodeid for item in items if in_library(item) and touches_database(item)]
    if astray:
        raise pytest.UsageError(f"not run on PostgreSQL, for it is a library's test: {astray}")
    on_this = touches_database if on_postgres() else runs_on_sqlite

    def wanted(item: pytest.Item) -> bool:
        return on_this(item) and (not config.option.share_slow or is_this_ones(item))

    config.hook.pytest_deselected(items=[item for item in items if not wanted(item)])
    items[:] = [item for item in items if wanted(item)]
    # Long files first: one that comes last is waited for by all other processes.
    long = {item.path for item in items if {m.name for m in item.iter_markers()} & LONG}
    items.sort(key=lambda item: item.path not in long)


def touches_database(item: pytest.Item) -> bool:
    marks = {mark.name for mark in item.iter_markers()}
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(marks & {"django_db", "postgres", "journey"} or fixtures & DATABASE_FIXTURES)


def in_library(item: pytest.Item) -> bool:
    return any(folder in item.path.parents for folder in LIBRARIES)


def runs_on_sqlite(item: pytest.Item) -> bool:
    return item.get_closest_marker("postgres") is None


def is_this_ones(item: pytest.Item) -> bool:
    """Whether a test is one that this database runs where the slow ones are shared out.

    By the name of its file, so that it is always the same one, and what the tests of a file prepare
    together is prepared once.
    """
    marks = {mark.name for mark in item.iter_markers()}
    if not marks & LONG or "postgres" in marks or not touches_database(item):
        return True
    file = item.path.relative_to(Path(__file__).parent).as_posix()
    return on_postgres() == bool(zlib.crc32(file.encode()) % 2)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of an empty Redis."""
    with redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def rabbitmq_url() -> Iterator[str]:
    """The address of an empty RabbitMQ."""
    with rabbitmq_server() as url:
        yield url


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Makes installations to run management commands and servers on."""
    url = os.environ[DATABASE_URL] if on_postgres() else None
    base = tmp_path_factory.getbasetemp()
    # Under xdist every process has a folder of its own below one that they share.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "places"
    folder.mkdir(exist_ok=True)
    return Places(folder=folder, postgres_url=url)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, places: Places
) -> Iterator[None]:
    """Let the test database begin as a copy of one on which all migrations have run from empty.

    They take ten seconds, which the test processes spend once for all of them. Django finds the
    tables there and is told not to migrate, which would take half as long to find nothing to do.
    """
    template = places.template(migrated())
    connection.settings_dict["TEST"]["MIGRATE"] = False
    if template.postgres_url is not None:
        connection.settings_dict["TEST"]["TEMPLATE"] = urlsplit(template.postgres_url).path[1:]
        yield
        return
    # A database in memory is there for as long as somebody is connected to it.
    name = connection.creation._get_test_db_name()
    with (
        contextlib.closing(sqlite3.connect(name, uri=True)) as copy,
        contextlib.closing(sqlite3.connect(template.var / "tutor.sqlite3")) as source,
    ):
        source.backup(copy)
        yield


@pytest.fixture
def place(places: Places) -> Place:
    """An installation with empty tables."""
    return places.make(*migrated())


@pytest.fixture
def demo_place(places: Places) -> Place:
    """An installation with the demo school. Preparing the first one takes half a minute."""
    return places.make(*migrated(("seed_demo", "--learners=40")))


@pytest.fixture
def site(place: Place) -> Iterator[Site]:
    """The tutor with empty tables, served."""
    with served(place) as site:
        yield site


# Per module, and closed at its end: while Playwright runs, Django takes the thread for an
# asynchronous one and refuses to touch the database.
@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A headless Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser) -> Iterator[object]:
    """A page in a new browser context: no cookies, nothing cached."""
    context = browser.new_context()
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """An empty folder for the tutor's files."""
    folder = tmp_path / "var"
    folder.mkdir()
    return folder
