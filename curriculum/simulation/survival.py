"""Time to an event when some never see it: Kaplan-Meier, and its mean up to a horizon."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def restricted_means(
    time: FloatArray, event: npt.NDArray[np.bool_], weight: FloatArray, *, horizon: float
) -> FloatArray:
    """Return [B] the area under Kaplan-Meier's curve from 0 to the horizon, for B weightings.

    The restricted mean survival time: how long an event is waited for on average, waits longer
    than the horizon counting as the horizon. The curve stays where it is after the last event;
    cases censored at one time with an event leave after it.

    Args:
        time: [n] of the event or of censoring, 0 or more.
        event: [n] whether it was seen.
        weight: [B, n] how often each case counts, 0 or more; a bootstrap's counts.
        horizon: in the unit of `time`, positive.

    Raises:
        ValueError: no cases.
    """
    if not len(time):
        raise ValueError("No cases: there is nobody to wait for.")
    order = np.lexsort((~event, time))
    at = np.minimum(time[order], horizon)
    happened = event[order] & (time[order] <= horizon)
    counts = weight[:, order]
    moments, first = np.unique(at, return_index=True)
    at_risk = counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, first]
    events = np.add.reduceat(counts * happened, first, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        leaving = np.where(at_risk > 0.0, events / at_risk, 0.0)
    survival = np.cumprod(1.0 - leaving, axis=1)
    spans = np.diff(np.append(moments, horizon))
    return np.asarray(moments[0] + survival @ spans)
