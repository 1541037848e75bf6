"""Builds an image's file system in a folder: its steps, with a new environment of Python."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.docker import reading
from tests.servers.process import ROOT

# Folders of an image that lie in a folder of ours; a process sees ours in their place.
APP, VAR, TMP, SECRETS = "/srv/tutor", "/var/lib/tutor", "/tmp", "/run/secrets"
# Base images and accounts are the engine's. Programs that would make accounts do nothing.
SHIMS = {"groupadd": "exit 0", "useradd": "exit 0"}


def copy_of_python(folder: Path) -> Path:
    """Copy this Python to where every account may run it, as the base image has one; its path."""
    leave = shutil.ignore_patterns("site-packages", "test", "__pycache__", "share", "*.a")
    if not folder.exists():
        shutil.copytree(sys.base_prefix, folder, ignore=leave, symlinks=True)
    return folder / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


class Image:
    """What a Dockerfile makes, in a folder: the code under `srv`, its packages under `python`."""

    def __init__(
        self, *, dockerfile: Path, folder: Path, python: Path, arguments: Mapping[str, str]
    ) -> None:
        self.dockerfile = dockerfile
        self._python = python
        self.folder = folder
        self.app = folder / "srv"
        self.environment: dict[str, str] = {}
        self.command: list[str] = []
        self.user: int | None = None
        self._arguments = dict(arguments)
        self._is_root = os.geteuid() == 0

    def build(self) -> None:
        """Carry out every step; those that make files only where that was not done before.

        Raises:
            CalledProcessError: a step failed.
        """
        done = self.folder / "done"
        steps = reading.steps_of(self.dockerfile)
        if not done.exists():
            self._prepare()
        for step in steps:
            if not done.exists() or step.keyword not in {"RUN", "COPY"}:
                print(f"  {step.keyword} {step.text[:100]}", flush=True)
                getattr(self, f"_{step.keyword.lower()}")(step.text)
        done.touch()

    def _prepare(self) -> None:
        for inner in ("srv", "var", "tmp", "shims"):
            (self.folder / inner).mkdir(parents=True)
        for name, body in SHIMS.items():
            shim = self.folder / "shims" / name
            shim.write_text(f"#!/bin/sh\n{body}\n")
            shim.chmod(0o755)
        subprocess.run([str(self._python), "-m", "venv", str(self.folder / "python")], check=True)

    def run(self, command: Sequence[str], *, places: Mapping[str, Path], **options) -> None:
        """Run a command in the image to its end, as its account."""
        subprocess.run(check=True, **self.call(command, places=places), **options)

    def call(self, command: Sequence[str], *, places: Mapping[str, Path], more=None) -> dict:
        """Return the arguments of Popen that run a command here.

        Args:
            command: as in the image.
            places: folder in the image -> ours.
            more: variables beside the image's own.
        """
        told = {**self.environment, **(more or {})}
        moved = {name: _moved(value, places) for name, value in told.items()}
        passed = {name: value for name, value in os.environ.items() if name in PASSED}
        # The copy's own library, also where it was built to look elsewhere.
        library = str(self._python.parents[1] / "lib")
        return {
            "args": [_moved(word, places) for word in command],
            "cwd": self.app,
            "env": {
                **passed,
                **moved,
                "PATH": f"{self.folder}/python/bin:/usr/bin:/bin",
                "LD_LIBRARY_PATH": library,
            },
            **self._account(),
        }

    def own(self, *paths: Path) -> None:
        """Make folders that the image's account may write."""
        for path in paths:
            path.mkdir(parents=True, exist_ok=True)
            if self._is_root and self.user is not None:
                os.chown(path, self.user, self.user)

    def _account(self) -> dict:
        if self.user is None or not self._is_root:
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}

    def _from(self, text: str) -> None:
        assert text.startswith("python:3.11-slim"), text

    def _env(self, text: str) -> None:
        self.environment |= reading.settings_of(text)

    def _arg(self, text: str) -> None:
        self._arguments = reading.settings_of(text) | self._arguments

    def _workdir(self, text: str) -> None:
        assert text == APP, text

    def _run(self, text: str) -> None:
        places = {APP: self.app, VAR: self.folder / "var", TMP: self.folder / "tmp"}
        path = f"{self.folder}/shims:{self.folder}/python/bin:{os.environ['PATH']}"
        told = {k: _moved(v, places) for k, v in self.environment.items()}
        environment = {**os.environ, **told, **self._arguments, "PATH": path}
        # pip's own settings lie where this machine keeps them.
        subprocess.run(_moved(text, places), shell=True, check=True, cwd=self.app, env=environment)

    def _copy(self, text: str) -> None:
        *sources, target = text.split()
        for source in sources:
            assert source in reading.allowed_in_context(), f".dockerignore leaves out {source}"
            path = ROOT / source
            if path.is_dir():
                leave = shutil.ignore_patterns("__pycache__", "*.pyc")
                shutil.copytree(path, self.app / target, ignore=leave)
            else:
                shutil.copy(path, self.app / target)

    def _user(self, text: str) -> None:
        self.user = int(text.split(":", maxsplit=1)[0])

    def _expose(self, text: str) -> None:
        assert text == "8000", text

    def _cmd(self, text: str) -> None:
        self.command = json.loads(text)


# Of this machine, so that the run is slow only where it has to be.
PASSED = {"LANG", "LC_ALL"}


def _moved(text: str, places: Mapping[str, Path]) -> str:
    # In one go, and the longest first: ours may well lie in a folder of the same name.
    pattern = "|".join(re.escape(one) for one in sorted(places, key=len, reverse=True))
    return re.sub(pattern, lambda match: str(places[match[0]]), text) if places else text
