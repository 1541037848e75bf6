"""Real workers refold the learners that are marked, and lose nothing when they are killed."""

import os
import subprocess
import sys
import time

import pytest

from tests.servers.process import ROOT, free_port
from tests.servers.site import migrated
from tests.servers.worker import celery_worker
from tests.tutor.config.test_server import Server

pytestmark = pytest.mark.slow

APP = "tutor.config.celery"
# So many that a worker needs a second, which is long enough to kill it on the way.
LEARNERS, ANSWERS = 30, 900

# Marked learners whose states lack everything, as after a late upload into long histories.
PREPARE = f"""
from tests.factories import AT, make_course, make_learner, make_organisation
from tests.tutor.histories import bulk_history, tracer_of
from tutor.tracing import engine
from tutor.tracing.models import LearnerState
organisation = make_organisation()
course = make_course(organisation=organisation)
tracer = tracer_of(course)
for number in range({LEARNERS}):
    learner = make_learner(organisation=organisation)
    bulk_history(learner=learner, course=course, size={ANSWERS}, seed=number)
    LearnerState.objects.create(
        learner=learner,
        tracer_id=tracer.tracer_id,
        state=engine.start(tracer).to_bytes(),
        stale_since=AT,
    )
"""
# The message is sent beside the request, by a thread that ends with the process.
NUDGE = """
import threading
from celery.signals import after_task_publish
from tutor.tracing.queue import nudge
sent = threading.Event()
after_task_publish.connect(lambda **_: sent.set(), weak=False)
nudge()
assert sent.wait(60)
"""


def shell(place, code, **environment):
    subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", code],
        cwd=ROOT,
        env={**os.environ, **place.environment, **environment},
        check=True,
        stdout=subprocess.DEVNULL,
    )


def waiting(place):
    [[count]] = place.query(
        "SELECT count(*) FROM tracing_learnerstate WHERE stale_since IS NOT NULL"
    )
    return count


def wait_until(is_true, *, timeout_s=180):
    until_s = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < until_s, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def marked(places):
    """An installation of its own, copied from one that is prepared once."""
    place = places.make(*migrated(("shell", "-v0", "-c", PREPARE)))
    assert waiting(place) == LEARNERS
    return place


@pytest.fixture(params=["files", "Redis", "RabbitMQ"])
def broker(request):
    """What to set for the worker and for whoever sends."""
    if request.param == "files":
        return {}
    return {"TUTOR_BROKER_URL": request.getfixturevalue(f"{request.param.lower()}_url")}


def test_a_worker_folds_the_marked_and_the_next_does_a_killed_ones_rest(marked, broker, tmp_path):
    environment = {**marked.environment, **broker}
    with celery_worker(environment=environment, folder=tmp_path, app=APP) as worker:
        shell(marked, NUDGE, **broker)
        wait_until(lambda: waiting(marked) < LEARNERS)
        worker.kill()
    assert 0 < waiting(marked) < LEARNERS

    with celery_worker(environment=environment, folder=tmp_path, app=APP):
        if broker:
            # Redis gives a dead worker's message out again after an hour; the beat is sooner.
            shell(marked, NUDGE, **broker)
        wait_until(lambda: waiting(marked) == 0)

    assert f"{LEARNERS} of {LEARNERS} states" in marked.manage("rebuild_states", "--check")


def test_the_embedded_server_sweeps_without_being_asked(marked):
    server = Server(place=marked, port=free_port())
    try:
        wait_until(lambda: waiting(marked) == 0)
    finally:
        server.end()
