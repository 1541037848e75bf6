"""A course changes its tracer: fit, fold everybody in the shadow, then switch.

For workers and commands; the web process never loads it.
"""

import datetime as dt
from collections.abc import Callable, Collection
from functools import partial

from django.db import transaction

from tutor.common import cache, clock
from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.content.selectors import CourseBank
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.registry import training
from tutor.registry.errors import TooFewAnswers, TracerOutdated
from tutor.registry.models import Promotion, TracerVersion
from tutor.responses import columns as response_columns
from tutor.responses import selectors as response_selectors
from tutor.responses import services as response_services
from tutor.responses.models import LogImport
from tutor.tracing import deep_folding, engine, rebuilding, services
from tutor.tracing.estimating import estimate_seconds

__all__ = [
    "adopt",
    "count_learners",
    "estimate_seconds",
    "fit_and_adopt",
    "fold_in_shadow",
    "give_tracer_and_fold",
    "is_fit_due",
    "reference_offsets_of",
    "until_still",
]

# Times that everybody is folded for one switch, before somebody has to see what keeps changing.
MOST_ATTEMPTS = 3


def fit_and_adopt(
    *,
    course: Course,
    at: dt.datetime,
    reason: str,
    progress: Callable[[int], object] = lambda _: None,
    fitting: Callable[[int], object] | None = None,
) -> TracerVersion:
    """Fit a tracer on the course's log, fold every learner under it, and make it the live one.

    With too few answers to fit on, the live tracer (or the one from priors) stays and the
    learners are folded under it.

    Args:
        progress: called with the number of learners folded since its last call.
        fitting: called with the hundredths of the fit done since its last call.
    """
    course.refresh_from_db()
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    reference = reference_offsets_of(bank)
    try:
        version = training.fit_filter(
            course=course, reference_offsets=reference, at=at, progress=fitting
        )
    except TooFewAnswers:
        return give_tracer_and_fold(course=course, at=at, progress=progress)

    def attempt() -> TracerVersion:
        # The fit stands; what it carries follows what is in use now.
        own = training.store_as_live(
            course=course,
            body=version.body,
            provenance=version.provenance,
            reference_offsets=reference,
        )
        switching = partial(_keep_what_it_carries, course, own)
        adopt(
            course=course,
            version=own,
            at=at,
            reason=reason,
            progress=progress,
            switching=switching,
        )
        return own

    return until_still(attempt)


def reference_offsets_of(bank: CourseBank) -> training.ReferenceOffsets:
    """Return how item offsets of the bank tell those of its concepts' reference items."""

    def reference(offsets: dict[int, float], intercept: float) -> dict[int, float]:
        return engine.reference_offsets(bank=bank, item_offsets=offsets, intercept=intercept)

    return reference


def _keep_what_it_carries(course: Course, version: TracerVersion) -> None:
    content_services.lock_course(course=course)
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    for part, name in (("calibration", "calibration"), ("deep", "network")):
        if live is not None and live.body.get(part) != version.body.get(part):
            raise TracerOutdated(
                f"Another {name} came into use while learners were folded.", tracer=version.pk
            )


def until_still(attempt: Callable[[], TracerVersion]) -> TracerVersion:
    """Make a version and adopt it, once more where what it was made from changed meanwhile.

    Raises:
        TracerOutdated: it changed each time.
    """
    for _ in range(MOST_ATTEMPTS - 1):
        try:
            return attempt()
        except TracerOutdated:
            continue
    return attempt()


def give_tracer_and_fold(
    *, course: Course, at: dt.datetime, progress: Callable[[int], object] = lambda _: None
) -> TracerVersion:
    """Make sure that the course has a tracer and that everybody is folded under it.

    Only those are folded who are behind: with nothing new this is quick.
    """
    services.give_prior_tracer(course=course, at=at)
    course.refresh_from_db()
    version = registry_selectors.get_live_tracer(course_id=course.pk)
    assert version is not None  # noqa: S101 - given just now
    tracer = services.tracer_of_version(version=version, revision=course.revision)
    _fold_behind(tracer, at=at, progress=progress)
    return version


def _fold_behind(
    tracer: engine.CourseTracer, *, at: dt.datetime, progress: Callable[[int], object]
) -> None:
    """Bring whoever is behind under the live tracer up to the log; the others stay untouched."""
    behind = rebuilding.list_behind(tracer=tracer)
    stale = services.list_stale_learners(tracer_id=tracer.tracer_id)
    for _ in rebuilding.fold(tracer=tracer, learner_ids={*behind, *stale}):
        progress(1)
    deep_folding.mark_behind(tracer=tracer, at=at)


def is_fit_due(*, course: Course) -> bool:
    """Test whether an import has brought answers that no tracer of the course was fitted on.

    It says so too after an import whose fit was cut off or declined. A version that only pins a
    calibration onto an earlier fit, or comes back into use, was not fitted on them.
    """
    newest = LogImport.objects.filter(course=course, rows_added__gt=0).order_by("-pk").first()
    if newest is None:
        return False
    earlier = Promotion.objects.filter(course=course, at__lt=newest.started_at).values("tracer")
    later = Promotion.objects.filter(course=course, at__gte=newest.started_at)
    fitted = (
        later.exclude(tracer__in=earlier)
        .exclude(tracer__provenance__fitted_on="prior")
        .exclude(tracer__provenance__has_key="based_on")
    )
    return not fitted.exists()


