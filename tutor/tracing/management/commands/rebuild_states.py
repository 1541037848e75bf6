"""Fold the log again: `manage.py rebuild_states [--course SLUG] [--check]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from tutor.accounts.models import Learner
from tutor.common import clock
from tutor.tracing import deep_checking, deep_folding, engine, rebuilding, services
from tutor.tracing.management.courses import add_course_arguments, choose_courses, get_tracer
from tutor.tracing.shifts import STEP

# More names than that help nobody.
MOST_NAMED = 20


class Command(BaseCommand):
    help = (
        "Fold every learner's answers again and store the states. With --check: store nothing, "
        "compare byte for byte (a network's states: number by number) and end with 1 if a stored "
        "state is not what the log gives. In a "
        "large course compiled code folds; a random part is folded row by row as well."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_course_arguments(parser)
        parser.add_argument("--check", action="store_true", help="compare, store nothing")
        parser.add_argument(
            "--row-by-row",
            action="store_true",
            help="with --check: fold everybody row by row as well (50 s a million answers)",
        )

    def handle(self, **options: Any) -> None:
        differing = 0
        for course in choose_courses(options):
            tracer = get_tracer(course)
            if tracer is None:
                self.stdout.write(f"{course.slug}: no tracer yet, so no states.")
            elif options["check"]:
                differing += self._check(course.slug, tracer, everybody=options["row_by_row"])
            else:
                self._rebuild(course.slug, tracer)
        if differing:
            message = f"{differing} states differ. manage.py rebuild_states folds them again."
            raise CommandError(message)

    def _rebuild(self, name: str, tracer: engine.CourseTracer) -> None:
        total = len(rebuilding.list_traced(tracer=tracer))
        with tqdm(total=total, desc=name, unit=" learners", disable=None) as bar:
            for _ in rebuilding.fold_everybody(tracer=tracer):
                bar.update()
        self.stdout.write(f"{name}: folded {total} learners under v{tracer.number}.")
        if tracer.deep is not None:
            with tqdm(total=total, desc=f"{name}, network", unit=" learners", disable=None) as bar:
                deep_folding.rebuild_everybody(tracer=tracer, now=clock.now, progress=bar.update)

    def _check(self, name: str, tracer: engine.CourseTracer, *, everybody: bool) -> int:
        traced, differing = rebuilding.list_traced(tracer=tracer), []
        seed = int(clock.now().timestamp())
        twins = traced if everybody else rebuilding.sample_twins(tracer=tracer, seed=seed)
        found = rebuilding.find_differences(tracer=tracer, twin_ids=twins)
        with tqdm(total=len(traced), desc=name, unit=" learners", disable=None) as bar:
            for learner_id, is_equal in found:
                bar.update()
                if not is_equal:
                    differing.append(learner_id)
        self.stdout.write(
            f"{name}: {len(traced) - len(differing)} of {len(traced)} states under "
            f"v{tracer.number} are what the log gives, byte for byte; {len(twins)} learners were "
            "folded row by row."
        )
        self._name(differing, tracer)
        return len(differing) + self._check_network(name, tracer)

    def _check_network(self, name: str, tracer: engine.CourseTracer) -> int:
        if tracer.deep is None:
            return 0
        found = list(deep_checking.check_everybody(tracer=tracer, now=clock.now()))
        states = [one.learner_id for one in found if not one.is_same]
        apart = max((one.apart for one in found if one.is_same), default=0.0)
        self.stdout.write(
            f"{name}: {len(found) - len(states)} of {len(found)} states of the network are what "
            f"the log gives, to {deep_checking.TOLERANCE:g} (at most {apart:.1g} apart)."
        )
        self._name(states, tracer)
        told = [one for one in found if one.steps is not None]
        predictions = [one.learner_id for one in told if not one.is_same_prediction]
        self.stdout.write(
            f"{name}: {len(told) - len(predictions)} of {len(told)} newest predictions are what "
            f"the network says after the whole log, to {deep_checking.STEPS * STEP:g} logit."
        )
        self._name(predictions, tracer)
        return len({*states, *predictions})

    def _name(self, differing: list[int], tracer: engine.CourseTracer) -> None:
        waiting = services.list_stale_learners(tracer_id=tracer.tracer_id)
        for learner in Learner.objects.filter(pk__in=differing[:MOST_NAMED]).order_by("pk"):
            note = " (marked: the worker folds it again)" if learner.pk in waiting else ""
            self.stderr.write(f"  differs: learner {learner.pseudonym}{note}")
        if len(differing) > MOST_NAMED:
            self.stderr.write(f"  and {len(differing) - MOST_NAMED} more")
