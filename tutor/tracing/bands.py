"""The bands that people see instead of decimals. One rule for every page, the API and exports."""

import enum
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.utils.translation import gettext_lazy


class Band(enum.StrEnum):
    """How far a learner is with a concept, in words."""

    NOT_ENOUGH_EVIDENCE = "not-enough-evidence"
    LEARNING = "learning"
    NEARLY_THERE = "nearly-there"
    MASTERED = "mastered"

    @property
    def label(self) -> str:
        """The words shown."""
        return str(LABELS[self])

    @property
    def rank(self) -> int:
        """0 for the lowest; a band of a higher rank says more."""
        return list(Band).index(self)


LABELS = {
    Band.NOT_ENOUGH_EVIDENCE: gettext_lazy("not enough evidence"),
    Band.LEARNING: gettext_lazy("learning"),
    Band.NEARLY_THERE: gettext_lazy("nearly there"),
    Band.MASTERED: gettext_lazy("mastered"),
}

# Fewer answers than this on a concept say nothing about it, whatever the model thinks.
MINIMUM_EVIDENCE = 2
# Probability of an unassisted correct answer on the concept's reference item.
NEARLY_PROB = 0.65
# The 5 % lower bound of that probability, so that a lucky start is not called mastery. The
# scheduler uses the same two numbers.
MASTERED_LOWER_PROB = 0.70
MASTERED_EVIDENCE = 4


# For how long what is shown does not fall after an unassisted right answer. Forgetting takes days.
FLOOR_LASTS_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Floor:
    """What is shown of a concept does not fall below `band`, from `since` (epoch seconds) on."""

    band: Band
    since: float

    def holds(self, at: float) -> bool:
        """Test whether the floor is in force; a clock that was set back changes nothing."""
        return at - self.since < FLOOR_LASTS_S


@dataclass(frozen=True, slots=True)
class Mastery:
    """What is known of one learner and one concept at one moment.

    Attributes:
        prob: probability of an unassisted correct answer on the concept's reference item, 0..1.
        lower_prob: 5 % quantile of that probability under the tracer's uncertainty, 0..1.
        evidence_n: answers on the concept that measured it: all but right ones after help.
        logit_mean: `prob`'s logit before the uncertainty is integrated out.
        logit_sd: its standard deviation.
        floor: the band that is shown at least: a right answer without help secured it.
        stated: whether a teacher says that the learner knows it, which is shown then; None where
            nobody says anything.
    """

    concept_id: int
    prob: float
    lower_prob: float
    evidence_n: int
    logit_mean: float
    logit_sd: float
    floor: Band = Band.NOT_ENOUGH_EVIDENCE
    stated: bool | None = None

    @property
    def band(self) -> Band:
        """The words for it: a teacher's, else the estimate's band."""
        return self.estimated_band if self.stated is None else band_stated(is_known=self.stated)

    @property
    def estimated_band(self) -> Band:
        """The estimate's band, held up where a right answer has secured it.

        Models do go down on right answers now and then (a deep one with its next prediction);
        nobody is to see that.
        """
        return max(self.modelled_band, self.floor, key=lambda band: band.rank)

    @property
    def is_set_by_teacher(self) -> bool:
        """Whether a teacher's word is shown, whatever the estimate is."""
        return self.stated is not None

    @property
    def modelled_band(self) -> Band:
        """The band of the estimate alone."""
        return band_of(prob=self.prob, lower_prob=self.lower_prob, evidence_n=self.evidence_n)

    @property
    def is_held(self) -> bool:
        """Whether the estimate alone would show less."""
        return self.estimated_band is not self.modelled_band


def band_stated(*, is_known: bool) -> Band:
    """Return the band that is shown where a teacher says that somebody knows something, or not."""
    return Band.MASTERED if is_known else Band.LEARNING


def band_of(*, prob: float, lower_prob: float, evidence_n: int) -> Band:
    """Return the band.

    >>> band_of(prob=0.9, lower_prob=0.8, evidence_n=6).label
    'mastered'
    >>> band_of(prob=0.9, lower_prob=0.8, evidence_n=1).label
    'not enough evidence'
    """
    if evidence_n < MINIMUM_EVIDENCE:
        return Band.NOT_ENOUGH_EVIDENCE
    if evidence_n >= MASTERED_EVIDENCE and lower_prob >= MASTERED_LOWER_PROB:
        return Band.MASTERED
    if prob >= NEARLY_PROB:
        return Band.NEARLY_THERE
    return Band.LEARNING


def ranks_of(
    *,
    prob: npt.NDArray[np.float64],
    lower_prob: npt.NDArray[np.float64],
    evidence_n: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Return the rank of `band_of` for arrays of one shape."""
    rank = np.where(prob >= NEARLY_PROB, Band.NEARLY_THERE.rank, Band.LEARNING.rank)
    is_mastered = (evidence_n >= MASTERED_EVIDENCE) & (lower_prob >= MASTERED_LOWER_PROB)
    rank = np.where(is_mastered, Band.MASTERED.rank, rank)
    return np.where(evidence_n < MINIMUM_EVIDENCE, Band.NOT_ENOUGH_EVIDENCE.rank, rank)


# Digits of a probability that the API tells. Whole percentages are made from these, so that
# whoever rounds what the API said gets what the pages and the exports say.
DIGITS = 4


def percent_of(prob: float) -> int:
    """Return a probability as the whole percentage that pages and exports show, halves upwards.

    >>> percent_of(0.734996), percent_of(0.725)
    (74, 73)
    """
    # In whole ten-thousandths: 100 * 0.285 is 28.499999999999996, which would be rounded down.
    return (round(round(prob, DIGITS) * 10**DIGITS) + 50) // 100
