"""Give the awards that the log says: `manage.py give_awards [--course SLUG] [--check]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.common import clock
from tutor.content.models import Course
from tutor.tracing import award_checking, awarding, engine, rebuilding
from tutor.tracing.management.courses import add_course_arguments, choose_courses, get_tracer

MOST_NAMED = 20


class Command(BaseCommand):
    help = (
        "Go through every learner's answers and give the awards that are missing: after an import, "
        "or when a class's rule has changed. What was given stays. With --check: give nothing, "
        "make every award again from the log as it was then, and end with 1 if one has no proof."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--check", action="store_true", help="prove, give nothing")

    def handle(self, **options: Any) -> None:
        unproved = 0
        for course in choose_courses(options):
            tracer = get_tracer(course)
            if tracer is None:
                self.stdout.write(f"{course.slug}: no tracer yet, so no awards.")
            elif options["check"]:
                unproved += self._check(course)
            else:
                self._give(course.slug, tracer)
        if unproved:
            raise CommandError(f"{unproved} steps towards awards are not what the log gives.")

    def _give(self, name: str, tracer: engine.CourseTracer) -> None:
        learners = rebuilding.list_traced(tracer=tracer)
        given = 0
        with tqdm(total=len(learners), desc=name, unit=" learners", disable=None) as bar:
            found = awarding.catch_up(tracer=tracer, learner_ids=learners, at=clock.now())
            for _, steps in found:
                bar.update()
                given += steps
        self.stdout.write(f"{name}: {given} proofs added for {len(learners)} learners.")

    def _check(self, course: Course) -> int:
        total, broken = award_checking.count(course=course), []
        with tqdm(total=total, desc=course.slug, unit=" steps", disable=None) as bar:
            for step, found in award_checking.find_unproved(course=course, progress=bar.update):
                broken.append((step, found))
        self.stdout.write(
            f"{course.slug}: {total - len(broken)} of {total} steps towards awards are what the "
            "log of then gives."
        )
        for step, found in broken[:MOST_NAMED]:
            self.stderr.write(f"  {step}: {step.lower_prob:.6f} stored, the log gives {found}")
        return len(broken)
