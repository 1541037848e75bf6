"""A log comes in: read, planned, and if the plan is agreed to, written, fitted and folded.

The command and the worker's task both call this, so that what the browser shows is what the
command does.
"""

import datetime as dt
import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tutor.accounts.models import Organisation, User
from tutor.classes import services as class_services
from tutor.content.models import Course
from tutor.registry.models import TracerVersion
from tutor.responses import selectors as response_selectors
from tutor.responses.importing import apply, formats, plan, pseudonyms
from tutor.responses.importing.incoming import Incoming
from tutor.responses.importing.mapping import ColumnMapping
from tutor.responses.importing.plan import ImportPlan
from tutor.responses.models import LogImport
from tutor.tracing import adoption, estimating


class Stage(enum.StrEnum):
    """What an import is at."""

    READING = "reading"
    PLANNING = "planning"
    LOADING = "loading"
    WRITING = "writing"
    FITTING = "fitting"
    FOLDING = "folding"


# Called with the stage, how much of it is done and how much there is (0 where nobody knows):
# bytes while reading, answers while writing, hundredths while fitting, learners while folding.
Progress = Callable[[Stage, int, int], object]


@dataclass(frozen=True, slots=True)
class LogSource:
    """Where a log lies and what it is.

    Attributes:
        path: a file or a folder.
        format: of `formats.FORMATS`.
        mapping: for the formats that are a table; None to guess it.
        slug: of the course the answers belong to.
        title: of a new course.
    """

    path: Path
    format: str
    slug: str
    title: str
    mapping: ColumnMapping | None = None


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What follows the writing of a log.

    Attributes:
        may_fit: False keeps the tracer as it is.
        enrol: accounts that are put into a class of the course.
        class_name: a class that the log's learners are put into, with `enrol`; without it the
            class has the course's title and the log's learners are in none.
        learner_map: where the log's names are written beside the pseudonyms, if anywhere; they
            stand together nowhere else.
    """

    may_fit: bool = True
    enrol: tuple[User, ...] = ()
    class_name: str = ""
    learner_map: Path | None = None


USUALLY = Afterwards()


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did; `tracer` is the version that is live now."""

    run: LogImport
    plan: ImportPlan
    tracer: TracerVersion
    was_fitted: bool


def import_log(
    *,
    organisation: Organisation,
    source: LogSource,
    at: dt.datetime,
    rejects: Path,
    on_plan: Callable[[ImportPlan], bool],
    then: Afterwards = USUALLY,
    progress: Progress = lambda *_: None,
) -> Imported | None:
    """Bring in a log; return what was done, None where `on_plan` did not agree.

    Up to `on_plan` nothing is written but the file of rejects, if a row is rejected. After it,
    whatever cuts the import off, calling this again goes on to the same end.

    Args:
        organisation: may be unsaved; it is saved when the plan is agreed to.
        at: now.
        rejects: where rows that cannot be taken are written with line, field, value and reason.
        on_plan: is shown the plan and says whether to go on.
        then: what follows the writing.
        progress: see `Progress`.

    Raises:
        UnreadableLog, NothingToImport, OtherContent, MappingInvalid: before anything is written.
    """
    with formats.read(
        source.format,
        source.path,
        organisation=organisation,
        slug=source.slug,
        title=source.title,
        at=at,
        mapping=source.mapping,
        progress=lambda done, total: progress(Stage.READING, done, total),
    ) as incoming:
        if incoming.staging.count_rejects():
            plan.write_rejects(incoming=incoming, path=rejects)
        formats.check_not_empty(incoming=incoming)
        progress(Stage.PLANNING, 0, 0)
        planned = plan.make_plan(organisation=organisation, incoming=incoming)
        if then.may_fit:
            planned = replace(planned, then_seconds=_estimate(organisation, planned))
        if not on_plan(planned):
            return None
        organisation.save()
        run = _write(incoming, planned, organisation, at=at, progress=progress)
        if then.learner_map is not None:
            pseudonyms.write_map(
                incoming=incoming, organisation=organisation, path=then.learner_map
            )
    course = run.course
    assert course is not None  # noqa: S101 - `apply` has just named it
    tracer, was_fitted = _trace(course, at=at, may_fit=then.may_fit, progress=progress)
    _fill_class(course, then)
    return Imported(run=run, plan=planned, tracer=tracer, was_fitted=was_fitted)


def _estimate(organisation: Organisation, planned: ImportPlan) -> float:
    """Return about how many seconds fit and folding will take after the writing."""
    course = Course.objects.filter(organisation=organisation.pk, slug=planned.course).first()
    stored = learners = 0
    if course is not None:
        stored = response_selectors.count_standing(course_id=course.pk)
        learners = adoption.count_learners(course=course)
    return estimating.estimate_seconds(
        answers=stored + planned.answers - planned.answers_known,
        learners=learners + planned.learners_new,
    )


def _fill_class(course: Course, then: Afterwards) -> None:
    """Put the accounts, and in a class that is named the imported learners, into a class."""
    if not (then.class_name or then.enrol):
        return
    classroom = class_services.ensure_class(
        organisation=course.organisation, name=then.class_name or course.title, course=course
    )
    class_services.admit_users(classroom=classroom, users=then.enrol)
    if then.class_name:
        class_services.enrol(
            classroom=classroom, learners=response_selectors.list_imported(course_id=course.pk)
        )


def _write(
    incoming: Incoming,
    planned: ImportPlan,
    organisation: Organisation,
    *,
    at: dt.datetime,
    progress: Progress,
) -> LogImport:
    written = 0

    def count(answers: int) -> None:
        nonlocal written
        written += answers
        progress(Stage.WRITING, written, planned.answers)

    progress(Stage.LOADING, 0, 0)
    return apply.apply(
        organisation=organisation, incoming=incoming, plan=planned, at=at, progress=count
    )


def _trace(
    course: Course, *, at: dt.datetime, may_fit: bool, progress: Progress
) -> tuple[TracerVersion, bool]:
    """Fit what has not been fitted on all imports, and fold whoever is behind."""
    learners = adoption.count_learners(course=course)
    done = {Stage.FITTING: 0, Stage.FOLDING: 0}

    def count(stage: Stage, more: int, total: int) -> None:
        done[stage] += more
        progress(stage, done[stage], total)

    def folding(more: int) -> None:
        count(Stage.FOLDING, more, learners)

    if not (may_fit and adoption.is_fit_due(course=course)):
        version = adoption.give_tracer_and_fold(course=course, at=at, progress=folding)
        return version, False
    version = adoption.fit_and_adopt(
        course=course,
        at=at,
        reason="import",
        progress=folding,
        fitting=lambda more: count(Stage.FITTING, more, 100),
    )
    return version, True
