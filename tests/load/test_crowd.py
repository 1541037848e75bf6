"""A short run of the crowd; `tests/benchmarks/students_over_pages.py` has the long one."""

import pytest

from tests.load import crowd, students
from tests.load.browser import Form
from tests.servers.site import served


@pytest.mark.slow
def test_every_answer_of_a_crowd_arrives_once(demo_place):
    with served(demo_place) as site:
        found = crowd.run(site, students=24, seconds=8, think_s=0.4)
        output = site.output

    assert found.errors == []
    assert (found.lost, found.double, found.extra) == (0, 0, 0)
    assert found.acknowledged > 20
    assert "Traceback" not in output
    assert "database is locked" not in output


@pytest.mark.parametrize(
    ("status", "address", "stored"),
    [(200, "/learn/items/{}/answered/", {"a1"}), (422, "/learn/items/{}/answer/", set())],
)
def test_what_was_meant_to_be_unreadable_counts_where_it_was_taken(
    monkeypatch, status, address, stored
):
    """A question for a word reads anything: the log has the answer, and the page says so."""
    shown = "0" * 36
    account = students.Account()
    student = students.Student("http://x", key=lambda *_: {}, account=account, seed=0, think_s=1.0)

    def send(form, **_):
        student.at = address.format(shown)
        return status

    monkeypatch.setattr(student, "send", send)
    monkeypatch.setattr(student.draw, "random", lambda: 0.0)
    student.answer(Form(f"/learn/items/{shown}/answer/", {"client_key": "a-1"}, ()))

    assert account.stored == stored
