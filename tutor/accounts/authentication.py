"""Signing in: Django's own backend, with the learner fetched together with the user."""

from django.contrib.auth.backends import ModelBackend
from typing_extensions import override

from tutor.accounts.models import User
from tutor.common.prepared import Prepared, slot

_USER = Prepared(lambda: User.objects.filter(pk=slot("id", User)).select_related("learner"))


class Backend(ModelBackend):
    """Reads the user of a request and their learner in one query: every student page needs both."""

    @override
    def get_user(self, user_id: int) -> User | None:
        user = _USER.first(id=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