def count_learners(*, course: Course) -> int:
    """Return how many learners have answers in the course."""
    return len(response_columns.list_learners(course_id=course.pk))


def adopt(
    *,
    course: Course,
    version: TracerVersion,
    at: dt.datetime,
    reason: str,
    progress: Callable[[int], object] = lambda _: None,
    looking: Callable[[], object] = lambda: None,
    switching: Callable[[], object] = lambda: None,
) -> None:
    """Fold every learner under the version, then switch to it.

    Answers that arrive while the folding runs are caught up with once beside the learners, then at
    the switch, which waits for every learner's lock: nobody is then between reading the old tracer
    and storing their state. What takes a look at the whole log is done before; under the locks only
    those are looked at who have answered since. Whoever gives their very first answer in that
    moment is caught up with right after it. Whose deep state is behind by then is marked in the
    switch itself.

    Of the version that is live already the learners' states are in use: only who is behind is
    folded, and nobody else's floors fall.

    Args:
        progress: called with the number of learners folded since its last call.
        looking: called when everybody is folded, before the switch.
        switching: called in the transaction of the switch, for what changes together with it.

    Raises:
        TracerOutdated: by `switching`, where the version no longer fits; nothing has changed then.
    """
    tracer = services.tracer_of_version(version=version, revision=course.revision)
    if _is_live(course, version):
        _fold_behind(tracer, at=at, progress=progress)
        looking()
        with transaction.atomic():
            switching()
            if not _is_live(course, version):
                raise TracerOutdated("Another tracer came into use.", tracer=version.pk)
            registry_services.promote(course=course, tracer=version, at=at, reason=reason)
        cache.clear_all()
        return
    began = response_selectors.get_newest_id(course_id=course.pk)
    fold_in_shadow(course=course, version=version, at=at, progress=progress)
    looking()
    _switch(course, version, tracer, at=at, reason=reason, began=began, switching=switching)
    first = rebuilding.list_behind(tracer=tracer)
    _fold(tracer, first)
    cache.clear_all()
    if first:
        deep_folding.mark_behind(tracer=tracer, at=at, among=first)


def _is_live(course: Course, version: TracerVersion) -> bool:
    return registry_selectors.get_live_tracer(course_id=course.pk) == version


def _switch(
    course: Course,
    version: TracerVersion,
    tracer: engine.CourseTracer,
    *,
    at: dt.datetime,
    reason: str,
    began: int,
    switching: Callable[[], object],
) -> None:
    """Catch up with whoever answered since row `began`, the last of them under all locks."""
    caught_up = _catch_up(tracer, since=began)
    # Both look at everybody. Whoever is behind for an answer after this is in `late`.
    _fold(tracer, rebuilding.list_behind(tracer=tracer))
    deep = deep_folding.list_to_mark(tracer=tracer, torn_among=_since(tracer, began))
    with transaction.atomic():
        response_services.lock_learners(learner_ids=rebuilding.list_traced(tracer=tracer))
        late = _since(tracer, caught_up)
        _fold(tracer, late)
        switching()
        registry_services.promote(course=course, tracer=version, at=at, reason=reason)
        deep_folding.mark_behind(tracer=tracer, at=at, among={*deep, *late})


def _catch_up(tracer: engine.CourseTracer, *, since: int) -> int:
    """Fold whoever answered since a row, nobody being held; return the newest row that is in."""
    # Ids of several learners commit in any order: a moment under all locks, in which nothing is
    # under way, makes sure that those up to the newest are there to be read.
    with transaction.atomic():
        response_services.lock_learners(learner_ids=rebuilding.list_traced(tracer=tracer))
        newest = response_selectors.get_newest_id(course_id=tracer.bank.course_id)
    _fold(tracer, _since(tracer, since))
    return newest


def _since(tracer: engine.CourseTracer, response_id: int) -> list[int]:
    return response_selectors.list_learners_since(
        course_id=tracer.bank.course_id, response_id=response_id
    )


def fold_in_shadow(
    *,
    course: Course,
    version: TracerVersion,
    at: dt.datetime,
    progress: Callable[[int], object] = lambda _: None,
) -> None:
    """Fold every learner under a version that nobody is served by, its network's states too.

    Nothing is done for the live one: its states are those that everybody is served by.
    """
    if _is_live(course, version):
        return
    now = clock.going_on_from(at)
    tracer = services.tracer_of_version(version=version, revision=course.revision)
    for _ in rebuilding.fold_everybody(tracer=tracer):
        progress(1)
    deep_folding.fold_everybody(
        tracer=tracer,
        before=registry_selectors.get_live_tracer(course_id=course.pk),
        now=now,
    )


def _fold(tracer: engine.CourseTracer, learner_ids: Collection[int]) -> None:
    for _ in rebuilding.fold(tracer=tracer, learner_ids=learner_ids):
        pass
