"""What a choice is made with beside the learner's state: how, for what, and what came before."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curriculum.bandits import BasePolicy, GainSoftmaxPolicy
from curriculum.scheduler import Exploration, Exposure, ItemBank, Rules, build_bank
from tutor.classes.stated import Of
from tutor.classes.terms import Terms
from tutor.common.cache import new_cache
from tutor.content.selectors import CourseBank
from tutor.tracing import bands

__all__ = [
    "RULES",
    "Conduct",
    "Counts",
    "Exploration",
    "ItemBank",
    "Plan",
    "Recent",
    "Wish",
    "build_bank",
    "exposure_of",
    "item_bank",
]

# Questions of a sitting without an assignment.
FREE_PRACTICE = 10
# Of single learners only: without one they hold for nobody.
ACCOMMODATIONS = frozenset({"bar", "time", "steady"})
_banks = new_cache(capacity=32)
_exposures = new_cache(capacity=64)

RULES = Rules(mastery_threshold=bands.MASTERED_LOWER_PROB, mastery_evidence=bands.MASTERED_EVIDENCE)


@dataclass(frozen=True, slots=True)
class Wish:
    """A rule of a teacher that is in force.

    Attributes:
        pk: its row.
        kind: as in `SteeringRule.Kind`.
        at: when it was set, epoch seconds; answers since then count for it.
        item_id, concept_id: what it is about.
        value: a number, or ids, names or epoch seconds, by its kind.
        assignment_id: only while this is worked on.
        for_everybody: for all who work on it, whoever is named; an accommodation is for nobody so.
        learner_ids: else only for these.
    """

    pk: int
    kind: str
    at: float
    item_id: int | None = None
    concept_id: int | None = None
    value: Any = None
    assignment_id: int | None = None
    for_everybody: bool = True
    learner_ids: frozenset[int] = frozenset()

    def holds_for(self, *, learner_id: int, assignment_id: int | None) -> bool:
        """Test whether it counts for a learner who works on that."""
        if self.assignment_id is not None and self.assignment_id != assignment_id:
            return False
        if self.for_everybody:
            return self.kind not in ACCOMMODATIONS
        return learner_id in self.learner_ids


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a class's items are chosen now.

    Attributes:
        policy: what rates the arms.
        settings_id, version_id: rows that say so; None for what comes with the program.
        minutes: expected minutes by item version id; others take the rules' minutes.
        explores: items may be drawn at random now and then.
        probes: what was practised may be asked again after a day or more.
        kill_switch: the teacher's order instead of the policy.
        places: learners without an answer in the course are placed first.
        wishes: the teachers' rules.
        stated: what teachers say that the learner knows, or not, by concept id.
    """

    policy: BasePolicy = field(default_factory=GainSoftmaxPolicy)
    settings_id: int | None = None
    version_id: int | None = None
    minutes: Mapping[int, float] = field(default_factory=dict)
    explores: bool = False
    probes: bool = False
    kill_switch: bool = False
    places: bool = False
    wishes: tuple[Wish, ...] = ()
    stated: Of = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many learners of a course were given each item in the thirty days before a night.

    Attributes:
        day: the first day on which the count holds, in UTC.
        learners: how many were given anything.
        given: item id -> how many of them were given it.
    """

    day: dt.date
    learners: int
    given: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Recent:
    """What is known of a learner's latest decisions, beside the answers in the state.

    Attributes:
        modes: (item id, mode) of the latest, the newest first.
        explored: items drawn at random within the exposure window.
        released: concept id -> when a teacher last released the learner from it, epoch seconds.
        placing: all answers of the learner so far were to place them.
        earlier: (item id, epoch seconds) of the answers since the oldest wish that are no longer
            in the state, oldest first; read only where the wishes count answers.
        stability: fact's concept id -> days after which its recall has sunk to 0.9.
        exposure: how many learners of the course were given each item; None where unknown.
    """

    modes: tuple[tuple[int, str], ...] = ()
    explored: int = 0
    released: Mapping[int, float] = field(default_factory=dict)
    placing: bool = False
    earlier: tuple[tuple[int, float], ...] = ()
    stability: Mapping[int, float] = field(default_factory=dict)
    exposure: Counts | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sitting is for, and how far it is.

    Attributes:
        goal_concepts: concept ids that the assignment asks for; empty means the whole course.
        answered: answers given in this sitting.
        planned: answers after which it ends; None where it is planned in minutes.
        opens_at, closes_at: the assignment's dates, epoch seconds.
        minutes_left: of a sitting that is planned in minutes; below 0 once they are over.
        asked_again: a concept whose delayed probe is due.
        resting_concepts, resting_items: ids of what the learner has put off for this sitting.
    """

    goal_concepts: tuple[int, ...]
    answered: int
    planned: int | None
    opens_at: float | None = None
    closes_at: float | None = None
    minutes_left: float | None = None
    asked_again: int | None = None
    resting_concepts: tuple[int, ...] = ()
    resting_items: tuple[int, ...] = ()


def asked_of(own: Terms | None, *, topic: int | None, at: dt.datetime) -> dict[str, Any]:
    """Return the plan's fields for what is asked for, and until when.

    Args:
        own: what the assignment comes to for the learner; None for none.
        topic: id of the concept that the learner chose where there is none.
        at: now. To whoever is excused, the assignment is closed.
    """
    if own is None:
        return {"goal_concepts": () if topic is None else (topic,)}
    closes_at = at if own.is_excused else own.due_at
    return {
        "goal_concepts": own.goal,
        "opens_at": own.opens_at.timestamp(),
        "closes_at": None if closes_at is None else closes_at.timestamp(),
    }


def resting_of(kept: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the plan's fields for what a session, or a decision's facts, keeps as put off."""
    return {
        "resting_concepts": tuple(kept.get("concepts", ())),
        "resting_items": tuple(kept.get("items", ())),
    }


def item_bank(bank: CourseBank) -> ItemBank:
    """Return a course as the scheduler takes it."""
    return _banks.get(
        (bank.course_id, bank.revision),
        lambda: build_bank(
            item_ids=bank.item_ids.tolist(),
            concepts=bank.concepts,
            concept_ids=bank.concept_ids.tolist(),
            requires=[(required, concept) for concept, required in bank.requires],
            operational=bank.operational.tolist(),
            pilot=bank.pilot.tolist(),
            is_template=bank.is_template.tolist(),
            features=bank.needs.tolist(),
            is_fact=bank.is_fact.tolist(),
        ),
    )


def exposure_of(bank: CourseBank, recent: Recent) -> Exposure | None:
    """Return how exposed the items are; made once a day and revision for all learners."""
    counts = recent.exposure
    if counts is None:
        return None
    return _exposures.get(
        (bank.course_id, bank.revision, counts.day),
        lambda: Exposure.of(
            item_bank(bank),
            given=np.array([counts.given.get(pk, 0) for pk in bank.item_ids.tolist()], np.int64),
            learners=counts.learners,
            rules=RULES,
        ),
    )
