"""The psi-filter as a model to compare; the filter itself is in streaming and training."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kt_models.data.log import ResponseLog
from kt_models.models.base import AbstractModel, Fitting, States
from kt_models.models.folding import offsets_of_answers, require_shapes
from kt_models.streaming import psi_filter as streaming
from kt_models.streaming.psi_parameters import FilterParameters
from kt_models.streaming.psi_state import COLUMNS, FilterState
from kt_models.training import psi_filter as training
from kt_models.training import psi_fold


@dataclass(frozen=True, slots=True)
class PsiFilterConfig:
    """The filter decides nothing beforehand: all its scalars are fitted."""


class PsiFilter(AbstractModel):
    """The closed-form PSI-KT filter, fitted by prequential likelihood.

    A state holds ability [B, 4] (mean, variance, epoch second of the last answer, answers) and
    concepts [B, K, 6], whose columns are those of `FilterState.values`.
    """

    name: ClassVar[str] = "psi-filter"
    config: PsiFilterConfig

    def __init__(self, config: PsiFilterConfig | None = None) -> None:
        """Create an unfitted model."""
        super().__init__(config or PsiFilterConfig())
        self.parameters = FilterParameters()
        self.item = np.empty(0)
        self.concept = np.empty(0)
        self.intercept = 0.0

    @override
    def _fit(self, train: ResponseLog, held_out: ResponseLog, fitting: Fitting) -> None:
        done = 0

        def progress(hundredths: int) -> None:
            nonlocal done
            done += hundredths
            fitting.report(done, 100, {})

        # The date is of no use here: the provenance of a saved model is its own.
        fitted = training.fit_filter(
            train, seed=fitting.seed, fitted_on=dt.date.min, progress=progress
        )
        self.parameters, self.intercept = fitted.parameters, fitted.intercept
        self.item = np.array([fitted.item_offsets.get(key, np.nan) for key in train.item_keys])
        self.concept = np.array([fitted.concept_offsets[key] for key in train.concept_keys])

    @override
    def _predict(self, log: ResponseLog) -> NDArray[np.float64]:
        return psi_fold.forecast_log(log, self.parameters, offsets=self._offsets(log)).prob

    @override
    def init(self, count: int) -> States:
        concepts = np.zeros((count, len(self.vocabulary.concept_keys), COLUMNS))
        concepts[:, :, 1], concepts[:, :, 2] = self.parameters.concept_prior_var, -math.inf
        ability = np.zeros((count, 4))
        prior = (self.parameters.ability_prior_mean, self.parameters.ability_prior_var)
        ability[:] = (*prior, -math.inf, 0.0)
        return {"ability": ability, "concepts": concepts}

    @override
    def _advance(self, states: States, answers: ResponseLog) -> States:
        known = states["concepts"].shape[1]
        # Concepts never met in training have no place in a state; they are forgotten again.
        new = len(answers.concept_keys) - known
        blank = self.init(1)["concepts"][:, :1]
        rows = np.concatenate(
            [states["concepts"], blank.repeat(new, 1).repeat(len(states["ability"]), 0)], 1
        )
        ability = states["ability"].copy()
        psi_fold.continue_tables(
            answers, self.parameters, offsets=self._offsets(answers), ability=ability, rows=rows
        )
        return {"ability": ability, "concepts": rows[:, :known].copy()}

    @override
    def _ask(self, states: States, questions: ResponseLog) -> NDArray[np.float64]:
        offsets, concepts = self._offsets(questions), questions.concepts
        learner, at = questions.learner, questions.shown_at
        # One pass per learner and moment.
        new = np.flatnonzero((np.diff(learner) != 0) | (np.diff(at) != 0.0)) + 1
        prob = np.empty(len(questions))
        for rows in np.split(np.arange(len(questions)), new):
            who = learner[rows[0]]
            known = _state_of(states["ability"][who], states["concepts"][who])
            prob[rows] = streaming.predict(
                known,
                self.parameters,
                concepts=concepts[rows],
                item_offsets=offsets[rows],
                at=float(at[rows[0]]),
            ).prob
        return prob

    def _offsets(self, log: ResponseLog) -> NDArray[np.float64]:
        return offsets_of_answers(log, item=self.item, concept=self.concept, unknown=self.intercept)

    @override
    def arrays(self) -> dict[str, NDArray[Any]]:
        scalars = {f"parameters.{k}": np.array([v]) for k, v in self.parameters.to_dict().items()}
        offsets = {"intercept": np.array([self.intercept]), "item": self.item}
        return scalars | offsets | {"concept": self.concept}

    @override
    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        scalars = {
            name.removeprefix("parameters."): float(value[0])
            for name, value in arrays.items()
            if name.startswith("parameters.")
        }
        parameters = FilterParameters.from_dict(scalars)
        shapes: dict[str, tuple[int, ...]] = {f"parameters.{name}": (1,) for name in scalars}
        shapes |= {
            "intercept": (1,),
            "item": (len(self.vocabulary.item_keys),),
            "concept": (len(self.vocabulary.concept_keys),),
        }
        require_shapes(arrays, shapes)
        self.parameters = parameters
        self.intercept = float(arrays["intercept"][0])
        self.item, self.concept = arrays["item"], arrays["concept"]


def _state_of(ability: NDArray[np.float64], concepts: NDArray[np.float64]) -> FilterState:
    touched = np.flatnonzero(concepts[:, 3] > 0.0)
    mean, var, last_at, answers = ability.tolist()
    return FilterState(mean, var, last_at, int(answers), touched, concepts[touched])
