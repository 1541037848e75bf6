"""A served small school, and a person at a browser."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.journeys.person import Person
from tests.servers.process import ROOT
from tests.servers.site import Places, Site, migrated, served


@pytest.fixture(scope="module")
def school(places: Places) -> Iterator[Site]:
    """The small school, served; its ids are in `school.ids`."""
    place = places.make(*migrated())
    done = subprocess.run(
        [sys.executable, "-m", "tests.journeys.school"],
        cwd=ROOT,
        env={**os.environ, **place.environment},
        check=True,
        capture_output=True,
        text=True,
    )
    with served(place) as site:
        site.ids = json.loads(done.stdout)
        yield site


@pytest.fixture
def sign_in(school: Site, browser) -> Iterator[Callable[..., Person]]:
    """Opens a browser of its own for a person and signs them in."""
    contexts = []

    def open_browser(
        username: str, *, width: int = 1280, height: int = 800, scheme: str = "light"
    ) -> Person:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        person = Person(page=context.new_page(), site=school, username=username)
        person.sign_in()
        return person

    yield open_browser
    for context in contexts:
        context.close()


@pytest.fixture
def stranger(school: Site, page: Page) -> Person:
    """Somebody who has not signed in."""
    return Person(page=page, site=school, username="")
