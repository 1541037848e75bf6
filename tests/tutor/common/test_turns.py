import threading

import pytest
from django.db import connection, transaction

from tests.factories import make_organisation
from tutor.accounts.models import Organisation
from tutor.common import turns


@pytest.mark.django_db(transaction=True)
class TestAtomicTurn:
    def test_lets_threads_write_one_after_the_other(self, monkeypatch, tmp_path):
        # The tests' own SQLite lies in memory, where nobody queues: give it a queue.
        monkeypatch.setattr(turns, "_queue_file", lambda: str(tmp_path / "turn"))
        organisation = make_organisation()
        threads = [threading.Thread(target=_lengthen, args=(organisation.pk,)) for _ in range(8)]

        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        organisation.refresh_from_db()
        # Read, then written: without turns, or a lock, steps would be lost.
        assert organisation.name.count("+") == 8 * 5

    def test_takes_back_what_failed_and_lets_the_next_one_in(self):
        organisation = make_organisation()

        with pytest.raises(ZeroDivisionError):
            _rename_and_fail(organisation)
        with turns.atomic_turn():
            Organisation.objects.filter(pk=organisation.pk).update(slug="kept")

        organisation.refresh_from_db()
        assert organisation.name != "gone"
        assert organisation.slug == "kept"

    def test_is_a_savepoint_inside_a_transaction(self):
        organisation = make_organisation()

        with transaction.atomic():
            with pytest.raises(ZeroDivisionError):
                _rename_and_fail(organisation)
            Organisation.objects.filter(pk=organisation.pk).update(slug="kept")

        organisation.refresh_from_db()
        assert (organisation.name != "gone", organisation.slug) == (True, "kept")


@turns.atomic_turn()
def _rename_and_fail(organisation: Organisation) -> None:
    Organisation.objects.filter(pk=organisation.pk).update(name="gone")
    raise ZeroDivisionError


def _lengthen(pk: int) -> None:
    for _ in range(5):
        with turns.atomic_turn():
            row = Organisation.objects.select_for_update().get(pk=pk)
            Organisation.objects.filter(pk=pk).update(name=row.name + "+")
    connection.close()
