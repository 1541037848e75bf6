"""Models that are networks: fitting, predicting and streaming on top of a `Network`."""

import abc
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.data.vocabulary import Vocabulary
from kt_models.models.base import AbstractModel, Fitting, States
from kt_models.training import trainer
from kt_models.training.networks import Network
from kt_models.training.sequences import Sequences, encode, encode_questions
from kt_models.training.trainer import History
from kt_models.training.training_config import TrainingConfig

# Questions of one pass. A question meets every answer that is remembered, in tables that are worked
# on many times over: on a CPU they are to stay in its cache, on a GPU it is to be filled.
QUESTIONS = {"cpu": 2048, "cuda": 131_072}


class NetworkConfig(Protocol):
    """What the configuration of every network has; it is a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def training(self) -> TrainingConfig:
        """How it is trained."""


class NetworkModel(AbstractModel):
    """A network with its vocabulary; a subclass says which network.

    The stored state of a learner is the network's own plus when the last answer was given and how
    many there were.
    """

    refits_on_all: ClassVar[bool] = False
    config: NetworkConfig

    def __init__(self, config: Any) -> None:
        """Create an unfitted model."""
        super().__init__(config)
        self.net: Network | None = None
        self.history = History()

    @abc.abstractmethod
    def build(self, vocabulary: Vocabulary) -> Network:
        """Return the network with its first weights."""

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        torch.manual_seed(fitting.seed)
        self.net = self.build(self.vocabulary)
        training = encode(train, self.vocabulary, in_training=True)
        self._learn(training, encode(held_out, self.vocabulary), fitting)

    def _learn(
        self,
        training: Sequences,
        judging: Sequences,
        fitting: Fitting,
        *,
        part: str | None = None,
        config: TrainingConfig | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Train the network as it stands.

        Args:
            training: answers to learn from.
            judging: answers of others, which decide when to stop.
            fitting: how the fit goes on.
            part: of a fit in several; it keeps its state in a folder of that name.
            config: how; the configuration's own if it is not given.
            settings: all else that decides how the part goes; the whole configuration if it is not
                given. A state kept under others is refused.
        """
        folder = fitting.folder
        self.history = trainer.train(
            self._net(),
            training=training,
            held_out=judging,
            config=config or self.config.training,
            seed=fitting.seed,
            settings=dataclasses.asdict(self.config) if settings is None else settings,
            folder=folder if folder is None or part is None else folder / part,
            report=fitting.report,
        )

    @override
    def _predict(self, log: ResponseLog) -> NDArray[np.float64]:
        return trainer.predicted(self._net(), encode(log, self.vocabulary))

    @override
    def init(self, count: int) -> States:
        with trainer.inference():
            own = _to_numpy(self._net().start(count))
        times = np.full(count, np.nan)
        return own | {"last_answered_at": times, "steps": np.zeros(count, dtype=np.int64)}

    @override
    def _advance(self, states: States, answers: ResponseLog) -> States:
        after = {name: array.copy() for name, array in states.items()}
        if not len(answers):
            return after
        encoded = encode(
            answers,
            self.vocabulary,
            last_answered_at=states["last_answered_at"],
            steps=states["steps"],
        )
        with trainer.inference():
            own = self._net().absorb(self._own(states), encoded.whole().to(trainer.device()))
        after |= _to_numpy(own)
        after["steps"] += np.diff(answers.starts)
        came = answers.starts[1:] > answers.starts[:-1]
        after["last_answered_at"][came] = answers.answered_at[answers.starts[1:][came] - 1]
        return after

    @override
    def _ask(self, states: States, questions: ResponseLog) -> NDArray[np.float64]:
        encoded = encode_questions(
            questions,
            self.vocabulary,
            last_answered_at=states["last_answered_at"],
            steps=states["steps"],
        )
        prob = np.empty(len(questions))
        with trainer.inference():
            for rows in _passes(np.diff(questions.starts)):
                spans = np.stack([questions.starts[rows], questions.starts[rows + 1]], axis=1)
                batch = encoded.batch(spans)
                own = self._own({name: array[rows] for name, array in states.items()})
                logits = self._net().ask(own, batch.to(trainer.device())).cpu()
                asked = torch.sigmoid(logits[batch.mask].double())
                prob[batch.row[batch.mask].numpy()] = asked.numpy()
        return prob

    def _own(self, states: States) -> dict[str, torch.Tensor]:
        names = set(states) - {"last_answered_at", "steps"}
        return {name: torch.from_numpy(states[name]).to(trainer.device()) for name in names}

    def _net(self) -> Network:
        self.vocabulary  # noqa: B018 - raises where there is none
        if self.net is None:
            self.net = self.build(self.vocabulary).to(trainer.device()).eval()
        return self.net

    @override
    def arrays(self) -> dict[str, NDArray[Any]]:
        weights = self._net().state_dict()
        return {name: value.detach().cpu().numpy() for name, value in weights.items()}

    @override
    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        net = self.build(self.vocabulary)
        net.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
        self.net = net.to(trainer.device()).eval()


def _to_numpy(state: Mapping[str, torch.Tensor]) -> States:
    return {name: value.detach().cpu().numpy().copy() for name, value in state.items()}


def _passes(counts: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Yield learners with questions, those with as many together, some questions at a time.

    Args:
        counts: [B] questions of each learner.
    """
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    most = QUESTIONS[trainer.device().type]
    while len(order):
        # The last of them has the most questions, and the others are padded to as many.
        many = max(1, most // int(counts[order[-1]]))
        yield order[-many:]
        order = order[:-many]
