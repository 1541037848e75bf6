"""What a choice is made with beside the learner's state: how, for what, and what came before."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from curriculum.bandits import BasePolicy, GainSoftmaxPolicy


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
    """

    policy: BasePolicy = field(default_factory=GainSoftmaxPolicy)
    settings_id: int | None = None
    version_id: int | None = None
    minutes: Mapping[int, float] = field(default_factory=dict)
    explores: bool = False
    probes: bool = False
    kill_switch: bool = False


@dataclass(frozen=True, slots=True)
class Recent:
    """What is known of a learner's latest decisions, beside the answers in the state.

    Attributes:
        modes: (item id, mode) of the latest, the newest first.
        explored: items drawn at random within the exposure window.
        released: concept id -> when a teacher last released the learner from it, epoch seconds.
    """

    modes: tuple[tuple[int, str], ...] = ()
    explored: int = 0
    released: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sitting is for, and how far it is.

    Attributes:
        goal_concepts: concept ids that the assignment asks for; empty means the whole course.
        answered: answers given in this sitting.
        planned: answers after which it ends.
        opens_at, closes_at: the assignment's dates, epoch seconds.
        asked_again: a concept whose delayed probe is due.
    """

    goal_concepts: tuple[int, ...]
    answered: int
    planned: int
    opens_at: float | None = None
    closes_at: float | None = None
    asked_again: int | None = None
