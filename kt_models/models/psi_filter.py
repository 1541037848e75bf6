"""The psi-filter as a model to compare; the filter itself is in streaming and training."""

import datetime as dt

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from kt_models.checkpoints import FittedFilter
from kt_models.data.log import ResponseLog
from kt_models.models.plain import PlainModel
from kt_models.training import psi_filter


class PsiFilter(PlainModel):
    """The closed-form PSI-KT filter, fitted by prequential likelihood."""

    fitted: FittedFilter

    def __init__(self, *, seed: int = 0) -> None:
        """Create an unfitted model; `seed` draws the learners that its scalars are fitted on."""
        self.seed = seed

    @override
    def fit(self, log: ResponseLog) -> None:
        # The date is of no use here: a comparison does not keep the model.
        self.fitted = psi_filter.fit_filter(log, seed=self.seed, fitted_on=dt.date.min)

    @override
    def predict(self, log: ResponseLog) -> NDArray[np.float64]:
        return psi_filter.forecast(self.fitted, log).prob
