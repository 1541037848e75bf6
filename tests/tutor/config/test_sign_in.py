"""Signing in: a limit on wrong passwords."""

import time

import pytest
from django.core.cache import cache

from tests.factories import make_organisation, make_user
from tutor.config.sign_in import MOST_FAILURES

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse"


@pytest.fixture(autouse=True)
def no_failures_yet():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def user():
    user = make_user(organisation=make_organisation(), role="student")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def sign_in(client, user):
    def post(password=PASSWORD, *, username=None, address="192.0.2.1"):
        fields = {"username": username or user.username, "password": password}
        return client.post("/sign-in/", fields, REMOTE_ADDR=address)

    return post


def test_ends_after_too_many_wrong_passwords(sign_in):
    assert {sign_in("wrong").status_code for _ in range(MOST_FAILURES)} == {200}

    refused = sign_in()

    assert refused.status_code == 429
    assert "Wait 15 minutes" in refused.content.decode()


def test_is_still_open_from_elsewhere_and_to_others(sign_in):
    for _ in range(MOST_FAILURES):
        sign_in("wrong")

    assert sign_in("wrong", username="somebody else").status_code == 200
    assert sign_in(address="192.0.2.2").status_code == 302


def test_counts_anew_after_a_success(sign_in):
    for _ in range(2):
        assert {sign_in("wrong").status_code for _ in range(MOST_FAILURES - 1)} == {200}
        assert sign_in().status_code == 302


def test_opens_again_when_the_window_is_over(sign_in, monkeypatch):
    monkeypatch.setattr("tutor.config.sign_in.WINDOW_S", 0.5)
    for _ in range(MOST_FAILURES):
        sign_in("wrong")
    time.sleep(0.6)

    assert sign_in().status_code == 302


@pytest.mark.parametrize("username", ["a\nb", "x" * 150, "é \u2028"])
def test_takes_any_name(sign_in, username):
    assert sign_in("wrong", username=username).status_code == 200
