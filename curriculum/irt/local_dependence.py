"""Pairs of items that have more in common than ability explains (Yen's Q3, 1984)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from curriculum.irt.curves import probability
from curriculum.irt.likelihood import Posterior
from curriculum.irt.models import Fit
from curriculum.irt.population import ability_points
from curriculum.irt.responses import Responses

# Above the average of all pairs (Christensen, Makransky & Horton, 2017).
DEPENDENT_Q3 = 0.2
LEAST_PAIRS = 200
# Of so many pairs some are far out by chance.
SURE_Z = 4.0
MOST_ITEMS = 2_000


@dataclass(frozen=True, slots=True)
class DependentPair:
    """Two items whose residuals correlate: q3, above the average pair by `excess`; n learners."""

    first: str
    second: str
    n: int
    q3: float
    excess: float


def dependent_pairs(
    responses: Responses, fit: Fit, posterior: Posterior, *, least_pairs: int = LEAST_PAIRS
) -> list[DependentPair]:
    """Return the pairs with Q3 more than 0.2 above the average pair, the strongest first.

    A residual is the answer minus its chance at the learner's expected ability. Pairs with fewer
    than `least_pairs` learners are not judged, nor more than the 2,000 most answered items.

    Args:
        responses: what was fitted.
        fit: its outcome.
        posterior: of the learners under it.
        least_pairs: learners who answered both.
    """
    # The residual of an item all got right varies with ability only, as everybody's does.
    varied = np.flatnonzero((responses.right > 0) & (responses.right < responses.answered))
    most = np.argsort(-responses.answered[varied], kind="stable")[:MOST_ITEMS]
    chosen = np.sort(varied[most])
    n, q3 = q3_matrix(responses, fit, posterior, chosen)
    pairs = np.triu(n >= least_pairs, k=1) & np.isfinite(q3)
    if not pairs.any():
        return []
    excess = q3 - q3[pairs].mean()
    sure = np.arctanh(np.clip(excess, -0.999, 0.999)) * np.sqrt(np.maximum(n - 3.0, 0.0)) > SURE_Z
    found = np.argwhere(pairs & (excess > DEPENDENT_Q3) & sure)
    found = found[np.argsort(-excess[tuple(found.T)], kind="stable")]
    return [
        DependentPair(
            first=responses.items[chosen[i]],
            second=responses.items[chosen[j]],
            n=int(n[i, j]),
            q3=float(q3[i, j]),
            excess=float(excess[i, j]),
        )
        for i, j in found
    ]


def q3_matrix(
    responses: Responses, fit: Fit, posterior: Posterior, chosen: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return [C, C] learners and residual correlations of the chosen items; nan where undefined."""
    ability = posterior.weight @ ability_points()
    item, bank = responses.item, fit.bank
    residual = responses.correct - probability(
        ability[responses.learner],
        difficulty=bank.difficulty[item],
        discrimination=bank.discrimination[item],
        guessing=bank.guessing[item],
    )
    shape = (len(responses.learners), len(responses.items))

    def table(values: NDArray[np.float64]) -> csr_array:
        whole = csr_array((values, (responses.learner, item)), shape=shape)
        return csr_array(whole[:, chosen])

    there, values, squares = (table(x) for x in (np.ones(len(item)), residual, residual**2))
    n, own, both, square = (
        np.asarray((a.T @ b).todense())
        for a, b in ((there, there), (values, there), (values, values), (squares, there))
    )
    covariance = n * both - own * own.T
    spread = np.maximum(n * square - own**2, 0.0)
    scale = np.sqrt(spread * spread.T)
    return n, np.divide(covariance, scale, out=np.full(n.shape, np.nan), where=scale > 1e-12)
