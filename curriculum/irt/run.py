"""The record of one calibration: what went in, what came out, and whether it may be used."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from curriculum.irt.drift import LinkReport
from curriculum.irt.group_comparison import GroupComparison
from curriculum.irt.local_dependence import DependentPair
from curriculum.irt.models import WEAK_PRIORS, ItemModel, Priors
from curriculum.irt.population import Population
from curriculum.irt.responses import Census

OPERATIONAL_ANSWERS = 200
OPERATIONAL_SE = 0.35
# Before that many answers nothing is said against an item: chance says as much.
ACCUSING_ANSWERS = 30


class Engine(StrEnum):
    """What fits the parameters; the other one is held against it."""

    PY_IRT = "py-irt"
    EM = "em"


class Flag(StrEnum):
    """What somebody should know before using an item's figures."""

    UNSEEN = "unseen"  # nobody answered it: no figures
    ALL_RIGHT = "all-right"  # as easy as the prior lets it be
    ALL_WRONG = "all-wrong"
    THIN = "thin"  # fewer than 200 answers
    IMPRECISE = "imprecise"  # standard error of difficulty 0.35 or more
    NEGATIVE = "negative-discrimination"  # abler learners do worse: wrong key?
    BELOW_CHANCE = "below-chance"  # fewer right than guessing would give
    DISCONNECTED = "disconnected"  # on the scale by assumption only
    MISFIT = "misfit"  # answers do not follow the curve
    DEPENDENT = "locally-dependent"  # shares more than ability with another item
    DIF = "dif"  # class C for a group
    DRIFTED = "drifted"  # was an anchor, has moved


# Flags that an item may have and still hold a scale.
MAY_ANCHOR = frozenset({Flag.THIN, Flag.DEPENDENT})


@dataclass(frozen=True, slots=True)
class Settings:
    """What a calibration was asked for; everything that the outcome depends on beside the data.

    Attributes:
        model: 1PL, 2PL or 3PL.
        engine: what fits.
        seed: draws the learners for S-X2 where there are very many; nothing else is drawn.
        guessing: chance of guessing of items not in `guessing_by_item`; 0 unless 3PL.
        priors: of difficulty and log discrimination.
    """

    model: ItemModel = ItemModel.TWO
    engine: Engine = Engine.PY_IRT
    seed: int = 0
    guessing: float = 0.0
    priors: Priors = WEAK_PRIORS


DEFAULT_SETTINGS = Settings()


@dataclass(frozen=True, slots=True)
class ItemFigures:
    """Everything found about one item; nan where there is nothing to say.

    Attributes:
        item: its name.
        n: first attempts it was calibrated from.
        seen: all answers to it in the log.
        correct: share of right first attempts.
        difficulty: logits on the run's scale.
        difficulty_se: its standard error; nan for an anchor, which is given.
        discrimination: per logit.
        discrimination_se: its standard error.
        guessing: as given.
        infit: see `curriculum.irt.item_fit`.
        outfit: likewise.
        item_rest: likewise.
        s_x2: see `curriculum.irt.s_x2`.
        s_x2_df: its degrees of freedom.
        s_x2_p: its p.
        block: 0 for the main block, see `curriculum.irt.blocks`.
        anchor: whether its parameters were given.
        flags: what to know.
    """

    item: str
    n: int
    seen: int
    correct: float
    difficulty: float
    difficulty_se: float
    discrimination: float
    discrimination_se: float
    guessing: float
    infit: float
    outfit: float
    item_rest: float
    s_x2: float
    s_x2_df: int
    s_x2_p: float
    block: int
    anchor: bool
    flags: tuple[Flag, ...]

    @property
    def free(self) -> bool:
        """Whether the item's parameters were estimated, and not given."""
        return self.n > 0 and not self.anchor

    @property
    def ready(self) -> bool:
        """Whether the item's figures are good enough to be served by: operational, or an anchor."""
        held_back = set(self.flags) - {Flag.DEPENDENT, Flag.MISFIT}
        return self.anchor or not held_back


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition that a run should meet before it is used.

    Attributes:
        name: a stable word.
        value: what was found.
        bound: what it may be at most (or at least, as the name says).
        passed: whether it is.
        blocks: whether a run that does not meet it is held back; else it is an alarm, which asks
            that somebody can say why.
    """

    name: str
    value: float
    bound: float
    passed: bool
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class CalibrationRun:
    """One calibration, complete and unchangeable; `version` names it.

    Attributes:
        settings: what was asked for.
        data_sha256: of the calibrated responses.
        anchors_sha256: of the anchors' parameters; "" without.
        census: what became of the log's rows.
        items: figures of every item of the log.
        population: the learners on the run's scale.
        log_likelihood: marginal, in nats, of the calibrated responses.
        iterations: epochs, or steps of EM.
        link: to the anchors' scale; None without anchors.
        pairs: items that depend on each other beyond ability.
        groups: comparison of groups; None if none was asked for.
        gates: conditions, met or not.
    """

    settings: Settings
    data_sha256: str
    anchors_sha256: str
    census: Census
    items: tuple[ItemFigures, ...]
    population: Population
    log_likelihood: float
    iterations: int
    link: LinkReport | None
    pairs: tuple[DependentPair, ...]
    groups: GroupComparison | None
    gates: tuple[Gate, ...]

    @property
    def version(self) -> str:
        """A name that two runs share only if everything in them is the same."""
        text = json.dumps(self.to_dict(), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def passed(self) -> bool:
        """Whether all gates are met that hold a run back."""
        return all(gate.passed or not gate.blocks for gate in self.gates)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain values, for JSON (nan included, as Python writes it)."""
        return dataclasses.asdict(self)
