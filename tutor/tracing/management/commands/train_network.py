"""Train a network on a course's log: `manage.py train_network --course SLUG [--set NAME=VALUE]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.common import clock
from tutor.common.errors import TutorError
from tutor.content.models import Course
from tutor.registry import jobs, learning, wording, working
from tutor.registry import selectors as registry_selectors
from tutor.registry.models import TrainingJob
from tutor.tracing.management.courses import add_course_arguments, choose_courses


class Command(BaseCommand):
    help = (
        "Train a network on the course's log, judge it on learners kept aside, and store a tracer "
        "version that would use it. Nothing changes for learners: manage.py promote_tracer shows "
        "what would, and does it. A training that was cut off is gone on with."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--model", default="cakt-item", help="kt_models' name of the model")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="of the model's settings, as training.epochs=30; may be given again",
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--in-worker", action="store_true", help="ask a worker for it and return at once"
        )

    def handle(self, **options: Any) -> None:
        courses = choose_courses(options)
        if len(courses) != 1:
            raise CommandError("Name one course: --course SLUG.")
        course = courses[0]
        try:
            job = self._job(course, options)
        except TutorError as error:
            raise CommandError(error.message) from error
        if options["in_worker"]:
            self.stdout.write(f"{course.slug}: asked for. The admin shows how far it is.")
            return
        with _Bar(course.slug) as bar:
            ended = working.train(job_id=job.pk, now=clock.now, tell=bar.tell)
        if not ended:
            message = "A worker is at it, or it was called off; the admin shows how far it is."
            raise CommandError(message)
        working.follow_up(at=clock.now())
        job.refresh_from_db()
        self._report(job)

    def _job(self, course: Course, options: dict[str, Any]) -> TrainingJob:
        going = registry_selectors.get_open_training(course_id=course.pk)
        if going is not None:
            self.stdout.write(f"{course.slug}: going on with the training of {going.asked_at:%F}.")
            return going
        return jobs.ask_for_training(
            course=course,
            at=clock.now(),
            model=options["model"],
            settings=learning.parse_settings(options["set"]),
            seed=options["seed"],
            tells_workers=options["in_worker"],
        )

    def _report(self, job: TrainingJob) -> None:
        if job.problem:
            raise CommandError(job.problem)
        for line in wording.describe_scores(job.scores):
            self.stdout.write(f"  {line}")
        for line in wording.describe_gates(job.gates):
            self.stdout.write(f"  {line}")
        if job.candidate is None:
            self.stdout.write(f"{job.network}: stored; there is no live tracer to lay it onto.")
        else:
            self.stdout.write(
                f"{job.network} would be used by v{job.candidate.number}: manage.py promote_tracer "
                f"--number {job.candidate.number}."
            )


class _Bar:
    """One bar per step on a terminal."""

    def __init__(self, name: str) -> None:
        self._name, self._stage = name, ""
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def tell(self, stage: str, done: int, total: int) -> None:
        if stage != self._stage or self._bar is None:
            self.__exit__()
            self._stage = stage
            self._bar = tqdm(desc=f"{self._name}: {stage}", total=total or None, disable=None)
        self._bar.total = total or None
        self._bar.update(done - self._bar.n)
