"""Who may see whom: the guarded doors to people."""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from tutor.accounts.models import Learner, User
from tutor.common.errors import NotAllowed, NotVisible
from tutor.common.prepared import Prepared, slot


def list_visible_learners(*, actor: User | AnonymousUser) -> QuerySet[Learner]:
    """Return the learners that `actor` may see.

    A student sees themselves, a teacher the learners of their classes, an administrator those of
    their organisation, anybody else nobody.
    """
    if not isinstance(actor, User) or not actor.is_active:
        return Learner.objects.none()
    return Learner.objects.select_related("user").filter(_visible_to(actor)).distinct()


def _visible_to(actor: User) -> Q:
    own = Q(user=actor)
    if actor.organisation_id is None:
        return own
    if actor.role == User.Role.ADMINISTRATOR:
        return own | Q(organisation=actor.organisation_id)
    if actor.role == User.Role.TEACHER:
        return own | Q(classes__teachers=actor, organisation=actor.organisation_id)
    return own


def access_learner(*, actor: User | AnonymousUser, pseudonym: uuid.UUID) -> Learner:
    """Return the learner, if `actor` may see them.

    Raises:
        NotVisible: there is no such learner, or not for this person.
    """
    learner = list_visible_learners(actor=actor).filter(pseudonym=pseudonym).first()
    if learner is None:
        raise NotVisible("There is no such learner.", pseudonym=str(pseudonym))
    return learner


def access_learner_to_practise(*, actor: User | AnonymousUser, pseudonym: uuid.UUID) -> Learner:
    """Return the learner, if `actor` may answer for them: they themselves or an administrator.

    An administrator's token is what an LMS uses; a teacher looks but does not answer.

    Raises:
        NotVisible: there is no such learner, or not for this person.
        NotAllowed: the person may see the learner but not answer for them.
    """
    learner = _BY_PSEUDONYM.first(pseudonym=pseudonym)
    if learner is not None and _may_answer_for(actor, learner):
        return learner
    # Who may see them and still not answer is told so.
    access_learner(actor=actor, pseudonym=pseudonym)
    raise NotAllowed("Only the learner or an administrator can answer for them.")


_BY_PSEUDONYM = Prepared(
    lambda: Learner.objects.select_related("user").filter(pseudonym=slot("pseudonym", Learner))
)


def _may_answer_for(actor: User | AnonymousUser, learner: Learner) -> bool:
    if not isinstance(actor, User) or not actor.is_active:
        return False
    if learner.user_id is not None and learner.user_id == actor.pk:
        return True
    is_theirs = learner.organisation_id == actor.organisation_id
    return is_theirs and actor.role == User.Role.ADMINISTRATOR


def get_own_learner(*, actor: User | AnonymousUser) -> Learner:
    """Return the learner that `actor` is.

    Raises:
        NotVisible: this account has no learner (a teacher's, for example).
    """
    learner: Learner | None = getattr(actor, "learner", None)
    if learner is None or not actor.is_active:
        raise NotVisible(gettext("This account does not belong to a learner."))
    return learner
