"""What every model offers: fitting, prequential prediction, a streaming twin, saving."""

import abc
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from kt_models.data.log import ResponseLog
from kt_models.data.splits import split_learners
from kt_models.data.vocabulary import NO_ITEM, Vocabulary
from kt_models.errors import ImpossibleAnswer, NotFitted, ShapeMismatch
from kt_models.evaluation.metrics import log_loss
from kt_models.training.recalibration import Recalibration, fit_recalibration

# Of the training learners; they decide when to stop, how to recalibrate and, where a model chooses
# among parts of itself (how sparse a graph, how to pool), that; and nothing else.
VALIDATION_SHARE = 0.1

States = dict[str, NDArray[Any]]
"""What is remembered of B learners: arrays of [B, ...], no larger after more answers."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far a fit has come.

    Attributes:
        done: steps done.
        total: steps planned; a fit that stops early does fewer.
        figures: what was measured at this step, for the run's curves.
    """

    done: int
    total: int
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fitting:
    """How to fit, as a command line or a job decides.

    Attributes:
        seed: of the split, the first weights and the order of batches.
        folder: where a fit keeps what it needs to go on after it was killed; None keeps nothing.
        progress: called after every step.
    """

    seed: int = 0
    folder: Path | None = None
    progress: Callable[[Step], object] | None = None

    def report(self, done: int, total: int, figures: Mapping[str, float]) -> None:
        """Tell whoever asked how far the fit is."""
        if self.progress is not None:
            self.progress(Step(done, total, figures))


