"""Let policies learn now: `manage.py learn_policies --course SLUG`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.common import clock
from tutor.common.alone import alone
from tutor.scheduling import decision_log, learning, nights
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Learn from a course's decisions what the night would learn, and promote what passes its "
        "gates. Says what each gate found."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)

    def handle(self, **options: Any) -> None:
        with alone(nights.LOCK) as is_alone:
            if not is_alone:
                raise CommandError("Another process is learning policies: try again later.")
            for course in choose_courses(options):
                with tqdm(
                    total=decision_log.count_learners(course=course),
                    desc=f"{course.slug}: decisions",
                    unit=" learners",
                    disable=None,
                ) as bar:
                    found = learning.learn_course(
                        course=course, at=clock.now(), progress=bar.update
                    )
                for one in found:
                    self._tell(course.slug, one)

    def _tell(self, slug: str, one: learning.Learnt) -> None:
        what = "nothing new" if one.version is None else f"version {one.version.number}"
        use = ", in use" if one.promoted else ""
        self.stdout.write(f"{slug}: {one.policy}: {what}{use}")
        for gate in one.gates:
            self.stdout.write(
                f"  {'passed' if gate.passed else 'FAILED'} {gate.name}: {gate.found}"
            )
