"""A worker shows that it lives, and stops when its work is not wanted any more."""

import time
import uuid

import pytest

from tests.factories import make_organisation, make_user
from tests.tutor.intake import bringing
from tutor.common import clock
from tutor.common.heartbeat import ClaimLost, Heartbeat
from tutor.intake import claims, services
from tutor.intake.models import Upload

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def claim(tmp_path):
    admin = make_user(organisation=make_organisation(), role="administrator")
    upload = bringing.bring(actor=admin, folder=tmp_path)
    return claims.take(upload_id=upload.pk, token=uuid.uuid4())


def wait_until(is_true) -> None:
    until_s = time.monotonic() + 90
    while not is_true():
        assert time.monotonic() < until_s, "it did not happen in time"
        time.sleep(0.02)


def stored(claim) -> Upload:
    return Upload.objects.get(pk=claim.upload.pk)


def test_is_written_at_once_for_a_new_stage_and_then_every_period(claim):
    before = claim.upload.beat_at
    with Heartbeat(claim, period_s=0.05) as beat:
        beat.tell("reading", 10, 100)
        wait_until(lambda: stored(claim).stage == "reading")
        first = stored(claim).beat_at
        beat.tell("reading", 70, 100)
        wait_until(lambda: stored(claim).done == 70)

    assert before < first < stored(claim).beat_at


def test_does_not_wait_a_period_for_a_new_stage(claim):
    with Heartbeat(claim, period_s=600) as beat:
        beat.tell("writing", 0, 100)
        wait_until(lambda: stored(claim).stage == "writing")


def test_tells_the_work_that_it_is_not_wanted_any_more(claim):
    with Heartbeat(claim, period_s=0.05) as beat:
        services.discard(upload=claim.upload, actor=claim.upload.uploaded_by, at=clock.now())

        with pytest.raises(ClaimLost):
            read_on(beat)


def read_on(beat) -> None:
    for done in range(4000):
        beat.tell("reading", done, 4000)
        time.sleep(0.02)
