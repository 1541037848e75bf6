"""What a choice makes of teachers' words on what a learner knows. Data in and data out, numpy only.

Known: mastered, as if at that moment, so that what builds on it opens, and a review comes when one
would. Not known yet: neither mastered nor reached, so that it is taught and what builds on it
waits. The estimates of items stay as they are: how hard a question is for the learner is not said.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tutor.classes.stated import Of
from tutor.content.selectors import CourseBank
from tutor.scheduling.plans import RULES

Known = dict[str, Any]


def bend(known: Known, said: Of, *, bank: CourseBank) -> Known:
    """Return what is known of a learner with what was said in its place.

    Args:
        known: [K] `concept_prob`, `concept_lower_prob`, `evidence_n`, `concept_last_at` and
            `mastered_before`, as a situation has them; left alone.
        said: by concept id.
        bank: the course, with K concepts.
    """
    index = bank.index_of_concept
    places = [(index[pk], one) for pk, one in said.items() if pk in index]
    if not places:
        return known
    bent = {name: np.array(values) for name, values in known.items()}
    for place, one in places:
        if one.is_known:
            _raise(bent, place, "concept_lower_prob", RULES.mastery_threshold)
            _raise(bent, place, "concept_prob", bent["concept_lower_prob"][place])
            _raise(bent, place, "evidence_n", RULES.mastery_evidence)
            _raise(bent, place, "concept_last_at", one.since)
            bent["mastered_before"][place] = True
        else:
            bent["concept_lower_prob"][place] = 0.0
            bent["mastered_before"][place] = False
    return bent


def released(said: Of, before: Mapping[int, float]) -> dict[int, float]:
    """Return concept id -> since when answers count towards being stuck, epoch seconds.

    Who is said not to know a thing yet is to be taught it, however much they have tried before.
    """
    since = {pk: one.since for pk, one in said.items() if not one.is_known}
    return {**before, **{pk: max(at, before.get(pk, at)) for pk, at in since.items()}}


def _raise(bent: Known, place: int, name: str, least: float) -> None:
    bent[name][place] = max(bent[name][place], least)
