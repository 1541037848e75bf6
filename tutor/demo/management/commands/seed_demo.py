"""Set up the demo school: `manage.py seed_demo`. A second run finds it and does nothing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser, OutputWrapper
from tqdm import tqdm

from tutor.common import clock
from tutor.demo import accounts, seeding


class Command(BaseCommand):
    help = "Set up the demo school: course, class, accounts, a simulated cohort, a fitted tracer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--show-sign-ins", action="store_true", help="only print the accounts")
        parser.add_argument("--learners", type=int, help="in the simulated cohort; 31 at least")

    def handle(self, **options: Any) -> None:
        if options["show_sign_ins"]:
            self.stdout.write(accounts.describe())
            return
        steps = _Steps(self.stdout)
        try:
            seeding.seed(
                at=clock.now(),
                say=steps.begin,
                progress=steps.advance,
                cohort_size=options["learners"],
            )
        finally:
            steps.end()


class _Steps:
    """A bar for each step on a terminal, a line for each step elsewhere."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._bar: tqdm[Any] | None = None

    def begin(self, what: str, total: int) -> None:
        self.end()
        self._bar = tqdm(
            total=total or None,
            desc=what,
            disable=None,
            bar_format=None if total else "{desc} … {elapsed}",
        )
        if self._bar.disable:
            self._out.write(f"  {what} …")

    def advance(self, parts: int) -> None:
        if self._bar is not None:
            self._bar.update(parts)

    def end(self) -> None:
        if self._bar is not None:
            self._bar.close()
