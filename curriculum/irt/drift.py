"""Which anchors have moved since they were calibrated, and whether the whole scale has.

The distances of the anchors from where the link puts them are compared with each other: the robust
z of Huynh & Meyer (2010) is (d - median) / (0.74 * interquartile range), which a few moved anchors
do not disturb. What lies beyond 2.7 is dropped and the link found anew.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curriculum.irt.linking import Link, LinkMethod, link_banks, require_enough
from curriculum.irt.parameters import ItemParameters
from curriculum.irt.population import REFERENCE, Population

DRIFTED_Z = 2.7
# An anchor that agrees this well has not drifted, however well the others agree: logits.
LEAST_SPREAD = 0.05
ALARM_SLOPE = 0.1
ALARM_INTERCEPT = 0.1


@dataclass(frozen=True, slots=True)
class AnchorDrift:
    """How far one anchor lies from where the link puts it.

    Attributes:
        item: its name.
        difficulty_moved: new minus old difficulty on the old scale, logits.
        log_discrimination_moved: likewise of the log discrimination.
        difficulty_z: robust z of the former.
        discrimination_z: robust z of the latter.
        dropped: whether the link goes without it.
    """

    item: str
    difficulty_moved: float
    log_discrimination_moved: float
    difficulty_z: float
    discrimination_z: float
    dropped: bool


@dataclass(frozen=True, slots=True)
class LinkReport:
    """The link of a new calibration to an old one, and what each anchor said.

    Attributes:
        link: by Stocking and Lord, without the dropped anchors.
        mean_sigma: by the plain method, for comparison.
        haebara: by the other curve method, for comparison.
        anchors: one per common item.
        alarm: whether the new learners differ so much from the old calibration's, of mean m and
            sd s on the old scale, (|A / s - 1| > 0.1 or |B - m| > 0.1) that somebody should be able
            to say why.
    """

    link: Link
    mean_sigma: Link
    haebara: Link
    anchors: tuple[AnchorDrift, ...]
    alarm: bool

    @property
    def kept(self) -> tuple[str, ...]:
        """Names of the anchors that stand where they stood."""
        return tuple(anchor.item for anchor in self.anchors if not anchor.dropped)


def link_and_test(
    new: ItemParameters, old: ItemParameters, *, bank: int, learners: Population = REFERENCE
) -> LinkReport:
    """Return the link from a free calibration to an old one, without the anchors that drifted.

    Args:
        new: parameters on the new calibration's own scale.
        old: the anchors' known parameters; common items are the candidates.
        bank: number of items of the bank, of which the anchors must be a fifth, or 20.
        learners: those of the old calibration, on its scale.

    Raises:
        TooFewAnchors: too few common items, or too few are left.
    """
    common = tuple(name for name in old.items if name in set(new.items))
    require_enough(len(common), bank=bank)
    kept = np.ones(len(common), dtype=bool)
    while True:
        names = [name for name, keep in zip(common, kept, strict=True) if keep]
        require_enough(len(names), bank=bank)
        link = link_banks(new, old.only(names))
        moved, slope_moved = _distances(new, old, common, link)
        z, slope_z = _robust_z(moved, kept), _robust_z(slope_moved, kept)
        drifted = kept & ((np.abs(z) > DRIFTED_Z) | (np.abs(slope_z) > DRIFTED_Z))
        if not drifted.any():
            break
        kept &= ~drifted
    columns = (moved.tolist(), slope_moved.tolist(), z.tolist(), slope_z.tolist(), (~kept).tolist())
    alarm = (
        abs(link.slope / learners.sd - 1.0) > ALARM_SLOPE
        or abs(link.intercept - learners.mean) > ALARM_INTERCEPT
    )
    return LinkReport(
        link=link,
        mean_sigma=link_banks(new, old.only(names), method=LinkMethod.MEAN_SIGMA),
        haebara=link_banks(new, old.only(names), method=LinkMethod.HAEBARA),
        anchors=tuple(AnchorDrift(*figures) for figures in zip(common, *columns, strict=True)),
        alarm=alarm,
    )


def _distances(
    new: ItemParameters, old: ItemParameters, common: tuple[str, ...], link: Link
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ours, theirs = link.apply(new.only(common)), old.only(common)
    by_slope = np.log(ours.discrimination / theirs.discrimination)
    return ours.difficulty - theirs.difficulty, by_slope


def _robust_z(moved: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    low, middle, high = np.percentile(moved[kept], [25, 50, 75])
    return np.asarray((moved - middle) / max(0.74 * (high - low), LEAST_SPREAD))
