"""Write a course's decisions: `manage.py export_decisions --course SLUG OUT.jsonl`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.common import clock
from tutor.scheduling import decision_log
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Write every decision with its chances and what it earned, one line each, learners under "
        "their pseudonyms: what python -m curriculum evaluate reads."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("out", type=Path, help="file to write; its name ends in .jsonl")
        add_course_arguments(parser)
        parser.add_argument("--force", action="store_true", help="replace a file that is there")

    def handle(self, **options: Any) -> None:
        courses, out = choose_courses(options), options["out"]
        if len(courses) != 1:
            raise CommandError("Name one course: --course SLUG.")
        if out.suffix != ".jsonl":
            raise CommandError(f"{out}: the name has to end in .jsonl.")
        if out.exists() and not options["force"]:
            raise CommandError(f"{out} is there; --force replaces it.")
        course = courses[0]
        with tqdm(
            total=decision_log.count_learners(course=course), unit=" learners", disable=None
        ) as bar:
            try:
                told = decision_log.write_log(
                    course=course, path=out, at=clock.now(), progress=bar.update
                )
            except OSError as error:
                raise CommandError(f"{out}: {error.strerror or error}.") from error
        self.stdout.write(f"{course.slug}: {told.rows} decisions written to {out}.")
        for outcome, count in told.unanswered.most_common():
            self.stdout.write(f"  without an answer {count}: {outcome}")
        for reason, count in told.left_out.most_common():
            self.stdout.write(f"  left out {count}: {reason}")
