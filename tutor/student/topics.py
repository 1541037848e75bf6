"""The topics that a learner may choose to practise alone."""

import datetime as dt

import numpy as np

from tutor.accounts.models import Learner
from tutor.content import selectors as content_selectors
from tutor.content.models import Concept, Course
from tutor.scheduling import reviews
from tutor.tracing import selectors as tracing_selectors
from tutor.tracing.bands import MASTERED_EVIDENCE, MASTERED_LOWER_PROB, Mastery


def list_topics(
    *, learner: Learner, courses: tuple[Course, ...], at: dt.datetime
) -> list[tuple[Course, list[Concept]]]:
    """Return the topics with something to answer, in teaching order, course by course."""
    found = [(course, _open_topics(learner, course, at)) for course in courses]
    return [(course, topics) for course, topics in found if topics]


def _open_topics(learner: Learner, course: Course, at: dt.datetime) -> list[Concept]:
    open_ = find_open(learner=learner, course=course, at=at)
    return list(course.concepts.filter(pk__in=open_).order_by("position")) if open_ else []


def find_open(*, learner: Learner, course: Course, at: dt.datetime) -> set[int]:
    """Return the ids of the concepts that a session of the learner's choice would ask for.

    Those of the course as it is now that have a question in use, and that are not mastered or are
    due for review; what the choice of a question closes is left out here (`all-mastered`).
    """
    bank = content_selectors.get_bank(course_id=course.pk, revision=course.revision)
    used = np.unique(bank.concepts[bank.operational])
    practicable = {int(bank.concept_ids[index]) for index in used.tolist() if index >= 0}
    if not practicable:
        return set()
    masteries = tracing_selectors.get_masteries(learner=learner, course=course, at=at)
    mastered = {pk for pk, found in masteries.items() if _is_mastered(found)}
    if not practicable & mastered:
        return practicable
    due = {
        review.concept_id
        for review in reviews.list_reviews(learner=learner, course=course, at=at, days=1)
        if review.is_due
    }
    return practicable - (mastered - due)


def _is_mastered(found: Mastery) -> bool:
    # The estimate, not the word that is shown: by it the choice is made, unless a teacher has one.
    if found.stated is not None:
        return found.stated
    return found.lower_prob >= MASTERED_LOWER_PROB and found.evidence_n >= MASTERED_EVIDENCE
