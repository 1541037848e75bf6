"""Give an account a token for the API: `manage.py make_api_token USERNAME`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rest_framework.authtoken.models import Token

from tutor.accounts import services
from tutor.accounts.models import User
from tutor.common import clock


class Command(BaseCommand):
    help = "Print the account's token for the API, made where there is none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--renew", action="store_true", help="make a new one; the old one works no longer"
        )

    def handle(self, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            message = f"No account is called {options['username']!r}."
            raise CommandError(message)
        if not user.is_active:
            message = f"The account {user.username} is closed."
            raise CommandError(message)
        if options["renew"]:
            Token.objects.filter(user=user).delete()
        token, is_new = Token.objects.get_or_create(user=user)
        if is_new:
            services.record_audit(
                at=clock.now(),
                action="api-token-made",
                organisation=user.organisation,
                subject=user.username,
            )
        self.stdout.write(token.key)
