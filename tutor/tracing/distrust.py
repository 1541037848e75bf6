"""Where the network, or the filter, does not count at present: in a class, or in the whole course.

A class's own verdict goes before the course's, and one on all concepts before all of the course's.
Without one the course's holds, as for learners in no class; where nobody has said anything, it
counts. Where the filter does not, items are chosen by their difficulty alone.
"""

from collections.abc import Collection, Mapping

import numpy as np

from tutor.classes import selectors as class_selectors
from tutor.common.cache import new_cache
from tutor.registry.models import TracerVersion
from tutor.tracing import engine
from tutor.tracing.models import DeepStanding, FilterStanding, Standing

# Concept id, or None for all of them -> whether the network, or the filter, counts.
Words = Mapping[int | None, bool]

_words = new_cache(capacity=128)


def list_words(*, tracer: engine.CourseTracer) -> Mapping[int | None, Words]:
    """Return what was last said of the tracer's network: class id, None for the course -> words.

    A change raises the course's revision, so every process knows of it with the next answer.
    """
    if tracer.deep is None:
        return {}
    key = ("network", tracer.tracer_id, tracer.bank.revision)
    return _words.get(
        key, lambda: _read_words(DeepStanding, tracer, list_same_network(tracer=tracer))
    )


def list_filter_words(*, tracer: engine.CourseTracer) -> Mapping[int | None, Words]:
    """Return the same of the tracer's filter, as far as it counts when an item is chosen."""
    key = ("filter", tracer.tracer_id, tracer.bank.revision)
    return _words.get(key, lambda: _read_filter_words(tracer))


def _read_filter_words(tracer: engine.CourseTracer) -> dict[int | None, dict[int | None, bool]]:
    # An answer may wait for this. Nearly always nobody has said anything, and bodies are large.
    rows = FilterStanding.objects.filter(course=tracer.bank.course_id)
    judged = set(rows.values_list("tracer", flat=True))
    if not judged:
        return {}
    same = list_same_filter(tracer=tracer, among=judged)
    return _read_words(FilterStanding, tracer, same)


def _read_words(
    standings: type[Standing], tracer: engine.CourseTracer, tracer_ids: Collection[int]
) -> dict[int | None, dict[int | None, bool]]:
    # Judged by what this very network, or filter, said; a later one starts with a clean slate.
    rows = standings.objects.filter(  # type: ignore[attr-defined]
        course=tracer.bank.course_id, tracer__in=tracer_ids
    ).order_by("pk")
    found: dict[int | None, dict[int | None, bool]] = {}
    for place, concept, counts in rows.values_list("classroom", "concept", "counts"):
        found.setdefault(place, {})[concept] = counts
    return found


def list_same_network(*, tracer: engine.CourseTracer) -> list[int]:
    """Return the ids of the course's versions with the tracer's network."""
    if tracer.deep is None:
        return []
    versions = TracerVersion.objects.filter(
        course=tracer.bank.course_id, body__deep__network=tracer.deep.network_id
    )
    return list(versions.values_list("pk", flat=True))


def list_same_filter(
    *, tracer: engine.CourseTracer, among: Collection[int] | None = None
) -> list[int]:
    """Return the ids of the course's versions with the tracer's filter, whatever its offsets.

    A calibration moves offsets, as it may every night, and is no other filter; a fit is.

    Args:
        tracer: the live one; always among what is returned.
        among: versions that are looked at beside it; None: all of the course, for workers.
    """
    versions = TracerVersion.objects.filter(course=tracer.bank.course_id)
    if among is not None:
        versions = versions.filter(pk__in={*among, tracer.tracer_id})
    told = dict(versions.values_list("pk", "body__parameters"))
    return sorted(pk for pk, parameters in told.items() if parameters == told[tracer.tracer_id])


def holding_in(words: Mapping[int | None, Words], class_id: int | None) -> Words:
    """Return what holds in a class; None: in none of them."""
    own = words.get(class_id, {})
    return own if None in own else {**words.get(None, {}), **own}


def distrusted_in(words: Mapping[int | None, Words], class_id: int | None) -> frozenset[int | None]:
    """Return the concepts of which the network does not count in a class; None among them: of all.

    Args:
        words: as `list_words` gives them.
        class_id: the class; None: in none of them.
    """
    held = holding_in(words, class_id)
    return frozenset(concept for concept, counts in held.items() if not counts)


def find(*, learner_ids: Collection[int], tracer: engine.CourseTracer) -> dict[int, engine.Bools]:
    """Return learner id -> (K,) distrusted concepts; rarely anybody.

    Of several classes every one counts that has said something.
    """
    return _find(list_words(tracer=tracer), learner_ids, tracer)


def find_by_difficulty(
    *, learner_ids: Collection[int], tracer: engine.CourseTracer
) -> dict[int, engine.Bools]:
    """Return learner id -> (K,) concepts whose items are chosen by difficulty alone; rarely any."""
    return _find(list_filter_words(tracer=tracer), learner_ids, tracer)


def _find(
    words: Mapping[int | None, Words], learner_ids: Collection[int], tracer: engine.CourseTracer
) -> dict[int, engine.Bools]:
    if all(counts for said in words.values() for counts in said.values()):
        return {}
    speaking = [pk for pk in words if pk is not None]
    found: dict[int, frozenset[int | None]] = {}
    for learner_id, class_id in class_selectors.list_members(
        class_ids=speaking, learner_ids=learner_ids
    ):
        before = found.get(learner_id, frozenset())
        found[learner_id] = before | distrusted_in(words, class_id)
    by_default = distrusted_in(words, None)
    if by_default:
        found = {pk: found.get(pk, by_default) for pk in learner_ids}
    return {pk: _flags(tracer, concepts) for pk, concepts in found.items() if concepts}


def _flags(tracer: engine.CourseTracer, concepts: Collection[int | None]) -> engine.Bools:
    if None in concepts:
        return np.ones(len(tracer.bank.concept_ids), np.bool_)
    return np.isin(tracer.bank.concept_ids, list(concepts))
