"""Every student page is sound HTML, loads nothing from elsewhere, and is light."""

import datetime as dt
import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse

from tests.factories import (
    answer_current,
    make_assignment,
    make_class,
    make_course,
    make_organisation,
    make_user,
    start_session,
)
from tests.tutor.student.html import problems
from tutor.common import clock
from tutor.config import content_security
from tutor.practice import usecases

pytestmark = pytest.mark.django_db

MOST_BYTES = 100_000


@pytest.fixture
def pages(client):
    """Address -> HTML of every page of a student, before and after their first answers."""
    client.raise_request_exception = True
    found = {"/sign-in/": client.get("/sign-in/")}
    user = make_user(organisation=make_organisation(), name="Sam <Student> & Co")
    client.force_login(user)
    found["/learn/ without a class"] = client.get("/learn/")
    course = make_course(organisation=user.organisation)
    classroom = make_class(course=course, users=[user], name="7b & <7c>")
    at = clock.now()
    for days in (3, 9, None):
        due_at = None if days is None else at + dt.timedelta(days=days)
        make_assignment(classroom=classroom, at=at, title=f"<{days}> & more", due_at=due_at)
    around = [reverse(f"student:{name}") for name in ("home", "map", "progress", "reviews", "how")]
    found |= {f"{path} new": client.get(path) for path in around}
    session = start_session(learner=user.learner, course=course, at=at)
    for number in range(5):
        item = session.current
        found[f"question {item.item_version.kind}"] = client.get(
            reverse("student:practise", args=[session.public_id])
        )
        answer_current(session, right=number != 2, at=clock.now(), draw_seed=number)
        found[f"answered {item.item_version.kind} {number}"] = client.get(
            reverse("student:answered", args=[item.public_id])
        )
        if session.finished_at is not None:
            break
    found |= {f"{path} begun": client.get(path) for path in around}
    touched = [
        concept
        for concept in course.concepts.all()
        if client.get(reverse("student:concept", args=[course.slug, concept.slug])).status_code
        == 200
    ]
    path = reverse("student:concept", args=[course.slug, touched[0].slug])
    found[path] = client.get(path)
    usecases.finish_practice(learner=user.learner, session=session, at=clock.now())
    found["summary"] = client.get(reverse("student:summary", args=[session.public_id]))
    assert {response.status_code for response in found.values()} == {200}
    return found


def test_every_page_is_sound_html(pages):
    wrong = {name: problems(page.content.decode()) for name, page in pages.items()}

    assert len(pages) > 20
    assert {name: told for name, told in wrong.items() if told} == {}


@pytest.mark.parametrize(
    "broken",
    [
        "<p><div></p>",
        '<p id="main">twice</p>',
        '<label for="nobody">x</label>',
        "<ul><p>x</p></ul>",
        "<button><a href='/'>x</a></button>",
        "<h3>skips a level</h3>",
        '<input name="text">',
        "<a href='/'></a>",
        "<p onclick='x()'>x</p>",
        "</b>",
    ],
)
def test_the_check_finds_what_is_broken(broken):
    page = (
        '<!doctype html><html lang="en"><head><title>x</title></head>'
        '<body><main id="main"><h1>x</h1>{}</main></body></html>'
    )

    assert problems(page.format("<p>fine</p>")) == []
    assert problems(page.format(broken)) != []


def test_every_page_carries_the_strict_policy_and_names_no_other_host(pages):
    for name, page in pages.items():
        assert page.headers["Content-Security-Policy"] == content_security.POLICY, name
        html = page.content.decode()
        assert not re.findall(r'(?:src|href|action|hx-[a-z]+)="(?:https?:)?//', html), name
        assert "<style" not in html, name
        assert not re.findall(r"<script(?![^>]*src=)", html), name
    assert "unsafe" not in content_security.POLICY
    assert "http" not in content_security.POLICY


def test_the_first_page_is_under_100_kb_with_all_it_loads(pages):
    """As a browser with an empty cache has it, compressed as a proxy or WhiteNoise does."""
    html = pages["/learn/ begun"].content
    own = re.findall(r'(?:src|href)="/static/([^"?]+)', html.decode())
    sizes = {name: len(gzip.compress(read(name))) for name in {*own}}
    sizes["page"] = len(gzip.compress(html))

    assert {"tutor/tutor.css", "tutor/practice.js"} <= set(sizes)
    assert sum(sizes.values()) < MOST_BYTES, sizes


def read(name: str) -> bytes:
    return Path(finders.find(name)).read_bytes()
