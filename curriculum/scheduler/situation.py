"""Everything a decision depends on, apart from its seed."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curriculum.scheduler.bank import ItemBank
from curriculum.scheduler.errors import InvalidSituation
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
    """

    item_ids: IntArray
    at: FloatArray
    correct: FloatArray

    def __post_init__(self) -> None:
        """Refuse columns that do not belong together.

        Raises:
            InvalidSituation: lengths differ, times decrease, or a number is not finite.
        """
        if not (len(self.item_ids) == len(self.at) == len(self.correct)):
            raise InvalidSituation("The columns of the recent answers differ in length.")
        if not (np.isfinite(self.at).all() and np.isfinite(self.correct).all()):
            raise InvalidSituation("A recent answer has a time or credit that is not finite.")
        if (self.at[1:] < self.at[:-1]).any():
            raise InvalidSituation("The recent answers are not ordered by time.")


def no_recent_answers() -> RecentAnswers:
    """Return the recent answers of a learner who has none."""
    return RecentAnswers(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))


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
        banned: item ids the teacher does not want given.
        session_position: answers given in this session.
        session_limit: answers after which it ends.
        opens_at, closes_at: the assignment's dates, epoch seconds.
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
    banned: frozenset[int] = frozenset()
    session_position: int = 0
    session_limit: int | None = None
    opens_at: float | None = None
    closes_at: float | None = None

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
        if n_items and self.logit_var.min() < 0.0:
            raise InvalidSituation("logit_var is negative.", field="logit_var")
        self._require_times()

    def _require_times(self) -> None:
        _require_length("concept_last_at", self.concept_last_at, self.bank.n_concepts)
        if not (self.concept_last_at < math.inf).all():
            raise InvalidSituation(
                "concept_last_at is NaN or +inf; give -inf for a concept never practised.",
                field="concept_last_at",
            )
        for name in ("at", "opens_at", "closes_at"):
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


def _require_probs(name: str, values: FloatArray, size: int) -> None:
    _require_finite(name, values, size)
    if size and not (values.min() >= 0.0 and values.max() <= 1.0):
        raise InvalidSituation(f"{name} is outside 0..1.", field=name)


def _require_flags(name: str, values: NDArray[np.generic], size: int) -> None:
    _require_length(name, values, size)
    if values.dtype != np.bool_:
        raise InvalidSituation(f"{name} has type {values.dtype}: give booleans.", field=name)
