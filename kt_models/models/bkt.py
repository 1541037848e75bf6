"""Bayesian knowledge tracing (Corbett & Anderson 1995): per concept, known or not, with EM.

An item of several concepts is an observation of each of them. Its probability is the mean of the
concepts' predictions on the logit scale: each concept's guess and slip were fitted on these very
answers, so each prediction is already that of the whole item, and a product would count what makes
the item hard once per concept.

With `items` each item has its own guess and slip for each of its concepts (KT-IDEM, Pardos &
Heffernan 2011), drawn to the concept's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.errors import ShapeMismatch
from kt_models.models.base import Fitting, States
from kt_models.models.folding import FoldingModel, require_shapes
from kt_models.settings import require_above_zero, require_at_least, require_share
from kt_models.training.bkt_em import Attempts, Rates, fit_rates
from kt_models.training.compiling import compiled

# Where the search for everybody's common rates begins.
COMMON = Rates(*(np.array([value]) for value in (0.5, 0.1, 0.05, 0.25, 0.1)))


@dataclass(frozen=True, slots=True)
class BktConfig:
    """What BKT decides beforehand.

    Attributes:
        items: whether guess and slip belong to the item (KT-IDEM) instead of the concept.
        forgets: whether what is known may be lost again, answer by answer.
        hold: pseudo-observations that draw a concept's rates to all concepts' common ones, and an
            item's to its concept's.
        largest: guess and slip at most; beyond 1/2 "known" would mean "worse".
        steps: of expectation maximisation, at most.
    """

    items: bool = False
    forgets: bool = False
    hold: float = 10.0
    largest: float = 0.5
    steps: int = 100

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            ImpossibleSetting: naming the setting.
        """
        require_above_zero(self, "hold", "largest")
        require_share(self, "largest")
        require_at_least(self, 1, "steps")


class Bkt(FoldingModel):
    """Bayesian knowledge tracing; a state holds known [B, K], P(known | the answers so far)."""

    name: ClassVar[str] = "bkt"
    config: BktConfig

    def __init__(self, config: BktConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or BktConfig())
        self.rates = COMMON
        # Codes item * K + concept of the emissions beyond the concepts' own, ascending.
        self.pairs = np.empty(0, dtype=np.int64)

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        concepts = len(train.concept_keys)
        self.pairs = np.empty(0, dtype=np.int64)
        attempts = _attempts(train, self._emissions(train), concepts)
        common = self._fitted(_as_one(attempts), _without_forgetting(COMMON, self.config.forgets))
        fitting.report(1, 3, {})
        self.rates = self._fitted(attempts, _repeated(common, concepts))
        fitting.report(2, 3, {})
        if self.config.items:
            self.pairs = np.unique(_codes(train)[train.concepts >= 0])
            owner = np.concatenate([np.arange(concepts), self.pairs % concepts])
            centre = Rates(
                initial=self.rates.initial,
                learn=self.rates.learn,
                forget=self.rates.forget,
                guess=self.rates.guess[owner],
                slip=self.rates.slip[owner],
            )
            attempts = _attempts(train, self._emissions(train), concepts)
            self.rates = self._fitted(attempts, centre)
        fitting.report(3, 3, {})

    def _fitted(self, attempts: Attempts, centre: Rates) -> Rates:
        rates, _ = fit_rates(
            attempts,
            centre=centre,
            hold=self.config.hold,
            largest=self.config.largest,
            steps=self.config.steps,
            tolerance=1e-6,
        )
        return rates

    @override
    def init(self, count: int) -> States:
        self.vocabulary  # noqa: B018 - raises where there is none
        return {"known": np.tile(self.rates.initial, (count, 1))}

    @override
    def _fold(self, log: ResponseLog, states: States, *, learning: bool) -> NDArray[np.float64]:
        prob = np.empty(len(log))
        rates, mean = self.rates, self.vocabulary.mean
        answers = _Answers(log.starts, log.concepts, self._emissions(log), log.correct)
        common = float(np.log(mean / (1.0 - mean)))
        table = _Rates(rates.learn, rates.forget, rates.guess, rates.slip, common)
        _trace(answers, table, states["known"], prob, learning)
        return prob

    def _emissions(self, log: ResponseLog) -> NDArray[np.int64]:
        """Return [R, M] whose guess and slip hold; -1 where a concept is missing or new."""
        concepts, known = log.concepts, len(self.vocabulary.concept_keys)
        emission = np.where(concepts < known, concepts, -1)
        if len(self.pairs):
            codes = log.item[:, None] * known + concepts
            place = np.minimum(np.searchsorted(self.pairs, codes), len(self.pairs) - 1)
            own = (emission >= 0) & (self.pairs[place] == codes)
            emission = np.where(own, known + place, emission)
        return emission

    @override
    def arrays(self) -> dict[str, NDArray[Any]]:
        names = ("initial", "learn", "forget", "guess", "slip")
        return {name: getattr(self.rates, name) for name in names} | {"pairs": self.pairs}

    @override
    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        concepts, items = len(self.vocabulary.concept_keys), len(self.vocabulary.item_keys)
        # Without emissions of items there are no pairs.
        pairs = arrays["pairs"].size if self.config.items else 0
        rates = dict.fromkeys(("initial", "learn", "forget"), (concepts,))
        emissions = dict.fromkeys(("guess", "slip"), (concepts + pairs,))
        require_shapes(arrays, rates | emissions | {"pairs": (pairs,)})
        codes = arrays["pairs"]
        if pairs and not 0 <= codes.min() <= codes.max() < items * concepts:
            raise ShapeMismatch(f"pairs name more than {items} items of {concepts} concepts.")
        self.rates = Rates(**{name: arrays[name] for name in arrays if name != "pairs"})
        self.pairs = arrays["pairs"]


