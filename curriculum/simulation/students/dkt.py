"""Deep knowledge tracing as a learner: a network says how likely the next answer is right.

An LSTM (Piech et al. 2015; `kt_models.models.dkt`) trained on the answers of another simulator's
students, so that it copies neither its equations nor ours. Networks of equal accuracy disagree on
what practice would do, which is why there are several seeds of it (Doroudi et al. 2017, and the
measurements behind `docs/simulation.md`). Outcomes are drawn; the published KES simulators feed
the probability itself back, and so have no noise.

Training needs torch; a student steps the trained weights in numpy.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
import numpy.typing as npt

from curriculum.simulation.course import ItemTruth, SimulatedCourse, draw_item_truth
from curriculum.simulation.student import Kind, PacedStudent, Simulator, draw_pace
from curriculum.simulation.timetable import DAY_S, Timetable
from curriculum.simulation.tracer import TaughtLog, response_log, teach

if TYPE_CHECKING:
    from kt_models.models.dkt import Dkt

FloatArray = npt.NDArray[np.float64]

HIDDEN, WIDTH, EPOCHS = 24, 16, 12
TAUGHT_LEARNERS = 400
# Answers of somebody else's that a student begins with: without them all would be the same.
PRIMING = 12


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A trained network laid out over a course. N items, H hidden units, W the width.

    Attributes:
        question: [N, W] embeddings of the items.
        answer_gates: [4H, 2W + 4] input weights of the LSTM, in torch's order i, f, g, o.
        hidden_gates: [4H, H].
        gate_bias: [4H].
        read_hidden: [H, H] first layer of the read-out, from the hidden state.
        read_question: [N, H] the same layer's part that the item gives, bias included.
        read_gap: [H] its weight of the gap.
        last: [H] second layer.
        offset: [N] what is added to the logit of each item.
    """

    question: FloatArray
    answer_gates: FloatArray
    hidden_gates: FloatArray
    gate_bias: FloatArray
    read_hidden: FloatArray
    read_question: FloatArray
    read_gap: FloatArray
    last: FloatArray
    offset: FloatArray


@final
class DktStudent(PacedStudent):
    """The hidden state of a network, moved by the student's own answers."""

    def __init__(
        self, *, course: SimulatedCourse, truth: ItemTruth, pace: float, weights: Weights
    ) -> None:
        """Start before the first answer; of the truth only the answering times are used."""
        super().__init__(course=course, truth=truth, pace=pace)
        self.weights = weights
        size = len(weights.last)
        self.hidden = np.zeros(size)
        self.cell = np.zeros(size)
        self.at: float | None = None

    def success_probs(self, *, at: float) -> FloatArray:
        """Return what the network expects of every item."""
        w = self.weights
        gap = 0.0 if self.at is None else log_time(max(at - self.at, 0.0))
        met = np.maximum(w.read_question + w.read_hidden @ self.hidden + w.read_gap * gap, 0.0)
        return np.asarray(1.0 / (1.0 + np.exp(-(met @ w.last + w.offset))))

    def learn(self, item: int, *, correct: bool, at: float, rng: np.random.Generator) -> None:
        """Read the answer; its time is taken as the item's typical one."""
        del rng
        elapsed = float(np.exp(self.truth.log_seconds[item]))
        self.read(item, correct=correct, at=at, elapsed=elapsed)

    def read(self, item: int, *, correct: bool, at: float, elapsed: float) -> None:
        """Move the hidden state by an answer to an item shown at `at`."""
        w, question = self.weights, self.weights.question[item]
        right = float(correct)
        gap = 0.0 if self.at is None else log_time(max(at - self.at, 0.0))
        seen = np.concatenate(
            [question * right, question * (1.0 - right), [right, gap, log_time(elapsed), 0.0]]
        )
        gates = w.answer_gates @ seen + w.hidden_gates @ self.hidden + w.gate_bias
        enter, keep, new, out = gates.reshape(4, -1)
        self.cell = _sigmoid(keep) * self.cell + _sigmoid(enter) * np.tanh(new)
        self.hidden = _sigmoid(out) * np.tanh(self.cell)
        self.at = at + elapsed


def log_time(seconds: float) -> float:
    """Return log(1 + seconds) / 10, as the network reads times."""
    return float(np.log1p(seconds)) / 10.0


def _sigmoid(x: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-x)))


