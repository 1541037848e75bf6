"""What is noticed of a whole class: the same goes wrong for many. Data in and data out."""

import math
from collections.abc import Iterator

from tutor.alerts.kinds import Kind
from tutor.alerts.reading import Answer
from tutor.alerts.seen import Alert, Seen
from tutor.alerts.thresholds import LEAST_SHARED

# On fewer recent answers nothing goes wrong, and with more than this share right neither.
ENOUGH_ANSWERS = 3
MOSTLY_WRONG = 1 / 3


def find_ideas(seen: Seen) -> Iterator[Alert]:
    """Which wrong ideas many learners have shown lately."""
    who: dict[str, set[int]] = {}
    on: dict[str, list[int]] = {}
    for learner_id, answer in _answers(seen):
        if answer.misconception and _is_new(seen, Kind.IDEA, answer.misconception, answer):
            who.setdefault(answer.misconception, set()).add(learner_id)
            if answer.concept_id is not None:
                on.setdefault(answer.misconception, []).append(answer.concept_id)
    for slug, learners in who.items():
        if len(learners) >= _many(seen):
            concepts = on.get(slug, [])
            most = max(concepts, key=concepts.count, default=None)
            name, _ = seen.looked.ideas.get(slug, (slug, ""))
            facts = {"idea": slug, "name": name, **_counts(seen, learners), **seen.topic(most)}
            yield Alert(Kind.IDEA, None, (slug,), facts, weight=len(learners))


def find_topics(seen: Seen) -> Iterator[Alert]:
    """Which topics mostly go wrong for many learners, unless one wrong idea says why."""
    explained = {alert.facts.get("slug") for alert in find_ideas(seen)}
    tries: dict[int, dict[int, list[bool]]] = {}
    for learner_id, answer in _answers(seen):
        concept = answer.concept_id
        if concept is not None and _is_new(seen, Kind.TOPIC, str(concept), answer):
            own = tries.setdefault(concept, {}).setdefault(learner_id, [])
            own.append(answer.is_right and answer.is_alone)
    for concept, by_learner in tries.items():
        learners = {
            pk
            for pk, own in by_learner.items()
            if len(own) >= ENOUGH_ANSWERS and sum(own) <= MOSTLY_WRONG * len(own)
        }
        topic = seen.topic(concept)
        if len(learners) >= _many(seen) and topic and topic["slug"] not in explained:
            facts = {**_counts(seen, learners), **topic}
            yield Alert(Kind.TOPIC, None, (str(concept),), facts, weight=len(learners))


def find_untaught(seen: Seen) -> Iterator[Alert]:
    """Which topics many learners say they have not learnt yet, and have not mastered since."""
    members = seen.looked.members[seen.class_id]
    who: dict[int, set[int]] = {}
    for learner_id, concept, at in seen.looked.untaught:
        since = seen.past.since(Kind.UNTAUGHT, None, name=str(concept))
        is_new = since is None or at > since
        if learner_id in members and is_new and not seen.is_mastered(learner_id, concept):
            who.setdefault(concept, set()).add(learner_id)
    for concept, learners in who.items():
        topic = seen.topic(concept)
        if len(learners) >= _many(seen) and topic:
            facts = {**_counts(seen, learners), **topic}
            yield Alert(Kind.UNTAUGHT, None, (str(concept),), facts, weight=len(learners))


def _answers(seen: Seen) -> Iterator[tuple[int, Answer]]:
    for learner_id in seen.members:
        for answer in seen.looked.recent.get(learner_id, ()):
            yield learner_id, answer


def _is_new(seen: Seen, kind: Kind, name: str, answer: Answer) -> bool:
    since = seen.past.since(kind, None, name=name)
    return since is None or answer.at > since


def _many(seen: Seen) -> int:
    """Return how many learners are many in this class."""
    share = math.ceil(seen.limits.shared_percent * len(seen.members) / 100)
    return max(LEAST_SHARED, share)


def _counts(seen: Seen, learners: set[int]) -> dict[str, int]:
    return {"learners": len(learners), "of": len(seen.members)}
