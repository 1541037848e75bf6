"""Set up the demo school: `manage.py seed_demo`. A second run finds it and does nothing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from tqdm import tqdm

from tutor.common import clock
from tutor.demo import accounts, seeding


class Command(BaseCommand):
    help = "Set up the demo school: course, class, accounts, a simulated cohort, a fitted tracer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show-sign-ins", action="store_true", help="only print the accounts")

    def handle(self, **options: Any) -> None:
        if options["show_sign_ins"]:
            self.stdout.write(accounts.describe())
            return
        with tqdm(unit=" steps", disable=None) as bar:

            def say(what: str) -> None:
                bar.set_description(what)
                if bar.disable:
                    self.stdout.write(f"  {what}")

            seeding.seed(at=clock.now(), say=say, progress=bar.update)
