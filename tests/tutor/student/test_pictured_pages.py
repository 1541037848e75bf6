"""Questions with pictures on the practice page."""

import re

import pytest

from tests.tutor.student.html import problems
from tests.tutor.student.states import Visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(client):
    visitor = Visitor(client)
    return {name: page.content.decode() for name, page in visitor.see_pictures()}


def test_are_sound_and_show_it_with_its_words_and_size(pages):
    for name, html in pages.items():
        assert problems(html) == [], name
        assert re.search(
            r'<figure class="picture wide"><img src="/api/v1/pictures/[0-9a-f]{64}" '
            r'alt="A line from 0 to 10" width="900" height="300"',
            html,
        ), name


def test_describe_the_field_by_the_question_without_the_picture(pages):
    html = pages["question picture"]
    [described] = re.findall(r'<input id="text"[^>]*aria-describedby="([^"]*)"', html)
    [asked] = re.findall(r'<div id="asked"[^>]*hidden>(.*?)</div>', html, re.DOTALL)

    # Else each focus would read out the alternative, and the word on what enlarges it.
    assert described.split()[0] == "asked"
    assert "<img" not in asked
    assert "Enlarge" not in asked
    assert "<p>" in asked


def test_others_are_described_by_the_question_as_it_is(client):
    visitor = Visitor(client)
    client.force_login(visitor.user)
    session = visitor.start()

    html = visitor.get("practise", session.public_id).content.decode()

    assert 'aria-describedby="stem' in html
    assert 'id="asked"' not in html
