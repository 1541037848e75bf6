"""Put learners on the deep tracer's work list: `manage.py mark_due [--course SLUG]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tutor.common import clock, turns
from tutor.responses import columns
from tutor.tracing import deep_folding, due, engine
from tutor.tracing.management.courses import add_course_arguments, choose_courses, get_tracer


class Command(BaseCommand):
    help = (
        "Put every learner whose deep state is behind the log on the work list; workers do the "
        "rest. For a database that was restored, or copied without its list. With --everybody: "
        "every history is folded anew. With --release: also whoever was left aside after an error."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--everybody", action="store_true", help="fold every history anew")
        parser.add_argument(
            "--release", action="store_true", help="try again whoever was left aside"
        )

    def handle(self, **options: Any) -> None:
        for course in choose_courses(options):
            tracer = get_tracer(course)
            if tracer is None or tracer.deep is None:
                self.stdout.write(f"{course.slug}: no network is in use, so nobody is due.")
                continue
            count = self._mark(tracer, everybody=options["everybody"])
            self.stdout.write(f"{course.slug}: {count} learners are due under v{tracer.number}.")
            if options["release"]:
                count = due.release(course_id=course.pk)
                self.stdout.write(f"{course.slug}: {count} who were left aside are tried again.")

    @turns.atomic_turn()
    def _mark(self, tracer: engine.CourseTracer, *, everybody: bool) -> int:
        if not everybody:
            return deep_folding.mark_behind(tracer=tracer, at=clock.now())
        learners = columns.list_learners(course_id=tracer.bank.course_id)
        deep_folding.mark(tracer=tracer, learner_ids=learners, at=clock.now())
        return len(learners)
