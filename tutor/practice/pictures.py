"""Who may see a picture: whoever may see an item that shows it."""

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext

from tutor.accounts.models import User
from tutor.classes import selectors as class_selectors
from tutor.common.errors import NotVisible
from tutor.content import selectors as content_selectors
from tutor.content.models import Course, Picture
from tutor.scheduling.models import Decision


def access_picture(*, actor: User | AnonymousUser, digest: str) -> Picture:
    """Return the picture, if `actor` was shown an item with it, or teaches or runs its course.

    Raises:
        NotVisible: there is no such picture, or not for this person.
    """
    picture = content_selectors.get_picture(digest=digest)
    if picture is None or not _may_see(actor, picture):
        raise NotVisible(gettext("There is no such picture."), picture=digest)
    return picture


def _may_see(actor: User | AnonymousUser, picture: Picture) -> bool:
    if not isinstance(actor, User) or not actor.is_active or actor.organisation_id is None:
        return False
    courses = Course.objects.filter(
        organisation=actor.organisation_id, items__versions__picture_links__picture=picture
    )
    if actor.role == User.Role.STUDENT:
        # Enrolled is not enough: the picture of a question that is still to come is part of it.
        shown = Decision.objects.filter(
            learner__user=actor, item_version__picture_links__picture=picture
        )
        return shown.exists()
    if actor.role == User.Role.ADMINISTRATOR:
        return courses.exists()
    classes = class_selectors.list_visible_classes(actor=actor)
    return classes.filter(course__in=courses).exists()
