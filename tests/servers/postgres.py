"""A PostgreSQL server of the tests' own: a new cluster in a temporary folder."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.servers.process import Process, free_port, running

SUPERUSER = "tutor"


def program(name: str) -> str:
    """Return the path of one of PostgreSQL's programs; Debian keeps the servers off the PATH.

    Raises:
        FileNotFoundError: it is not installed.
    """
    newest_first = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
        key=lambda path: int(path.parts[4]),
        reverse=True,
    )
    found = shutil.which(name) or (str(newest_first[0]) if newest_first else None)
    if found is None:
        raise FileNotFoundError(f"{name} (PostgreSQL) is not installed: run make test.")
    return os.path.realpath(found)


@contextlib.contextmanager
def postgres_server(*, keeps_commits: bool = False) -> Iterator[str]:
    """Run a server and lend its address, `postgres://tutor@127.0.0.1:PORT/tutor`.

    Its data are not flushed to disk: they are thrown away anyhow. With `keeps_commits` what was
    committed outlives a crash of the server, though not of the machine.
    """
    folder = Path(tempfile.mkdtemp(prefix="tutor-postgres-"))
    # PostgreSQL refuses to run as root; Debian's package has made a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    if user is not None:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
    _make_cluster(folder / "data", user=user)
    port = free_port()
    process = Process(
        [
            program("postgres"),
            *("-D", str(folder / "data"), "-p", str(port), "-k", str(folder)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "max_connections=120"),
            *(
                "-c",
                "fsync=off",
                "-c",
                "full_page_writes=off",
                "-c",
                f"synchronous_commit={'on' if keeps_commits else 'off'}",
            ),
        ],
        log=folder / "log",
        # QUIT is its immediate shutdown: it waits for no client.
        guard_options=[
            *("--signal", "QUIT", "--remove", str(folder)),
            *(("--user", user) if user is not None else ()),
        ],
    )
    url = f"postgres://{SUPERUSER}@127.0.0.1:{port}"
    with running(process, lambda: _answers(f"{url}/postgres")):
        make_database(url=f"{url}/postgres", name="tutor")
        yield f"{url}/tutor"


def make_database(*, url: str, name: str, template: str | None = None) -> None:
    """Make a database, as a copy of `template` if one is named."""
    copied = f' TEMPLATE "{template}"' if template else ""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"{copied}')


def _make_cluster(folder: Path, *, user: str | None) -> None:
    subprocess.run(
        [
            program("initdb"),
            *("-D", str(folder), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
            *("--locale=C", "--no-sync"),
        ],
        cwd=folder.parent,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
