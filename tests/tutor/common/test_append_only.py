"""Rows of append-only tables are final."""

import pytest
from django.db import transaction

from tests.factories import AT
from tutor.accounts import services
from tutor.accounts.models import AuditEntry
from tutor.common.append_only import RowIsFinal

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(organisation):
    return services.record_audit(at=AT, action="test", organisation=organisation, subject="first")


class TestAppendOnlyModel:
    def test_refuses_to_save_again(self, entry):
        entry.subject = "second"

        with pytest.raises(RowIsFinal, match="final"):
            entry.save()
        assert AuditEntry.objects.get().subject == "first"

    def test_refuses_to_save_a_row_read_from_the_table(self, entry):
        with pytest.raises(RowIsFinal):
            AuditEntry.objects.get(pk=entry.pk).save(force_update=True)

    def test_refuses_to_delete(self, entry):
        with pytest.raises(RowIsFinal, match="append-only"):
            entry.delete()
        assert AuditEntry.objects.count() == 1


class TestAppendOnlyQuerySet:
    @pytest.mark.parametrize(
        "act",
        [
            lambda rows: rows.update(subject="second"),
            lambda rows: rows.filter(subject="first").update(subject="second"),
            lambda rows: rows.delete(),
            lambda rows: rows.bulk_update(list(rows), ["subject"]),
            lambda rows: rows.update_or_create(action="test", defaults={"subject": "second"}),
        ],
    )
    def test_refuses_to_change(self, entry, act):
        with pytest.raises(RowIsFinal), transaction.atomic():
            act(AuditEntry.objects.all())
        assert AuditEntry.objects.get().subject == "first"

    def test_refuses_to_overwrite_on_insert(self, entry):
        entry.subject = "second"

        with pytest.raises(RowIsFinal):
            AuditEntry.objects.bulk_create(
                [entry],
                update_conflicts=True,
                unique_fields=["id"],
                update_fields=["subject"],
            )