class DktPopulation:
    """Draws students: each begins with the first answers of one of the other simulator's."""

    def __init__(
        self, course: SimulatedCourse, truth: ItemTruth, *, weights: Weights, primers: TaughtLog
    ) -> None:
        """Keep the network, and the answers that students may begin with."""
        self.course, self.truth, self.weights = course, truth, weights
        self._rows: list[list[int]] = [[] for _ in range(max(primers.learner) + 1)]
        for row, learner in enumerate(primers.learner):
            if len(self._rows[learner]) < PRIMING:
                self._rows[learner].append(row)
        self._log = primers

    def __call__(self, start_at: float, rng: np.random.Generator) -> DktStudent:
        """Return a new student, whose first answers ended a day before."""
        student = DktStudent(
            course=self.course, truth=self.truth, pace=draw_pace(rng), weights=self.weights
        )
        log, rows = self._log, self._rows[int(rng.integers(len(self._rows)))]
        shift = start_at - DAY_S - log.answered_at[rows[-1]]
        for row in rows:
            student.read(
                log.item[row],
                correct=log.correct[row],
                at=log.shown_at[row] + shift,
                elapsed=log.answered_at[row] - log.shown_at[row],
            )
        return student


def make_dkt_simulators(
    teacher: Simulator, *, numbers: Sequence[int], seed: int, timetable: Timetable
) -> list[Simulator]:
    """Return networks trained on a simulator's students; they differ by first weights alone.

    Args:
        teacher: whose students they are trained on.
        numbers: of the networks; each is named `dkt-NUMBER`.
        seed: of the students and, with the number, of the weights.
        timetable: of the students' practice.
    """
    course = teacher.course
    log = teach(teacher, learners=TAUGHT_LEARNERS, seed=seed + 1, timetable=timetable)
    primers = teach(teacher, learners=100, seed=seed + 2, timetable=timetable)
    simulators = []
    for number in numbers:
        weights = train_weights(log, course, seed=1_000 * seed + number)
        truth = draw_item_truth(course, seed=seed * 1_000 + 500 + number)
        enrol = DktPopulation(course, truth, weights=weights, primers=primers)
        simulators.append(
            Simulator(name=f"dkt-{number}", kind=Kind.LEARNING, course=course, enrol=enrol)
        )
    return simulators


def train_weights(log: TaughtLog, course: SimulatedCourse, *, seed: int) -> Weights:
    """Return a network trained on a log, laid out over the course; loads torch."""
    from kt_models.models.base import Fitting  # noqa: PLC0415
    from kt_models.models.dkt import Dkt, DktConfig  # noqa: PLC0415
    from kt_models.training.training_config import TrainingConfig  # noqa: PLC0415

    training = TrainingConfig(epochs=EPOCHS, positions=2048, weight_decay=0.1, learning_rate=1e-2)
    model = Dkt(DktConfig(hidden=HIDDEN, width=WIDTH, dropout=0.1, training=training))
    model.fit(response_log([log], course), Fitting(seed=seed))
    return lay_out_network(model, course)


def lay_out_network(model: "Dkt", course: SimulatedCourse) -> Weights:
    """Return a fitted network's weights over a course whose items are named by their index."""
    from kt_models.training.sequences import encode  # noqa: PLC0415

    known = {key: place for place, key in enumerate(model.vocabulary.item_keys)}
    items = np.array([known[str(row)] for row in range(len(course.items))], dtype=np.int64)
    asked = model.vocabulary.questions(items, learners=1, shown_at=np.zeros(1))
    read = encode(asked, model.vocabulary)
    net = {name: array.astype(np.float64) for name, array in model.arrays().items()}
    many = np.maximum((read.concepts > 0).sum(axis=1, keepdims=True), 1)
    question = (
        net["question.concepts.weight"][read.concepts].sum(axis=1) / many
        + net["question.sets.weight"][read.concept_set]
        + net["question.items.weight"][read.item]
    )
    easiness = net["question.offsets.weight"][read.item, 0] + net["easiness"] * read.difficulty
    first, hidden = net["read_out.0.weight"], net["lstm.weight_hh_l0"].shape[1]
    return Weights(
        question=question,
        answer_gates=net["lstm.weight_ih_l0"],
        hidden_gates=net["lstm.weight_hh_l0"],
        gate_bias=net["lstm.bias_ih_l0"] + net["lstm.bias_hh_l0"],
        read_hidden=first[:, :hidden],
        read_question=question @ first[:, hidden:-1].T + net["read_out.0.bias"],
        read_gap=first[:, -1],
        last=net["read_out.2.weight"][0],
        offset=easiness + float(net["read_out.2.bias"][0]),
    )
