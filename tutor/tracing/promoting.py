"""A tracer version comes into use, and goes out of it again. For workers and commands.

Everybody is folded under the version first, and in one transaction it becomes the live one. A
candidate with a network is laid onto the version that is live by then, so that neither a fit nor a
calibration that came into use meanwhile is lost. The way back is the same switch.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from tutor.content import selectors as content_selectors
from tutor.content import services as content_services
from tutor.content.models import Course
from tutor.registry import jobs, pinning, training
from tutor.registry import selectors as registry_selectors
from tutor.registry import services as registry_services
from tutor.registry.errors import NothingToRollBack, TracerOutdated
from tutor.registry.models import Promotion, TracerVersion
from tutor.tracing import adoption, holding

Folded = Callable[[int], object]
Switching = Callable[[TracerVersion], object]
# Told before the switch which version everybody has been folded under, in the shadow.
Looking = Callable[[TracerVersion], object]


def promote(
    *,
    course: Course,
    tracer: TracerVersion,
    at: dt.datetime,
    forced_because: str = "",
    progress: Folded = lambda _: None,
    looking: Looking = lambda _: None,
    switching: Switching = lambda _: None,
) -> TracerVersion:
    """Make a version the one that everybody's estimates come from; return the one that is.

    Killed on the way, nothing has changed but states that nobody reads yet; started again, it goes
    on from there.

    Args:
        course: the version's.
        tracer: the version. A candidate that has never been in use gives its network; the rest is
            that of the live version.
        at: the present.
        forced_because: why it is used though a gate failed; kept with the promotion.
        progress: called with the number of learners folded since its last call.
        looking: called with the version before the switch; what it raises ends the promotion.
        switching: called with the version in the transaction of the switch.

    Raises:
        SwitchUnderWay: a switch or a calibration of the course is under way.
        GatesFailed: a gate failed, and no reason is given.
        TracerOfAnotherCourse: the version is of another course.
    """
    with holding.hold(course):
        return promote_held(
            course=course,
            tracer=tracer,
            at=at,
            forced_because=forced_because,
            progress=progress,
            looking=looking,
            switching=switching,
        )


def promote_held(
    *,
    course: Course,
    tracer: TracerVersion,
    at: dt.datetime,
    forced_because: str = "",
    progress: Folded = lambda _: None,
    looking: Looking = lambda _: None,
    switching: Switching = lambda _: None,
) -> TracerVersion:
    """Do as `promote`, for a caller that holds the lock."""
    jobs.require_promotable(course=course, tracer=tracer, forced_because=forced_because)
    reason = f"promoted though a gate failed: {forced_because}" if forced_because else "promoted"
    return _switch(
        course=course,
        at=at,
        reason=reason,
        choose=lambda: candidate_of(course=course, tracer=tracer),
        progress=progress,
        looking=looking,
        switching=switching,
    )


def roll_back(
    *,
    course: Course,
    at: dt.datetime,
    progress: Folded = lambda _: None,
    looking: Looking = lambda _: None,
    switching: Switching = lambda _: None,
) -> TracerVersion:
    """Go back to the fit and the network that were in use before those that are.

    The calibration in use stays; `manage.py rollback_calibration` leads back from that. Rolling
    back twice leads to where one was.

    Raises:
        SwitchUnderWay: a switch or a calibration of the course is under way.
        NothingToRollBack: no other fit and no other network was ever in use.
    """
    with holding.hold(course):
        return roll_back_held(
            course=course, at=at, progress=progress, looking=looking, switching=switching
        )


def roll_back_held(
    *,
    course: Course,
    at: dt.datetime,
    progress: Folded = lambda _: None,
    looking: Looking = lambda _: None,
    switching: Switching = lambda _: None,
) -> TracerVersion:
    """Do as `roll_back`, for a caller that holds the lock."""
    return _switch(
        course=course,
        at=at,
        reason="rolled back",
        choose=lambda: version_of_way_back(course=course),
        progress=progress,
        looking=looking,
        switching=switching,
    )


def fold_in_shadow(
    *, course: Course, tracer: TracerVersion, at: dt.datetime, progress: Folded = lambda _: None
) -> TracerVersion:
    """Fold everybody under what promoting the version would make live; return that.

    Nobody reads those states before a promotion, which then finds most of its work done.
    """
    version = candidate_of(course=course, tracer=tracer)
    adoption.fold_in_shadow(course=course, version=version, at=at, progress=progress)
    return version


def candidate_of(*, course: Course, tracer: TracerVersion) -> TracerVersion:
    """Return what promoting `tracer` makes live: itself, or its network on the live version.

    A version that was in use before is promoted as it was.
    """
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    deep = tracer.body.get("deep")
    was_in_use = Promotion.objects.filter(course=course, tracer=tracer).exists()
    if deep is None or live is None or was_in_use:
        return tracer
    return _version(course, fit=live, deep_of=tracer, like=tracer)


def version_of_way_back(*, course: Course) -> TracerVersion:
    """Return the version that a way back makes live.

    Raises:
        NothingToRollBack: no other fit and no other network was ever in use.
    """
    live = registry_selectors.get_live_tracer(course_id=course.pk)
    rows = Promotion.objects.filter(course=course).select_related("tracer").order_by("-pk")
    for promotion in rows.iterator():
        before = promotion.tracer
        if live is not None and _learnt(before.body) != _learnt(live.body):
            return _version(course, fit=before, deep_of=before, like=before)
    raise NothingToRollBack("No other fit or network was ever in use here.", course=course.pk)


def _learnt(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a version was fitted to say, without what it pins and what follows from that."""
    return _without_reference(pinning.unpinned(body))


def _without_reference(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told for name, told in body.items() if name != "reference_offsets"}


def _version(
    course: Course, *, fit: TracerVersion, deep_of: TracerVersion, like: TracerVersion
) -> TracerVersion:
    """Return the version of a fit and a network under what counts now: `like`, if it is that."""
    course.refresh_from_db()
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    body = training.body_with(
        course=course,
        fit=fit.body,
        deep=deep_of.body.get("deep"),
        reference_offsets=adoption.reference_offsets_of(bank),
    )
    if _without_reference(body) == _without_reference(like.body):
        return like
    # Without its seconds: no filter was fitted that estimates could be made from.
    provenance = {name: told for name, told in fit.provenance.items() if name != "seconds"}
    provenance |= {"based_on": fit.number, "network": deep_of.provenance.get("network")}
    return registry_services.store_tracer(course=course, body=body, provenance=provenance)


def _switch(
    *,
    course: Course,
    at: dt.datetime,
    reason: str,
    choose: Callable[[], TracerVersion],
    progress: Folded,
    looking: Looking,
    switching: Switching,
) -> TracerVersion:
    """Choose a version and adopt it; once more where the live one was replaced meanwhile."""

    def attempt() -> TracerVersion:
        live = registry_selectors.get_live_tracer(course_id=course.pk)
        version = choose()

        def switch() -> None:
            content_services.lock_course(course=course)
            if registry_selectors.get_live_tracer(course_id=course.pk) != live:
                raise TracerOutdated(
                    "The tracer was replaced while learners were folded; try again.",
                    course=course.pk,
                )
            switching(version)

        adoption.adopt(
            course=course,
            version=version,
            at=at,
            reason=reason[:200],
            progress=progress,
            looking=lambda: looking(version),
            switching=switch,
        )
        return version

    return adoption.until_still(attempt)
