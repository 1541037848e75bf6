"""Item parameters by py-irt, with our own model class: the only module that imports it or Pyro.

Of py-irt come the trainer, its optimiser and its data set. The model is ours, for two reasons.

*Priors.* The stock ones crush the spread of difficulties (b ~ N(0, 0.1) under the name "vague") or
leave the scale free, so that it drifts with the number of epochs ("hierarchical").

*Ability is integrated out.* The stock guides give every learner a normal of its own, independent of
the items' parameters, which biases discrimination where learners answer few items: on LSAT 7 the
likelihood stays 0.7 below its maximum however long one trains. Here Pyro sees items and population
alone; what the learners' answers say about them is their marginal likelihood over a grid, whose
gradient is the expected counts (Fisher's identity). Nothing is sampled: the same data give the same
parameters, and they are the modes that marginal maximum likelihood with the same priors gives.
"""

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor

from curriculum.irt.errors import ImpossibleSetting, NothingToCalibrate
from curriculum.irt.likelihood import Posterior, design_of, expected_counts, posterior_on
from curriculum.irt.models import WEAK_PRIORS, Anchors, Fit, ItemModel, Priors
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import REFERENCE, Population, ability_points
from curriculum.irt.responses import Responses
from curriculum.irt.starting import Start, start_of

with warnings.catch_warnings():
    # Old spellings inside typer, Pyro's contrib package and py-irt's data set; nothing of ours.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module=r"typer(\.|$)")
    warnings.filterwarnings("ignore", message="pyro.contrib.autoguide has moved")
    warnings.filterwarnings("ignore", message="Support for class-based `config` is deprecated")
    import py_irt.anchor_utils
    import pyro
    import pyro.distributions as dist
    from py_irt.config import IrtConfig
    from py_irt.dataset import Dataset
    from py_irt.initializers import IrtInitializer, register
    from py_irt.models.abstract_model import IrtModel
    from py_irt.training import IrtModelTrainer
    from torch.distributions import constraints

