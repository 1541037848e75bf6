"""From when on a class's teachers are called: their numbers, the ranges, and what they mean."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When teachers of a class are called; without a row of the class these.

    Attributes:
        quiet_days: without an answer, while an assignment runs and classmates practise.
        wrong_in_a_row: first answers.
        risk_percent: forecasts that name a learner at risk call below this chance; 100: always.
        skimmed: of the last `reading.RECENT` answers, after hints that were clicked through.
        guessed: of the same, given within `fast_seconds`, at most half of them right.
        fast_seconds: sooner than this nobody has read the question.
        faded: awarded topics that are back at "learning".
        shared_percent: learners of the class, in percent, for whom the same goes wrong.
        rest_days: for how long what somebody has acted on, and still stands, is left alone.
        off: kinds that call nobody.
    """

    quiet_days: int = 5
    wrong_in_a_row: int = 5
    risk_percent: int = 100
    skimmed: int = 4
    guessed: int = 6
    fast_seconds: int = 3
    faded: int = 3
    shared_percent: int = 20
    rest_days: int = 5
    off: frozenset[str] = frozenset()


DEFAULTS = Thresholds()
# Two learners are no class, whatever percentage they are.
LEAST_SHARED = 3


@dataclass(frozen=True, slots=True)
class Bound:
    """A threshold as a form has it; `low` and `high` are both allowed."""

    name: str
    low: int
    high: int
    label: str
    unit: str
    help: str


BOUNDS = (
    Bound(
        "wrong_in_a_row",
        3,
        20,
        "Many wrong in a row",
        "first answers",
        "The newest first answers of the last 7 days.",
    ),
    Bound(
        "shared_percent",
        5,
        100,
        "The same goes wrong for many",
        "% of the class",
        "A wrong idea, a topic that mostly goes wrong, or one that learners say they have not "
        f"learnt yet. Never fewer than {LEAST_SHARED} learners.",
    ),
    Bound(
        "risk_percent",
        5,
        100,
        "May miss a date: only below a chance of",
        "%",
        "100: whoever the forecast names at risk.",
    ),
    Bound(
        "quiet_days",
        1,
        60,
        "Gone quiet after",
        "days",
        "Without an answer, while an assignment runs that is not mastered yet and a quarter of "
        "the class practises.",
    ),
    Bound(
        "skimmed",
        2,
        20,
        "Clicks through hints",
        "of the last 20 answers",
        "After two hints or more that were opened within 4 seconds each.",
    ),
    Bound(
        "guessed",
        3,
        20,
        "Answers too fast",
        "of the last 20 answers",
        "So many in less than the seconds below, at most half of them right.",
    ),
    Bound("fast_seconds", 1, 15, "Too fast is less than", "seconds", "From question to answer."),
    Bound(
        "faded",
        1,
        20,
        "Falling back",
        "topics",
        "That were awarded once and are back at “learning”.",
    ),
    Bound(
        "rest_days",
        1,
        30,
        "Left alone once somebody has acted",
        "days",
        "For what goes on standing, such as a date at risk. Anything new calls at once.",
    ),
)
NAMES = tuple(bound.name for bound in BOUNDS)
