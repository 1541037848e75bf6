"""Uploads in tests lie in a folder of their own, and messages to workers are noted, not sent."""

import pytest

from tests.factories import make_organisation, make_user
from tests.tutor.intake import bringing
from tutor.common.heartbeat import Heartbeat
from tutor.intake import queue


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    """The folder of uploads."""
    settings.UPLOAD_DIR = tmp_path / "uploads"
    return settings.UPLOAD_DIR


@pytest.fixture(autouse=True)
def nudges(monkeypatch):
    """The ids of uploads that a worker was asked to take."""
    found = []
    monkeypatch.setattr(queue, "nudge", lambda *, upload_id: found.append(upload_id))
    return found


@pytest.fixture
def quiet(monkeypatch):
    """No second thread: it would wait for the test's own transaction."""
    monkeypatch.setattr(Heartbeat, "_beat", lambda *_: None)


@pytest.fixture
def organisation(db):
    return make_organisation()


@pytest.fixture
def admin(organisation):
    return make_user(organisation=organisation, role="administrator")


@pytest.fixture
def bring(admin, tmp_path, quiet):
    """Brings a made-up log, or the rows given, and returns the upload."""

    def make(rows=None, **fields):
        return bringing.bring(actor=admin, folder=tmp_path, rows=rows, **fields)

    return make