# It says on every run that there are no anchors of its own kind.
py_irt.anchor_utils.console.quiet = True
# Pyro keeps parameters in one store per process.
_ONE_FIT_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how boldly to learn: Adam's rate starts at `rate` and falls by `decay`.

    Raises:
        ImpossibleSetting: no epoch, a rate not above 0, or a decay not in 0 to 1.
    """

    epochs: int
    rate: float
    decay: float

    def __post_init__(self) -> None:
        """Refuse what cannot be run."""
        if self.epochs < 1 or not self.rate > 0.0 or not 0.0 < self.decay <= 1.0:
            raise ImpossibleSetting(f"Epochs {self.epochs}, rate {self.rate}, decay {self.decay}.")


# Ends at a rate of 0.002, within 0.01 logits of the maximum.
COLD = Schedule(epochs=250, rate=0.1, decay=0.984)
# From the parameters of an earlier run, so near the end already. The rate falls slowly enough for
# the thinnest items to arrive too: of 200 whose log has grown by 40 %, the farthest ends within an
# eighth of its standard error of the maximum.
WARM = Schedule(epochs=50, rate=0.06, decay=0.95)


def fit_py_irt(
    responses: Responses,
    *,
    model: ItemModel = ItemModel.TWO,
    guessing: NDArray[np.float64] | None = None,
    priors: Priors = WEAK_PRIORS,
    anchors: Anchors | None = None,
    earlier: ItemParameters | None = None,
    schedule: Schedule | None = None,
) -> Fit:
    """Return the parameters of all I items; see `curriculum.irt.em.fit_em`, which takes the same.

    Args:
        responses: first attempts.
        model: 1PL, 2PL or 3PL.
        guessing: [I] chance of a right answer by guessing.
        priors: of difficulty and log discrimination; abilities ~ N(0, 1).
        anchors: items whose parameters stay; the population's mean and sd are then estimated.
        earlier: parameters of an earlier run to start from.
        schedule: by default `WARM` from an earlier run, else `COLD`.

    Raises:
        NothingToCalibrate: there is no response.
        ImpossibleParameters: see `start_of`.
    """
    if not len(responses):
        raise NothingToCalibrate("There is no response to calibrate from.")
    begin = start_of(responses, model=model, guessing=guessing, anchors=anchors, earlier=earlier)
    chosen = schedule or (COLD if earlier is None else WARM)
    build = _Builder(begin=begin, model=model, priors=priors, populated=anchors is not None)
    config = IrtConfig(
        model_type=build,
        epochs=chosen.epochs,
        lr=chosen.rate,
        lr_decay=chosen.decay,
        initializers=[{"name": _StartValues.NAME, "begin": begin, "one": model is ItemModel.ONE}],
        log_every=chosen.epochs,
    )
    # Making its parameters, Pyro draws from torch's generator, which is not ours to move.
    with _ONE_FIT_AT_A_TIME, torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        # The trainer calls the model once outside of inference, to make its parameters.
        warnings.filterwarnings("ignore", message="trying to observe a value outside of inference")
        trainer = IrtModelTrainer(
            data_path=None, config=config, dataset=_dataset(responses), verbose=False
        )
        try:
            trainer.train(device="cpu")
        finally:
            pyro.clear_param_store()
    found: dict[str, Any] = trainer.last_params
    bank, population = found["bank"], found["population"]
    posterior = posterior_on(design_of(responses), bank, population=population)
    return Fit(
        bank=bank,
        population=population,
        log_likelihood=float(posterior.log_marginal.sum()),
        iterations=chosen.epochs,
        converged=None,
    )


def _dataset(responses: Responses) -> Dataset:
    """Return the responses as py-irt keeps them; unchecked, because pydantic takes a minute."""
    items, learners = range(len(responses.items)), range(len(responses.learners))
    return Dataset.model_construct(
        item_ids=set(responses.items),
        subject_ids=set(responses.learners),
        item_id_to_ix={responses.items[k]: k for k in items},
        ix_to_item_id={k: responses.items[k] for k in items},
        subject_id_to_ix={responses.learners[k]: k for k in learners},
        ix_to_subject_id={k: responses.learners[k] for k in learners},
        observation_subjects=responses.learner.tolist(),
        observation_items=responses.item.tolist(),
        observations=responses.correct.tolist(),
        training_example=[True] * len(responses),
        anchor_items=None,
    )


@dataclass(frozen=True, slots=True)
class _Builder:
    """Makes the model when the trainer asks for it, with what the trainer does not know."""

    begin: Start
    model: ItemModel
    priors: Priors
    populated: bool

    def __call__(self, *, num_items: int, num_subjects: int, **_: Any) -> "_MarginalModel":
        return _MarginalModel(self, num_items=num_items, num_subjects=num_subjects)


class _MarginalModel(IrtModel):
    """Items with priors, their answers by the marginal likelihood; what is given is a constant."""

    def __init__(self, built: _Builder, *, num_items: int, num_subjects: int) -> None:
        super().__init__(num_items=num_items, num_subjects=num_subjects)
        self.built, bank = built, built.begin.bank
        self.points = torch.from_numpy(ability_points())
        self.place = torch.from_numpy(bank.difficulty)
        self.slope = torch.from_numpy(np.log(bank.discrimination))
        self.guessing = torch.from_numpy(bank.guessing)[:, None]
        self.free_place = torch.from_numpy(np.flatnonzero(built.begin.free_place))
        self.free_slope = torch.from_numpy(np.flatnonzero(built.begin.free_slope))
        # A 1PL has one slope for all, unless anchors say which.
        self.shared = built.model is ItemModel.ONE
        self.slopes = min(len(self.free_slope), 1) if self.shared else len(self.free_slope)
        self.design: csr_array | None = None

    def get_model(self) -> Callable[..., None]:
        return self.model

    def get_guide(self) -> Callable[..., None]:
        return self.guide

    def model(self, subjects: Tensor, items: Tensor, obs: Tensor) -> None:
        place, slope = self._drawn()
        z = slope.exp()[:, None] * (self.points - place[:, None])
        wrong = -torch.nn.functional.softplus(z)
        right = z + wrong
        if self.built.model is ItemModel.THREE:
            chance = self.guessing
            right = torch.log(chance + (1.0 - chance) * right.exp())
            wrong = wrong + torch.log1p(-chance)
        # Ours has all it needs in one sparse table, made from the trainer's tensors once.
        if self.design is None:
            self.design = _design(subjects, items, obs, num_items=self.num_items)
        total = _Marginal.apply(torch.cat([right, wrong]), self._log_weights(), self.design)
        pyro.factor("answers", total)

    def guide(self, subjects: Tensor, items: Tensor, obs: Tensor) -> None:  # noqa: ARG002
        if len(self.free_place):
            at = pyro.param("loc_diff", torch.zeros(len(self.free_place), dtype=torch.float64))
            pyro.sample("b", dist.Delta(at).to_event(1))
        if self.slopes:
            at = pyro.param("loc_slope", torch.zeros(self.slopes, dtype=torch.float64))
            pyro.sample("log_a", dist.Delta(at).to_event(1))

    def export(self) -> dict[str, Any]:
        """Return the bank and population that Pyro's store holds now."""
        store, bank = pyro.get_param_store(), self.built.begin.bank
        place, slope = self.place.numpy().copy(), self.slope.numpy().copy()
        if "loc_diff" in store:
            place[self.free_place.numpy()] = store["loc_diff"].detach().numpy()
        if "loc_slope" in store:
            rows = slice(None) if self.shared else self.free_slope.numpy()
            slope[rows] = store["loc_slope"].detach().numpy()
        population = REFERENCE
        if self.built.populated:
            mean, sd = (store[name].item() for name in ("population_mean", "population_sd"))
            population = Population(mean=mean, sd=sd)
        fitted = ItemParameters(
            items=bank.items,
            difficulty=place,
            discrimination=np.exp(slope),
            guessing=bank.guessing,
        )
        return {"bank": fitted, "population": population}

    def _drawn(self) -> tuple[Tensor, Tensor]:
        place, slope = self.place, self.slope
        if len(self.free_place):
            sd = self.built.priors.difficulty_sd
            drawn = pyro.sample("b", _normal(len(self.free_place), sd))
            place = place.index_put((self.free_place,), drawn)
        if self.slopes:
            sd = self.built.priors.log_discrimination_sd
            drawn = pyro.sample("log_a", _normal(self.slopes, sd))
            slope = drawn if not self.shared else drawn.expand(self.num_items)
            if not self.shared:
                slope = self.slope.index_put((self.free_slope,), drawn)
        return place, slope

    def _log_weights(self) -> Tensor:
        mean, sd = (torch.tensor(x, dtype=torch.float64) for x in (0.0, 1.0))
        if self.built.populated:
            mean = pyro.param("population_mean", mean)
            sd = pyro.param("population_sd", sd, constraint=constraints.positive)
        return torch.log_softmax(-0.5 * ((self.points - mean) / sd) ** 2, dim=0)


