"""Imports run in tests, looked at and cut off."""

import io

from django.core.management import call_command

from tests import factories
from tests.servers.process import ROOT
from tutor.accounts.models import Learner, Organisation
from tutor.classes.models import Classroom
from tutor.content.models import Concept, Course, Item, ItemVersion, Prerequisite
from tutor.registry.models import Promotion, TracerVersion
from tutor.responses.models import LogImport, Response
from tutor.tracing import selectors, services
from tutor.tracing.models import LearnerState

TABLES = (
    *(Organisation, Learner, Course, Concept, Prerequisite, Item, ItemVersion),
    *(TracerVersion, Promotion, Response, LogImport, LearnerState, Classroom),
)
DBE_SMALL = ROOT / "tests" / "data" / "dbe_small"
LATER = factories.AT.replace(year=2027)


def import_log(path, *options, format_name="csv") -> str:
    out = io.StringIO()
    call_command("import_log", format_name, str(path), *options, stdout=out)
    return out.getvalue()


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in TABLES}


def newest_import() -> LogImport:
    return LogImport.objects.order_by("-pk")[0]


def course_named(slug: str, organisation=None) -> Course:
    found = Course.objects.filter(slug=slug)
    return found.get(organisation=organisation) if organisation else found.get()


def answers_of(course: Course) -> list[tuple]:
    return list(
        Response.objects.filter(course=course)
        .order_by("learner__source_key", "answered_at", "id")
        .values_list(
            *("learner__source_key", "client_key", "item_version__item__slug", "answered_at"),
            *("credit", "is_correct", "hints_seen", "attempt", "elapsed_ms", "presented_at"),
        )
    )


def masteries_of(course: Course) -> dict[str, list[float]]:
    """Source key -> P(right) on every concept, from the stored states under the live tracer."""
    course.refresh_from_db()
    tracer = selectors.get_tracer(course_id=course.pk, revision=course.revision)
    found = {}
    for stored in LearnerState.objects.filter(tracer=tracer.tracer_id).select_related("learner"):
        opened = services.open_state(learner_id=stored.learner_id, tracer=tracer)
        masteries = selectors.masteries_of(tracer, opened.learner, at=LATER)
        found[stored.learner.source_key] = [mastery.prob for mastery in masteries.values()]
    return found


class PowerCut(BaseException):
    """Nothing catches it."""


def cut_at(patch, target: str, call: int, when: str) -> None:
    """Cut the power at the n-th call of a function."""
    module, _, name = target.rpartition(".")
    original = getattr(__import__(module, fromlist=[name]), name)
    calls = iter(range(1, 1000))

    def cutting(*args, **kwargs):
        is_last = next(calls) == call
        if is_last and when == "before":
            raise PowerCut
        result = original(*args, **kwargs)
        if is_last:
            raise PowerCut
        return result

    patch.setattr(target, cutting)
