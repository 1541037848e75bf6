"""Where a run moves an item in its life. Pure: status and figures in, status and reason out."""

from collections.abc import Collection
from dataclasses import dataclass

from tutor.content.models import Item

Status = Item.Status

OPERATIONAL_ANSWERS = 200
OPERATIONAL_SE = 0.35
# What somebody has to look at, with the words for it. Strings, because the web process reads this
# and must not load the calibration; a test holds them against `curriculum.irt.run.Flag`.
ALARMS = {
    "negative-discrimination": "abler learners do worse: is the key wrong?",
    "below-chance": "fewer right answers than by guessing",
    "all-right": "everybody got it right",
    "all-wrong": "nobody got it right",
    "drifted": "its difficulty has changed",
}
ACCUSING_ANSWERS = 30
# Alarms that fewer answers may raise by chance.
NEED_ANSWERS = {
    "all-right": OPERATIONAL_ANSWERS,
    "all-wrong": OPERATIONAL_ANSWERS,
    "negative-discrimination": ACCUSING_ANSWERS,
    "below-chance": ACCUSING_ANSWERS,
}


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run says of an item's current version: answers, standard error, flags."""

    n: int
    se: float | None
    flags: Collection[str]

    @property
    def alarms(self) -> list[str]:
        """Flags that somebody has to look at."""
        return [
            flag for flag in ALARMS if flag in self.flags and self.n >= NEED_ANSWERS.get(flag, 0)
        ]

    @property
    def is_known(self) -> bool:
        """Whether the item's difficulty is known well enough for use without doubt."""
        return (
            self.n >= OPERATIONAL_ANSWERS
            and self.se is not None
            and self.se < OPERATIONAL_SE
            and "disconnected" not in self.flags
        )


def next_status(status: str, figures: Figures, *, is_flagged_by_hand: bool) -> tuple[str, str]:
    """Return where a run moves an item, and why; ("", "") where it stays.

    Drafts and what a person has taken out or flagged stay with that person.
    """
    is_run_s = status in (Status.PILOT, *Item.IN_USE)
    if not is_run_s or (status == Status.FLAGGED and is_flagged_by_hand):
        return "", ""
    # What is tried out is not in use: it stays where it does no harm until it is known well.
    after, why = status, ""
    error = "unknown" if figures.se is None else f"{figures.se:.2f}"
    if figures.alarms:
        if status != Status.PILOT:
            after, why = Status.FLAGGED, "; ".join(ALARMS[flag] for flag in figures.alarms)
    elif figures.is_known:
        after, why = Status.OPERATIONAL, f"{figures.n} answers, standard error {error}"
    elif status in (Status.OPERATIONAL, Status.FLAGGED):
        after, why = Status.PROVISIONAL, f"only {figures.n} answers, standard error {error}"
    return ("", "") if after == status else (after, why)