def _normal(count: int, sd: float) -> Any:
    return dist.Normal(torch.zeros(count, dtype=torch.float64), sd).to_event(1)


def _design(subjects: Tensor, items: Tensor, obs: Tensor, *, num_items: int) -> csr_array:
    rows = subjects.numpy()
    return design_of(
        Responses(
            learners=("",) * (int(rows[-1]) + 1),
            items=("",) * num_items,
            learner=rows,
            item=items.numpy(),
            correct=obs.numpy(),
        )
    )


class _Marginal(torch.autograd.Function):
    """The log marginal likelihood of all learners; its gradient is their expected counts."""

    @staticmethod
    def forward(ctx: Any, chances: Tensor, log_weights: Tensor, design: csr_array) -> Tensor:
        told = np.asarray(design @ chances.detach().numpy())
        ctx.design, ctx.posterior = design, Posterior.of(told, log_weights.detach().numpy())
        return torch.tensor(ctx.posterior.log_marginal.sum(), dtype=torch.float64)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        right, wrong = expected_counts(ctx.design, ctx.posterior)
        counts = torch.from_numpy(np.concatenate([right, wrong]))
        share = torch.from_numpy(ctx.posterior.weight.sum(axis=0))
        return gradients[0] * counts, gradients[0] * share, None


@register("curriculum-start")
class _StartValues(IrtInitializer):
    """Puts the free parameters where the start has them: an earlier run, or shares of right."""

    NAME = "curriculum-start"

    def __init__(self, dataset: Dataset, begin: Start, *, one: bool) -> None:
        super().__init__(dataset)
        self.begin, self.one = begin, one

    def initialize(self) -> None:
        store, bank = pyro.get_param_store(), self.begin.bank
        slope = np.log(bank.discrimination[self.begin.free_slope])
        values = {
            "loc_diff": bank.difficulty[self.begin.free_place],
            "loc_slope": slope[:1] if self.one else slope,
        }
        with torch.no_grad():
            for name, value in values.items():
                if name in store:
                    store[name].copy_(torch.from_numpy(value))
