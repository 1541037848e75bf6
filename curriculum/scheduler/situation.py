"""Everything a decision depends on, apart from its seed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.bank import ItemBank
from curriculum.scheduler.errors import InvalidSituation
from curriculum.scheduler.exposure import Exposure
from curriculum.scheduler.rules import Rules

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RecentAnswers:
    """A learner's answers of the exposure window (30 days), oldest first; R rows.

    The caller may cut it to the latest few hundred. Items that are no longer in the bank may
    stand in it.

    Attributes:
        item_ids: [R].
        at: [R] epoch seconds, not decreasing.
        correct: [R] 0..1.
        modes: [R] codes into `standing.MODES` of what each was given for, -1 for unknown; None
            where no mode is known.
    """

    item_ids: IntArray
    at: FloatArray
    correct: FloatArray
    modes: NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together.

        Raises:
            InvalidSituation: lengths differ, times decrease, or a number is not finite.
        """
        if not (len(self.item_ids) == len(self.at) == len(self.correct)):
            raise InvalidSituation("The columns of the recent answers differ in length.")
        if self.modes is not None and len(self.modes) != len(self.at):
            raise InvalidSituation("The modes of the recent answers are not as many as these.")
        if not (np.isfinite(self.at).all() and np.isfinite(self.correct).all()):
            raise InvalidSituation("A recent answer has a time or credit that is not finite.")
        if (self.at[1:] < self.at[:-1]).any():
            raise InvalidSituation("The recent answers are not ordered by time.")


def no_recent_answers() -> RecentAnswers:
    """Return the recent answers of a learner who has none."""
    return RecentAnswers(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))


@dataclass(frozen=True, slots=True, eq=False)
class Memory:
    """How the tracer expects K concepts to fade and to grow: what a look ahead is made with.

    A concept's logit is `base + level`. Left alone, the level fades as (1 + days / tau)^-power,
    counted from the last answer on the concept; n answers in, practice adds
    gain * ((1 + n0) / (1 + n0 + n))^gain_rho.

    Attributes:
        base: [K] logit to which success on the reference item falls back.
        level: [K] logits above it now.
        var: [K] variance of the sum.
        practised: [K] answers on the concept so far, n0.
        tau_days, power: of the forgetting; a power of 0 is none.
        gain_rho: of the damping.
    """

    base: FloatArray
    level: FloatArray
    var: FloatArray
    practised: FloatArray
    tau_days: float = 3.0
    power: float = 0.1
    gain_rho: float = 0.5


