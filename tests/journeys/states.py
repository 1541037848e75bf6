"""Every state of every page, kept as it was sent, for a browser to look at."""

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


@dataclass(frozen=True, slots=True)
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

    @property
    def parts(self) -> set[str]:
        """What it is made of: elements with their classes, roles and states."""
        return {
            f"{tag} {look}={value}"
            for tag, attributes in _ELEMENT.findall(self.html)
            for look, value in _LOOK.findall(attributes) or [("", "")]
        }


@dataclass(frozen=True, slots=True)
class States:
    """All of an installation: the pages, and whom they belong to.

    `student` is somebody with weeks behind them whose latest session, `session`, ended stuck.
    """

    pages: list[State]
    student: str
    teacher: str
    session: str


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
    pages = [State(name, (folder / f"{name}.html").read_text()) for name in told.pop("names")]
    return States(pages, **told)


def with_something_new(states: list[State]) -> list[State]:
    """Return the states that have a part which no state before them had."""
    seen: set[str] = set()
    found = []
    for state in states:
        if not state.parts <= seen:
            found.append(state)
            seen |= state.parts
    return found
