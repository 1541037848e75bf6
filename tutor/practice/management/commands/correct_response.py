"""Correct an answer that was judged wrongly: `manage.py correct_response ID --right`."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.practice import correcting
from tutor.responses.models import Response

# The same correction asked for twice has the same key.
KEYS = uuid.UUID("7c1b0c55-7a30-5b0e-8f55-0f4f1b1c2f3a")


class Command(BaseCommand):
    help = "Append a correction to the log: the answer was right, or wrong, after all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("response", type=int, help="id of the answer in the log")
        judgement = parser.add_mutually_exclusive_group(required=True)
        judgement.add_argument("--right", action="store_true")
        judgement.add_argument("--wrong", action="store_true")

    def handle(self, **options: Any) -> None:
        found = Response.objects.filter(pk=options["response"]).first()
        if found is None:
            message = f"The log has no answer {options['response']}."
            raise CommandError(message)
        try:
            correction = correcting.correct_answer(
                response=found,
                is_correct=options["right"],
                client_key=uuid.uuid5(KEYS, f"{found.pk}:{options['right']}"),
                at=clock.now(),
                source="correction",
            )
        except TutorError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Answer {found.pk} is corrected by answer {correction.pk}.")
