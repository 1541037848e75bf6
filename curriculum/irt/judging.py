"""From the figures of a fit to flags on items and gates of the run."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from curriculum.irt.dif import EtsClass
from curriculum.irt.drift import LinkReport
from curriculum.irt.group_comparison import GroupComparison
from curriculum.irt.item_fit import ItemFit
from curriculum.irt.local_dependence import DependentPair
from curriculum.irt.models import Fit
from curriculum.irt.responses import Census, Responses
from curriculum.irt.run import (
    ACCUSING_ANSWERS,
    OPERATIONAL_ANSWERS,
    OPERATIONAL_SE,
    Flag,
    Gate,
    ItemFigures,
)
from curriculum.irt.s_x2 import SX2
from curriculum.irt.standard_errors import StandardErrors

MEAN_SQUARES = (0.7, 1.3)
# One item in a thousand that fits is told to misfit.
MISFIT_P = 0.001
LEAST_AGREEMENT = 0.995
# The other engine starts where the first one ended: what it still moves had not converged.
# In standard errors of the difficulty.
MOST_GAP = 0.25
MOST_MISFIT = 0.05
# That many right answers or fewer are that rare among guesses.
BELOW_CHANCE_P = 0.01
# Share of the answers that no learner connects with the others: such items stand aside, and with
# more of them the population is two.
MOST_APART = 0.05
# Of the population by two ways: fixed anchors, and a line through both scales.
MOST_LINK_GAP = 0.1
# Judged by correlation, the two engines need some items.
_LEAST_COMPARED = 3


def figures_of(  # noqa: PLR0913 - one argument per question that was asked
    *,
    responses: Responses,
    census: Census,
    fit: Fit,
    errors: StandardErrors,
    item_fit: ItemFit,
    s_x2: SX2,
    blocks: NDArray[np.int64],
    anchored: NDArray[np.bool_],
    link: LinkReport | None,
    pairs: list[DependentPair],
    groups: GroupComparison | None,
) -> tuple[ItemFigures, ...]:
    """Return the figures and flags of every item."""
    answered, right = responses.answered, responses.right
    dependent = {name for pair in pairs for name in (pair.first, pair.second)}
    unfair = _unfair(groups)
    drifted = {anchor.item for anchor in link.anchors if anchor.dropped} if link else set()
    figures = []
    for k, name in enumerate(responses.items):
        n, se, p = int(answered[k]), float(errors.difficulty[k]), float(s_x2.p[k])
        share = float(right[k] / n) if n else np.nan
        conditions = {
            Flag.UNSEEN: n == 0,
            Flag.ALL_RIGHT: n > 0 and right[k] == n,
            Flag.ALL_WRONG: n > 0 and right[k] == 0,
            Flag.THIN: 0 < n < OPERATIONAL_ANSWERS,
            Flag.IMPRECISE: se >= OPERATIONAL_SE,
            Flag.NEGATIVE: n >= ACCUSING_ANSWERS and item_fit.item_rest_high[k] < 0.0,
            Flag.BELOW_CHANCE: n >= ACCUSING_ANSWERS
            and binom.cdf(right[k], n, fit.bank.guessing[k]) < BELOW_CHANCE_P,
            Flag.DISCONNECTED: blocks[k] > 0,
            Flag.MISFIT: n >= OPERATIONAL_ANSWERS
            and 0 < right[k] < n
            and (p < MISFIT_P or _outside(item_fit.infit[k]) or _outside(item_fit.outfit[k])),
            Flag.DEPENDENT: name in dependent,
            Flag.DIF: name in unfair,
            Flag.DRIFTED: name in drifted,
        }
        figures.append(
            ItemFigures(
                item=name,
                n=n,
                seen=census.seen[k],
                correct=share,
                difficulty=float(fit.bank.difficulty[k]) if n else np.nan,
                difficulty_se=se,
                discrimination=float(fit.bank.discrimination[k]) if n else np.nan,
                discrimination_se=float(errors.discrimination[k]),
                guessing=float(fit.bank.guessing[k]),
                infit=float(item_fit.infit[k]),
                outfit=float(item_fit.outfit[k]),
                item_rest=float(item_fit.item_rest[k]),
                s_x2=float(s_x2.statistic[k]),
                s_x2_df=int(s_x2.degrees[k]),
                s_x2_p=p,
                block=int(blocks[k]),
                anchor=bool(anchored[k]),
                flags=tuple(flag for flag, holds in conditions.items() if holds),
            )
        )
    return tuple(figures)


def _outside(mean_square: float) -> bool:
    low, high = MEAN_SQUARES
    return bool(mean_square < low or mean_square > high)


def _unfair(groups: GroupComparison | None) -> set[str]:
    if groups is None:
        return set()
    return {
        one.item
        for one in groups.items
        if one.mantel_haenszel and one.mantel_haenszel.ets is EtsClass.LARGE
    }


def gates_of(
    responses: Responses,
    items: tuple[ItemFigures, ...],
    *,
    fit: Fit,
    twin: Fit,
    link: LinkReport | None,
) -> tuple[Gate, ...]:
    """Return the conditions that a run should meet, each with what was found."""
    seen = responses.answered > 0
    judged = [one for one in items if one.n >= OPERATIONAL_ANSWERS]
    misfits = sum(Flag.MISFIT in one.flags for one in judged)
    apart = sum(one.n for one in items if Flag.DISCONNECTED in one.flags)
    misfit = misfits / len(judged) if judged else 0.0
    agreement = _agreement(fit.bank.difficulty[seen], twin.bank.difficulty[seen])
    apart_by = np.abs(fit.bank.difficulty - twin.bank.difficulty)
    gap = max(
        (float(x) / one.difficulty_se for x, one in zip(apart_by, items, strict=True) if one.free),
        default=0.0,
    )
    gates = [
        _at_least("agreement-of-engines", agreement, LEAST_AGREEMENT),
        _at_most("share-of-misfits", misfit, MOST_MISFIT),
        _at_most("disconnected-answers", apart / max(len(responses), 1), MOST_APART),
        _at_most("gap-of-engines", gap, MOST_GAP),
        _at_least("converged", float(bool(fit.converged or twin.converged)), 1.0),
    ]
    if link is not None:
        gap = max(
            abs(fit.population.sd - link.link.slope),
            abs(fit.population.mean - link.link.intercept),
        )
        gates += [
            _at_most("link-gap", gap, MOST_LINK_GAP),
            # Learners do become abler: asked about, and no reason to keep old figures.
            Gate("scale-moved", float(link.alarm), 0.0, passed=not link.alarm, blocks=False),
        ]
    return tuple(gates)


def _agreement(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    """Return the correlation; of too few or equal values, whether they are the same."""
    if len(ours) < _LEAST_COMPARED or ours.std() < 1e-6 or theirs.std() < 1e-6:
        return float(np.allclose(ours, theirs, atol=0.05))
    return float(np.corrcoef(ours, theirs)[0, 1])


def _at_least(name: str, value: float, bound: float) -> Gate:
    return Gate(name=name, value=value, bound=bound, passed=value >= bound)


def _at_most(name: str, value: float, bound: float) -> Gate:
    return Gate(name=name, value=value, bound=bound, passed=value <= bound)
