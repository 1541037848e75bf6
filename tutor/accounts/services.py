"""Writes about people and organisations."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext

from tutor.accounts.errors import LanguageUnknown
from tutor.accounts.models import AuditEntry, Learner, Organisation, User


@transaction.atomic
def create_user(
    *, organisation: Organisation, username: str, password: str | None, role: str, name: str = ""
) -> User:
    """Create an account; a student also gets the learner that their answers are kept under.

    Without a password nobody can sign in to it.
    """
    first, _, last = name.partition(" ")
    user = User(
        organisation=organisation, username=username, role=role, first_name=first, last_name=last
    )
    user.set_password(password)
    user.save()
    ensure_learner(user=user)
    return user


def ensure_learner(*, user: User) -> None:
    """Give a student the learner that their answers are kept under, if there is none yet."""
    if user.role == User.Role.STUDENT and user.organisation is not None:
        Learner.objects.get_or_create(user=user, defaults={"organisation": user.organisation})


def set_language(*, user: User, language: str) -> None:
    """Keep in which language a person wants the pages, on every device.

    Raises:
        LanguageUnknown: the pages do not come in it.
    """
    if language not in dict(settings.LANGUAGES):
        raise LanguageUnknown(
            gettext("The pages do not come in this language."), language=language[:20]
        )
    User.objects.filter(pk=user.pk).update(language=language)


def record_audit(
    *,
    at: dt.datetime,
    action: str,
    organisation: Organisation | None,
    actor: User | None = None,
    subject: str = "",
    facts: dict[str, object] | None = None,
) -> AuditEntry:
    """Append one line to the audit log."""
    return AuditEntry.objects.create(
        at=at,
        action=action,
        organisation=organisation,
        actor=actor,
        subject=subject,
        facts=facts or {},
    )


def source_key(*, organisation: Organisation, source: str, external_id: str) -> str:
    """Return the key under which a learner of another system is found again, 64 hex digits.

    It is a keyed hash: without the organisation's key the id elsewhere cannot be tried out.
    """
    message = f"{source}\x00{external_id}".encode()
    return hmac.new(organisation.pseudonym_key.encode(), message, hashlib.sha256).hexdigest()


@transaction.atomic
def admit_learners(
    *, organisation: Organisation, source: str, external_ids: Iterable[str]
) -> dict[str, int]:
    """Return external id -> learner id, creating the learners that are not there yet."""
    keys = {
        external: source_key(organisation=organisation, source=source, external_id=external)
        for external in external_ids
    }
    known = _ids_by_source_key(organisation, keys.values())
    new = [key for key in dict.fromkeys(keys.values()) if key not in known]
    Learner.objects.bulk_create(
        [Learner(organisation=organisation, source_key=key) for key in new], batch_size=500
    )
    known.update(_ids_by_source_key(organisation, new))
    return {external: known[key] for external, key in keys.items()}


def _ids_by_source_key(organisation: Organisation, keys: Iterable[str]) -> dict[str, int]:
    wanted = list(keys)
    found: dict[str, int] = {}
    for start in range(0, len(wanted), 500):
        rows = Learner.objects.filter(
            organisation=organisation, source_key__in=wanted[start : start + 500]
        )
        found.update(rows.values_list("source_key", "pk"))
    return found