@dataclass(frozen=True, slots=True)
class Exploration:
    """Whether this learner may be given items at random now: the exploration contract.

    Attributes:
        allowed: the class has opted in.
        in_test: the sitting is a test.
        flagged: the learner is exempt: an accommodation, or a teacher's or parent's wish.
        explored: items drawn at random for the learner within the exposure window.
    """

    allowed: bool = True
    in_test: bool = False
    flagged: bool = False
    explored: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Situation:
    """One learner, one assignment, one moment. N items and K concepts as in `bank`.

    Attributes:
        bank: the course revision.
        goal: [K] the assignment's concepts.
        logit_mean, logit_var: [N] the logit of an unassisted right answer now.
        prob: [N] its probability, uncertainty taken into account.
        expected_gain: [N] logits of its concepts that practising the item is expected to teach.
        concept_prob: [K] success probability on the concept's reference item now (mastery).
        concept_lower_prob: [K] its 5 % quantile.
        evidence_n: [K] answers that measured the concept.
        concept_last_at: [K] epoch seconds of the last answer on it; -inf for never.
        mastered_before: [K] concepts that once passed the mastery threshold, forgotten or not.
        at: epoch seconds, now.
        policy_version: names rules and policy in the receipt.
        recent: the answers of the exposure window.
        rules: the settings.
        pinned: item ids the teacher wants given next; each holds until answered.
        pinned_since: item id -> epoch seconds of the first answer that counts as having been given
            it (inf: none does, the caller unpins it); an item that is not named counts any.
        asked_again: the pinned items are a delayed probe of what was practised, not a wish.
        banned: item ids the teacher does not want given.
        set_aside: item ids that the learner has put off for this session.
        session_position: answers given in this session.
        session_limit: answers after which it ends.
        pilot_share: chance that an item of the pilot is tried out, if one may be; 0 to 0.5.
        opens_at, closes_at: the assignment's dates, epoch seconds.
        due_at: when the goal has to be known, epoch seconds (an exam); None: `closes_at`.
        study_minutes: minutes of practice to be expected until then; None: the rules' daily ones.
        minutes_left: minutes that this sitting still has.
        item_minutes: [N] expected minutes per item; None: the rules' for each.
        discrimination: [N] slopes of the items at the pinned calibration, over the common one;
            None: 1 each. What an answer tells goes by it; `prob` is the tracer's alone.
        memory: the tracer's forgetting and growth; None: read off the concepts' estimates.
        fact_stability: [K] days after which recall of a fact has sunk to 0.9, NaN where it is
            to be read off the recent answers; None: everywhere.
        attempts: [K] answers on a concept since it was begun, lost or released by the teacher,
            without mastery; None: read off `evidence_n` and the recent answers.
        released: [K] when a teacher last let the learner go on with a concept, epoch seconds, -inf
            for never: earlier answers no longer count to the caps of its items; None: never.
        quota_left: [K] how many more items of a concept the teacher wants given, -1 for any
            number; None: any number of all.
        exposure: how many comparable learners were given each item; None: unknown.
        barred_features: bits of `ItemBank.features` that this learner cannot be given.
        exploration: what random draws are allowed.
        placing: the learner is new here and may be placed by a few items from anywhere.
    """

    bank: ItemBank
    goal: BoolArray
    logit_mean: FloatArray
    logit_var: FloatArray
    prob: FloatArray
    expected_gain: FloatArray
    concept_prob: FloatArray
    concept_lower_prob: FloatArray
    evidence_n: IntArray
    concept_last_at: FloatArray
    mastered_before: BoolArray
    at: float
    policy_version: str
    recent: RecentAnswers = field(default_factory=no_recent_answers)
    rules: Rules = field(default_factory=Rules)
    pinned: frozenset[int] = frozenset()
    pinned_since: Mapping[int, float] = field(default_factory=dict)
    asked_again: bool = False
    banned: frozenset[int] = frozenset()
    set_aside: frozenset[int] = frozenset()
    session_position: int = 0
    session_limit: int | None = None
    pilot_share: float = 0.0
    opens_at: float | None = None
    closes_at: float | None = None
    due_at: float | None = None
    study_minutes: float | None = None
    minutes_left: float | None = None
    item_minutes: FloatArray | None = None
    discrimination: FloatArray | None = None
    memory: Memory | None = None
    fact_stability: FloatArray | None = None
    attempts: IntArray | None = None
    released: FloatArray | None = None
    quota_left: IntArray | None = None
    exposure: Exposure | None = None
    barred_features: int = 0
    exploration: Exploration = field(default_factory=Exploration)
    placing: bool = False

    def __post_init__(self) -> None:
        """Refuse arrays of the wrong length and numbers that are not numbers.

        Raises:
            InvalidSituation: names the field.
        """
        n_items, n_concepts = self.bank.n_items, self.bank.n_concepts
        for name in ("logit_mean", "logit_var", "expected_gain"):
            _require_finite(name, getattr(self, name), n_items)
        _require_finite("evidence_n", self.evidence_n, n_concepts)
        _require_probs("prob", self.prob, n_items)
        for name in ("concept_prob", "concept_lower_prob"):
            _require_probs(name, getattr(self, name), n_concepts)
        for name in ("goal", "mastered_before"):
            _require_flags(name, getattr(self, name), n_concepts)
        if not 0.0 <= self.pilot_share <= 0.5:
            raise InvalidSituation("pilot_share is outside 0 to 0.5.", field="pilot_share")
        if n_items and self.logit_var.min() < 0.0:
            raise InvalidSituation("logit_var is negative.", field="logit_var")
        self._require_times()
        self._require_optional()

    @property
    def deadline(self) -> float | None:
        """Return when the goal has to be known, epoch seconds, or None for no date."""
        return self.closes_at if self.due_at is None else self.due_at

    def _require_optional(self) -> None:
        n_items, n_concepts = self.bank.n_items, self.bank.n_concepts
        for name, require, size in (
            ("item_minutes", _require_positive, n_items),
            ("discrimination", _require_positive, n_items),
            ("attempts", _require_finite, n_concepts),
            ("quota_left", _require_finite, n_concepts),
            ("fact_stability", _require_length, n_concepts),
            ("released", _require_length, n_concepts),
        ):
            if getattr(self, name) is not None:
                require(name, getattr(self, name), size)
        if self.exposure is not None:
            _require_length("exposure.weight", self.exposure.weight, n_items)
        if self.memory is not None:
            for name in ("base", "level", "var", "practised"):
                _require_finite(f"memory.{name}", getattr(self.memory, name), n_concepts)

        for name in ("study_minutes", "minutes_left"):
            minutes = getattr(self, name)
            if minutes is not None and not math.isfinite(minutes):
                raise InvalidSituation(f"{name} = {minutes} is not finite.", field=name)

    def _require_times(self) -> None:
        _require_length("concept_last_at", self.concept_last_at, self.bank.n_concepts)
        if not (self.concept_last_at < math.inf).all():
            raise InvalidSituation(
                "concept_last_at is NaN or +inf; give -inf for a concept never practised.",
                field="concept_last_at",
            )
        for name in ("at", "opens_at", "closes_at", "due_at"):
            moment = getattr(self, name)
            if moment is not None and not math.isfinite(moment):
                raise InvalidSituation(f"{name} = {moment} is not a time.", field=name)


def _require_length(name: str, values: NDArray[np.generic], size: int) -> None:
    if values.shape != (size,):
        raise InvalidSituation(f"{name} has shape {values.shape}: give [{size}].", field=name)


def _require_finite(name: str, values: NDArray[np.generic], size: int) -> None:
    _require_length(name, values, size)
    finite = np.isfinite(values)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise InvalidSituation(
            f"{name}[{row}] = {values[row]} is not a finite number.", field=name, row=row
        )


def _require_positive(name: str, values: FloatArray, size: int) -> None:
    _require_finite(name, values, size)
    if size and values.min() <= 0.0:
        raise InvalidSituation(f"{name} has a number that is not > 0.", field=name)


def _require_probs(name: str, values: FloatArray, size: int) -> None:
    _require_finite(name, values, size)
    if size and not (values.min() >= 0.0 and values.max() <= 1.0):
        raise InvalidSituation(f"{name} is outside 0..1.", field=name)


def _require_flags(name: str, values: NDArray[np.generic], size: int) -> None:
    _require_length(name, values, size)
    if values.dtype != np.bool_:
        raise InvalidSituation(f"{name} has type {values.dtype}: give booleans.", field=name)
