"""Sessions: Django's own, read by a query made once."""

import datetime as dt

import pytest
from django.contrib.sessions.models import Session

from tests.factories import make_organisation, make_user
from tutor.common import clock
from tutor.config.sessions import SessionStore

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored():
    session = SessionStore()
    session["who"] = 7
    session.save()
    return session


def test_comes_back_as_it_was_stored(stored, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert SessionStore(stored.session_key)["who"] == 7


def test_ends_when_it_is_over(stored):
    past = clock.now() - dt.timedelta(seconds=1)
    Session.objects.filter(pk=stored.session_key).update(expire_date=past)
    again = SessionStore(stored.session_key)

    assert "who" not in again
    assert again.session_key is None


def test_an_invented_key_is_not_kept():
    invented = SessionStore("a" * 32)
    invented["who"] = 7
    invented.save()

    assert invented.session_key != "a" * 32


def test_signing_out_ends_it(client):
    user = make_user(organisation=make_organisation(), role="student")
    client.force_login(user)
    key = client.session.session_key
    assert client.get("/learn/").status_code == 200

    client.post("/sign-out/")

    client.cookies["sessionid"] = key
    assert client.get("/learn/").status_code == 302
