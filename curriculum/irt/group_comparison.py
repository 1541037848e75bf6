"""Which items work differently in one group of learners: every item, every group, both tests."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.dif import (
    LEAST_IN_GROUP,
    LogisticDif,
    MantelHaenszel,
    logistic_dif,
    mantel_haenszel,
)
from curriculum.irt.likelihood import Posterior
from curriculum.irt.population import ability_points
from curriculum.irt.responses import Responses

STRATA = 20


@dataclass(frozen=True, slots=True)
class ItemDif:
    """One item for one focal group against the reference group; None where a test cannot be made.

    Attributes:
        item: its name.
        focal: name of the focal group.
        n_focal: its answers to the item.
        n_reference: answers of the reference group.
        mantel_haenszel: matched in strata of ability.
        logistic: matched by ability itself.
    """

    item: str
    focal: str
    n_focal: int
    n_reference: int
    mantel_haenszel: MantelHaenszel | None
    logistic: LogisticDif | None


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """All items and groups that could be judged.

    Attributes:
        reference: the largest group, which the others are compared with; "" if there is none.
        sizes: learners by group, those without a group under "".
        items: comparisons with at least 200 answers on both sides, by item.
        too_small: pairs of item and group with fewer.
    """

    reference: str
    sizes: dict[str, int]
    items: tuple[ItemDif, ...]
    too_small: int


def compare_groups(
    responses: Responses, posterior: Posterior, groups: Mapping[str, str]
) -> GroupComparison:
    """Return what every item does in every group.

    Learners are matched by their expected ability from all their answers, the item's own among
    them, as for the total score of a test (Holland & Thayer, 1988); twenty strata of equal size.

    Args:
        responses: what was fitted.
        posterior: of the learners.
        groups: group by learner; learners that are missing, or in group "", are left out.
    """
    group = np.array([groups.get(name, "") for name in responses.learners], dtype=object)
    names, counts = np.unique(group.astype(str), return_counts=True)
    sizes = dict(zip(names.tolist(), counts.tolist(), strict=True))
    known = [name for name in sizes if name]
    reference = max(known, key=lambda name: (sizes[name], name), default="")
    ability = posterior.weight @ ability_points()
    stratum = _strata(ability)
    order = np.argsort(responses.item, kind="stable")
    bounds = np.searchsorted(responses.item[order], np.arange(len(responses.items) + 1))
    found, too_small = list[ItemDif](), 0
    for k, item in enumerate(responses.items):
        rows = order[bounds[k] : bounds[k + 1]]
        who = responses.learner[rows]
        for focal in known:
            if focal == reference:
                continue
            either = (group[who] == focal) | (group[who] == reference)
            n_focal = int((group[who] == focal).sum())
            n_reference = int(either.sum()) - n_focal
            if min(n_focal, n_reference) < LEAST_IN_GROUP:
                too_small += 1
                continue
            people, correct = who[either], responses.correct[rows][either]
            is_focal: NDArray[np.bool_] = group[people] == focal
            found.append(
                ItemDif(
                    item=item,
                    focal=focal,
                    n_focal=n_focal,
                    n_reference=n_reference,
                    mantel_haenszel=mantel_haenszel(
                        correct=correct, focal=is_focal, stratum=stratum[people]
                    ),
                    logistic=logistic_dif(correct=correct, focal=is_focal, ability=ability[people]),
                )
            )
    return GroupComparison(
        reference=reference, sizes=sizes, items=tuple(found), too_small=too_small
    )


def _strata(ability: NDArray[np.float64]) -> NDArray[np.int64]:
    cuts = np.quantile(ability, np.arange(1, STRATA) / STRATA)
    return np.searchsorted(cuts, ability, side="right")
