"""The beat does not fill a broker whose workers are away."""

import pytest
from celery import Celery

from tutor.config import beat


@pytest.fixture
def app(tmp_path):
    app = Celery("beat-test", broker="memory://", set_as_current=False)
    app.conf.beat_schedule_filename = str(tmp_path / "schedule")
    app.conf.task_routes = {"away.*": {"queue": "away"}}
    app.conf.beat_schedule = {
        name: {"task": f"{name}.look", "schedule": 1.0} for name in ("away", "here")
    }
    return app


@pytest.fixture
def scheduler(app, monkeypatch):
    monkeypatch.setattr(beat, "MOST_WAITING", 3)
    scheduler = beat.Scheduler(app, schedule_filename=app.conf.beat_schedule_filename)
    yield scheduler
    scheduler.close()


def waiting(scheduler, queue):
    return scheduler.connection.default_channel.queue_declare(queue).message_count


def test_stops_where_nobody_takes(scheduler):
    entries = scheduler.schedule
    for _ in range(5):
        scheduler.apply_entry(entries["away"], producer=scheduler.producer)
    for _ in range(2):
        scheduler.apply_entry(entries["here"], producer=scheduler.producer)

    assert waiting(scheduler, "away") == 3
    assert waiting(scheduler, "celery") == 2


def test_goes_on_when_somebody_takes(scheduler):
    for _ in range(5):
        scheduler.apply_entry(scheduler.schedule["away"], producer=scheduler.producer)
    scheduler.connection.default_channel.queue_purge("away")
    scheduler.apply_entry(scheduler.schedule["away"], producer=scheduler.producer)

    assert waiting(scheduler, "away") == 1


def test_is_still_seen_to_be_alive(scheduler, monkeypatch):
    for _ in range(3):
        scheduler.apply_entry(scheduler.schedule["away"], producer=scheduler.producer)
    written = []
    monkeypatch.setattr(scheduler, "sync", lambda: written.append(1))
    scheduler.sync_every_tasks = 2
    for _ in range(4):
        scheduler.apply_entry(scheduler.schedule["away"], producer=scheduler.producer)

    assert waiting(scheduler, "away") == 3
    assert len(written) == 2
