"""Where the network does not count at present: in a class, or in the course as a whole.

A class's own verdict goes before the course's, and one on all concepts before all of the course's.
Without one the course's holds, as for learners in no class; where nobody has said anything, the
network counts.
"""

from collections.abc import Collection, Mapping

import numpy as np

from tutor.classes import selectors as class_selectors
from tutor.common.cache import new_cache
from tutor.registry.models import TracerVersion
from tutor.tracing import engine
from tutor.tracing.models import DeepStanding

# Concept id, or None for all of them -> whether the network counts.
Words = Mapping[int | None, bool]

_words = new_cache(capacity=64)


def list_words(*, tracer: engine.CourseTracer) -> Mapping[int | None, Words]:
    """Return what was last said of the tracer's network: class id, None for the course -> words.

    A change raises the course's revision, so every process knows of it with the next answer.
    """
    if tracer.deep is None:
        return {}
    key = (tracer.tracer_id, tracer.bank.revision)
    return _words.get(key, lambda: _read_words(tracer))


def _read_words(tracer: engine.CourseTracer) -> dict[int | None, dict[int | None, bool]]:
    # Judged by predictions of this very network; a later one starts with a clean slate.
    rows = DeepStanding.objects.filter(
        course=tracer.bank.course_id, tracer__in=list_same_network(tracer=tracer)
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
    words = list_words(tracer=tracer)
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
