"""What every test of the Django apps starts from."""

import random
import secrets

import pytest
from django.core.cache import cache as django_cache

from tests.factories import make_course, make_learner, make_organisation
from tutor.common import cache


@pytest.fixture(autouse=True)
def _nothing_cached():
    """A test's database begins anew, and numbers of rows come again: so must the caches."""
    cache.clear_all()
    django_cache.clear()


@pytest.fixture(autouse=True)
def _same_draws(request):
    """What a page or the API draws at random is the same in every run of a test."""
    # Not the test's own monkeypatch, which some tests undo.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secrets, "randbits", random.Random(request.node.nodeid).getrandbits)
        yield


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    # The real hasher is slow on purpose: a quarter of a second for every account.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def organisation(db):
    return make_organisation()


@pytest.fixture
def course(organisation):
    """The small course with its first tracer."""
    return make_course(organisation=organisation)


@pytest.fixture
def learner(organisation):
    return make_learner(organisation=organisation)