def _codes(log: ResponseLog) -> NDArray[np.int64]:
    return np.asarray(log.item[:, None] * len(log.concept_keys) + log.concepts)


def _attempts(log: ResponseLog, emissions: NDArray[np.int64], concepts: int) -> Attempts:
    """Return every learner's answers on every concept as a sequence of its own."""
    rows, columns = np.nonzero(log.concepts >= 0)
    owner = log.learner[rows] * concepts + log.concepts[rows, columns]
    # Stable: answers stay in the order of answering.
    order = np.argsort(owner, kind="stable")
    distinct, starts = np.unique(owner[order], return_index=True)
    return Attempts(
        starts=np.append(starts, len(owner)),
        concept=distinct % concepts,
        emission=emissions[rows, columns][order],
        correct=log.correct[rows][order],
    )


def _as_one(attempts: Attempts) -> Attempts:
    return Attempts(
        starts=attempts.starts,
        concept=np.zeros_like(attempts.concept),
        emission=np.zeros_like(attempts.emission),
        correct=attempts.correct,
    )


def _repeated(rates: Rates, size: int) -> Rates:
    fields = (rates.initial, rates.learn, rates.forget, rates.guess, rates.slip)
    return Rates(*(np.repeat(values, size) for values in fields))


def _without_forgetting(rates: Rates, forgets: bool) -> Rates:  # noqa: FBT001
    forget = rates.forget if forgets else np.zeros_like(rates.forget)
    return Rates(rates.initial, rates.learn, forget, rates.guess, rates.slip)


class _Answers(NamedTuple):
    """A log as compiled code reads it: concepts and emissions [R, M], -1 where there is none."""

    starts: NDArray[np.int64]
    concepts: NDArray[np.int64]
    emissions: NDArray[np.int64]
    correct: NDArray[np.float64]


class _Rates(NamedTuple):
    """The rates that a trace needs, and the logit of an item of which no concept is known."""

    learn: NDArray[np.float64]
    forget: NDArray[np.float64]
    guess: NDArray[np.float64]
    slip: NDArray[np.float64]
    common: float


@compiled
def _trace(answers: Any, rates: Any, known: Any, prob: Any, learning: Any) -> None:
    """Fill prob [R]; continue known [L, K] if learning."""
    for learner in range(len(answers.starts) - 1):
        for r in range(answers.starts[learner], answers.starts[learner + 1]):
            prob[r] = _predicted(r, answers, rates, known[learner])
            if learning:
                _take_in(r, answers, rates, known[learner])


@compiled
def _predicted(r: int, answers: Any, rates: Any, known: Any) -> float:
    summed, many = 0.0, 0
    for j in range(answers.concepts.shape[1]):
        e = answers.emissions[r, j]
        if e >= 0:
            p = known[answers.concepts[r, j]]
            right = p * (1.0 - rates.slip[e]) + (1.0 - p) * rates.guess[e]
            summed += np.log(right / (1.0 - right))
            many += 1
    logit = summed / many if many else rates.common
    return float(1.0 / (1.0 + np.exp(-logit)))


@compiled
def _take_in(r: int, answers: Any, rates: Any, known: Any) -> None:
    """Bayes' rule by the answer, then a chance to learn and to forget; known [K], in place."""
    y = answers.correct[r]
    for j in range(answers.concepts.shape[1]):
        e, k = answers.emissions[r, j], answers.concepts[r, j]
        if e >= 0:
            p, guess, slip = known[k], rates.guess[e], rates.slip[e]
            yes = p * (1.0 - slip) ** y * slip ** (1.0 - y)
            no = (1.0 - p) * guess**y * (1.0 - guess) ** (1.0 - y)
            p = yes / (yes + no)
            known[k] = p * (1.0 - rates.forget[k]) + (1.0 - p) * rates.learn[k]