class AbstractModel(abc.ABC):
    """A model of right and wrong, fitted on some learners and judged on others.

    `predict` is prequential: the probability of an answer may depend on that learner's earlier
    answers and on nothing later, and `advance` with `predict_all` gives the same answer by answer.

    Attributes:
        name: what the command line calls it.
        config: a frozen dataclass of everything that was decided before fitting.
        vocabulary: names known from the training log.
        recalibration: monotone map that is applied to what the model itself says.
        validation_log_loss: of what the model itself says, on the validation learners, nats; nan
            before a fit. What settings may be chosen by.
    """

    name: ClassVar[str]
    # Models that stop early have learnt when from the validation learners, so they cannot have them
    # back; the others are fitted once more with everybody.
    refits_on_all: ClassVar[bool] = True

    def __init__(self, config: Any) -> None:
        """Create an unfitted model."""
        self.config = config
        self._vocabulary: Vocabulary | None = None
        self.recalibration = Recalibration.none()
        self.validation_log_loss = math.nan

    @property
    def vocabulary(self) -> Vocabulary:
        """The names known from the training log.

        Raises:
            NotFitted: there has been no training yet.
        """
        if self._vocabulary is None:
            raise NotFitted(f"{self.name} is not fitted; call fit, or load a saved one.")
        return self._vocabulary

    @vocabulary.setter
    def vocabulary(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def fit(self, log: ResponseLog, fitting: Fitting = Fitting()) -> None:
        """Learn from the training learners' log.

        Raises:
            NothingToSplit: fewer than two learners, of whom none could be held out.
        """
        training, validation = split_learners(
            log, test_share=max(VALIDATION_SHARE, 1.0 / len(log.learner_keys)), seed=fitting.seed
        )
        train, held_out = log.only_learners(training), log.only_learners(validation)
        self.vocabulary = Vocabulary.of(train)
        self._fit(train, held_out, fitting)
        prob = self._predict_held_out(held_out)
        self.validation_log_loss = log_loss(held_out.correct, prob)
        self.recalibration = fit_recalibration(
            prob=prob, correct=held_out.correct, learner=held_out.learner
        )
        if self.refits_on_all:
            self.vocabulary = Vocabulary.of(log)
            self._fit(log, held_out, fitting)

    def predict(self, log: ResponseLog) -> NDArray[np.float64]:
        """Return [R] P(right) of every answer of a log, each before it is known."""
        if not len(log):
            return np.zeros(0)
        return self.recalibration(self._predict(self.vocabulary.align(log)))

    def advance(self, states: States, answers: ResponseLog) -> States:
        """Return the states of B learners after further answers, and leave those given alone.

        Args:
            states: of B learners.
            answers: a log of B learners, of whom learner l continues states l; none need answer.

        Raises:
            ShapeMismatch: there are not as many learners as states.
        """
        self._require_same_count(states, len(answers.learner_keys))
        return self._advance(states, self.vocabulary.align(answers))

    def predict_all(
        self,
        states: States,
        *,
        shown_at: NDArray[np.float64],
        items: NDArray[np.int64] | None = None,
        concepts: NDArray[np.int64] | None = None,
    ) -> NDArray[np.float64]:
        """Return [B, N] P(right) of B learners on N items, or on N concepts' reference items.

        Args:
            states: of B learners.
            shown_at: [B] epoch seconds when the items would be shown.
            items: [N] indices of the vocabulary.
            concepts: [N] indices of the vocabulary, instead.

        Raises:
            ShapeMismatch: there are not as many times as states.
            UnknownName: an index is out of range, or nothing is known of a concept.
        """
        chosen = self.vocabulary.items_for(items=items, concepts=concepts)
        learners = len(shown_at)
        asked = self.vocabulary.questions(chosen, learners=learners, shown_at=shown_at)
        return self.ask(states, asked).reshape(learners, len(chosen))

    def predict_each(
        self, states: States, *, items: NDArray[np.int64], shown_at: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return [B, M] P(right) of B learners, each on items of their own; nan in padding.

        Args:
            states: of B learners.
            items: [B, M] indices of the vocabulary, -1 where a learner has fewer than M.
            shown_at: [B] epoch seconds when the items would be shown.

        Raises:
            ShapeMismatch: there are not as many rows of items and times as states.
            UnknownName: an index is out of range.
        """
        if items.ndim != 2 or len(items) != len(shown_at):
            shapes = f"{items.shape} and {np.shape(shown_at)}"
            raise ShapeMismatch(f"items and shown_at are {shapes}: give [B, M] and [B].")
        found = np.full(items.shape, np.nan)
        asked = self.vocabulary.own_questions(items, shown_at=shown_at)
        found[items != NO_ITEM] = self.ask(states, asked)
        return found

    def ask(self, states: States, questions: ResponseLog) -> NDArray[np.float64]:
        """Return [Q] P(right) of questions, each as if it alone came next.

        Args:
            states: of B learners.
            questions: a log of B learners, of whom learner l is asked after states l; only items,
                concepts and `shown_at` are looked at.

        Raises:
            ShapeMismatch: there are not as many learners as states.
        """
        self._require_same_count(states, len(questions.learner_keys))
        if not len(questions):
            return np.zeros(0)
        return self.recalibration(self._ask(states, self.vocabulary.align(questions)))

    def update(
        self,
        state: States,
        *,
        item: int,
        correct: float,
        shown_at: float = 0.0,
        answered_at: float = 0.0,
        assisted: bool = False,
    ) -> States:
        """Return one learner's state after one answer; `advance` for B = 1.

        Raises:
            ImpossibleAnswer: `correct` is outside 0..1.
        """
        if not 0.0 <= correct <= 1.0:
            raise ImpossibleAnswer(f"correct = {correct}: must be from 0 (wrong) to 1 (right).")
        answers = self.vocabulary.answers(
            item=np.array([item]),
            starts=np.array([0, 1]),
            correct=np.array([correct], dtype=float),
            shown_at=np.array([shown_at], dtype=float),
            answered_at=np.array([answered_at], dtype=float),
            assisted=np.array([assisted]),
        )
        return self.advance(state, answers)

    def pack(self, states: States) -> list[bytes]:
        """Return the B states as bytes, as many for every learner and after any answers."""
        names = sorted(self.init(1))
        count = len(states[names[0]])
        columns = [np.ascontiguousarray(states[name]).reshape(count, -1) for name in names]
        rows = np.concatenate([column.view(np.uint8) for column in columns], axis=1)
        return [row.tobytes() for row in rows]

    def unpack(self, packed: Sequence[bytes]) -> States:
        """Return the states that `pack` wrote.

        Raises:
            ShapeMismatch: some bytes are not a state of this model.
        """
        layout = self.init(1)
        size = sum(array.nbytes for array in layout.values())
        strange = [len(data) for data in packed if len(data) != size]
        if strange:
            raise ShapeMismatch(f"A state of {self.name} has {size} bytes, not {strange[0]}.")
        rows = np.frombuffer(b"".join(packed), dtype=np.uint8).reshape(len(packed), size)
        states: States = {}
        place = 0
        for name in sorted(layout):
            one = layout[name]
            own = np.ascontiguousarray(rows[:, place : place + one.nbytes])
            states[name] = own.view(one.dtype).reshape(len(packed), *one.shape[1:]).copy()
            place += one.nbytes
        return states

    def _require_same_count(self, states: States, count: int) -> None:
        held = len(next(iter(states.values())))
        if held != count:
            raise ShapeMismatch(f"{held} states and {count} learners: give as many.")

    @abc.abstractmethod
    def init(self, count: int) -> States:
        """Return the states of `count` learners who have not answered yet."""

    @abc.abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that was learnt, by name."""

    @abc.abstractmethod
    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take what `arrays` gave, the vocabulary being set already."""

    @abc.abstractmethod
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        """Learn from `train`; `held_out` may decide when to stop."""

    def _predict_held_out(self, held_out: ResponseLog) -> NDArray[np.float64]:
        """Return [R] of `_predict`, to judge and to recalibrate by; honest of these learners."""
        return self._predict(held_out)

    @abc.abstractmethod
    def _predict(self, log: ResponseLog) -> NDArray[np.float64]:
        """Return [R] predictions of an aligned log, not recalibrated."""

    @abc.abstractmethod
    def _advance(self, states: States, answers: ResponseLog) -> States: ...

    @abc.abstractmethod
    def _ask(self, states: States, questions: ResponseLog) -> NDArray[np.float64]:
        """Return [Q] what `ask` does of an aligned log, not recalibrated."""
