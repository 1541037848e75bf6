"""Every state of every page, kept as it was sent, for a browser to look at."""

import functools
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

from tests.servers.process import ROOT
from tests.servers.site import Place

_ELEMENT = re.compile(r"<(\w+)((?:\s[^<>]*)?)>")
_LOOK = re.compile(r'\b(class|role|type|aria-\w+)(?:="([\w -]*)")?')


@dataclass(frozen=True)
class State:
    """A state of a page: its name and its HTML."""

    name: str
    html: str

    def show(self, page: Page, url: str) -> None:
        """Show it at an address of the site, whose styles and scripts it loads."""
        address = f"{url}/states/{self.name}"
        page.route(address, lambda route: route.fulfill(body=self.html, content_type="text/html"))
        page.goto(address)
        page.unroute(address)

    @functools.cached_property
    def parts(self) -> frozenset[str]:
        """What it is made of: elements with their classes, roles and states."""
        return frozenset(
            f"{tag} {look}={value}"
            for tag, attributes in _ELEMENT.findall(self.html)
            for look, value in _LOOK.findall(attributes) or [("", "")]
        )


@dataclass(frozen=True, slots=True)
class States:
    """All of an installation: the pages, those of them that came in German too, whose they are.

    `student` is somebody with weeks behind them whose session `session` ended stuck; in another,
    `pictured`, a question with a picture waits.
    """

    pages: list[State]
    german: list[State]
    student: str
    teacher: str
    session: str
    pictured: str


def collect(place: Place, folder: Path, **wanted: str) -> States:
    """Return the states of all pages in an installation; `wanted`: see `write_states`."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.journeys.write_states", str(folder)]
    done = subprocess.run(
        [*command, *(f"{name}={value}" for name, value in wanted.items())],
        check=False,
        cwd=ROOT,
        env={**os.environ, **place.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(done.stdout)
    told = json.loads((folder / "told.json").read_text())
    pages, german = (
        [State(name, (folder / f"{name}.html").read_text()) for name in told.pop(names)]
        for names in ("names", "german")
    )
    return States(pages, german, **told)


def with_something_new(states: list[State]) -> list[State]:
    """Return few states that have all parts of all between them, those with most first."""
    left = set().union(*(state.parts for state in states))
    found = []
    while left:
        richest = max(states, key=lambda state: len(state.parts & left))
        found.append(richest)
        left -= richest.parts
    return found
