"""Impatient people and several workers at once: real threads on PostgreSQL."""

import uuid
from collections import Counter

import pytest

from tests.factories import make_organisation, make_user
from tests.tutor.intake import bringing
from tests.tutor.practice.test_at_once import THREADS, at_once
from tutor.common import clock
from tutor.intake import claims, services
from tutor.intake.errors import ImportRunning, TooManyUploads
from tutor.intake.models import State, Upload

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def person():
    return make_user(organisation=make_organisation(), role="administrator")


def planned(person, folder, count):
    uploads = [bringing.bring(actor=person, folder=folder, content=b"x") for _ in range(count)]
    Upload.objects.update(state=State.PLANNED)
    return [Upload.objects.get(pk=upload.pk) for upload in uploads]


def test_many_clicks_on_import_start_it_once(person, tmp_path):
    [upload] = planned(person, tmp_path, 1)

    came = at_once(
        lambda _: services.start_import(
            upload=Upload.objects.get(pk=upload.pk), actor=person, at=clock.now()
        )
    )

    assert came == [None] * THREADS
    assert bringing.acts().count("log-import-started") == 1


def test_many_uploads_of_a_school_are_imported_one_at_a_time(person, tmp_path):
    uploads = planned(person, tmp_path, THREADS)

    came = at_once(
        lambda number: services.start_import(upload=uploads[number], actor=person, at=clock.now())
    )

    assert Counter(type(one) for one in came) == {type(None): 1, ImportRunning: THREADS - 1}
    assert Upload.objects.filter(state=State.IMPORTING).count() == 1


def test_many_workers_take_a_step_once(person, tmp_path):
    upload = bringing.bring(actor=person, folder=tmp_path, content=b"x")

    came = at_once(lambda _: claims.take(upload_id=upload.pk, token=uuid.uuid4()))

    assert sum(claim is not None for claim in came) == 1
    assert Upload.objects.get().tries == 1


def test_many_files_at_once_do_not_pass_the_limit_together(person, tmp_path, settings):
    settings.UPLOADS_PER_HOUR = 2

    came = at_once(lambda _: bringing.bring(actor=person, folder=tmp_path, content=b"x"))

    assert Counter(type(one) for one in came) == {Upload: 2, TooManyUploads: THREADS - 2}
