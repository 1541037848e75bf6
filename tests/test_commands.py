"""The commands of the Makefile and its scripts, as far as they can be run without installing."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.servers.process import ROOT


def run(*command: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PATH": path or os.environ["PATH"], "MAKEFLAGS": "", "MAKELEVEL": "0"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture
def programs(tmp_path) -> Path:
    """A folder of programs to put on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


class TestMake:
    def test_alone_lists_every_target(self):
        [phony] = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

        listed = re.findall(r"^  make ([\w-]+) +\S", run("make").stdout, re.MULTILINE)

        assert sorted(listed) == sorted(phony.split()) == sorted(targets)


class TestDemo:
    def test_says_in_one_line_that_the_port_is_busy(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]

            done = run("make", "--no-print-directory", "demo", f"PORT={port}")

        first, *rest = done.stderr.splitlines()
        assert first.startswith(f"Port {port} is in use by another program.")
        assert f"make demo PORT={port + 1}" in first
        assert rest == [f"make: *** [Makefile:{line_of('scripts/demo.sh')}: demo] Error 1"]
        assert done.stdout == ""

    @pytest.mark.parametrize("port", ["0", "70000"])
    def test_says_what_a_port_is(self, port):
        done = run("scripts/demo.sh", "127.0.0.1", port)

        assert done.returncode == 1
        assert done.stderr.startswith(f"{port} is no port: give a number from 1 to 65535")


class TestPython311:
    def test_says_what_is_needed_where_there_is_none(self, programs):
        for name in ("bash", "cat"):
            (programs / name).symlink_to(shutil.which(name))

        done = run(str(programs / "bash"), "scripts/python311.sh", path=str(programs))

        assert done.returncode == 2
        assert "needs Python 3.11 and found none" in done.stderr

    def test_passes_over_another_version(self, programs):
        other = programs / "python3.11"
        other.write_text("#!/bin/sh\nexit 1\n")
        other.chmod(0o755)

        done = run("scripts/python311.sh", path=f"{programs}:{os.environ['PATH']}")

        assert done.stdout.strip() not in {"", str(other)}


class TestDebian:
    def test_is_content_with_programs_that_are_there(self):
        done = run("scripts/debian.sh", "bash=bash", "cat=coreutils")

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_says_what_is_missing_to_who_may_not_install(self, programs):
        someone = programs / "id"
        someone.write_text("#!/bin/sh\necho 1000\n")
        someone.chmod(0o755)

        done = run(
            *("scripts/debian.sh", "bash=bash", "no-such-server=no-such-package"),
            path=f"{programs}:{os.environ['PATH']}",
        )

        assert done.returncode == 2
        assert "no-such-server  (Debian's package: no-such-package)" in done.stderr
        assert "bash" not in done.stderr.replace("no-such", "")


def line_of(text: str) -> int:
    """Return the number of the Makefile's line with this text."""
    lines = (ROOT / "Makefile").read_text().splitlines()
    [number] = [number for number, line in enumerate(lines, start=1) if text in line]
    return number
