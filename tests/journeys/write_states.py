"""Writes every state of every page as a file: `python -m tests.journeys.write_states FOLDER`.

In an installation's environment and in a process of its own, because the Django of the tests
belongs to another database. `course=SLUG` and `language=CODE` may follow. In English, the pages
that have an address are written in German too.
"""

import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import django

django.setup()

from django.http import HttpResponse  # noqa: E402 - models need the set-up
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from tests.tutor.student.states import Visitor  # noqa: E402
from tutor.content.models import Course  # noqa: E402


def write(folder: Path, *, course: str = "", language: str = "en") -> None:
    """Walk through all states and write them down, each once."""
    setup_test_environment()
    visitor = Visitor(
        Client(headers={"Accept-Language": language}),
        course=Course.objects.get(slug=course) if course else None,
    )
    names: dict[str, list[str]] = {"names": [], "german": []}
    for state, response in _pages(itertools.chain(visitor.walk(), visitor.teach())):
        name = re.sub(r"[^a-z0-9]+", "-", state.lower())
        (folder / f"{name}.html").write_bytes(response.content)
        names["names"].append(name)
        # What is made without a request, such as the page of a fault, has none.
        asked = getattr(response, "request", {"REQUEST_METHOD": ""})
        if asked["REQUEST_METHOD"] == "GET" and language == "en":
            address = f"{asked['PATH_INFO']}?{asked['QUERY_STRING']}"
            german = visitor.client.get(address, headers={"Accept-Language": "de"})
            (folder / f"german-{name}.html").write_bytes(german.content)
            names["german"].append(f"german-{name}")
    told = {**names, **visitor.leave_stuck()}
    (folder / "told.json").write_text(json.dumps(told))


def _pages(states: Iterable[tuple[str, HttpResponse]]) -> Iterator[tuple[str, HttpResponse]]:
    seen = set()
    for state, response in states:
        if state not in seen and b"<main" in response.content:
            seen.add(state)
            yield state, response


if __name__ == "__main__":
    write(Path(sys.argv[1]), **dict(pair.split("=") for pair in sys.argv[2:]))
