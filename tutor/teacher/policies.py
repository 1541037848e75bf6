"""The policies that a teacher may choose from, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from tutor.scheduling.models import ClassScheduling


@dataclass(frozen=True, slots=True)
class Choice:
    """A policy as it is offered."""

    name: str
    label: str
    help: str


# Those that serve a class; the others of the scheduler are yardsticks for research.
CHOICES: Sequence[Choice] = (
    Choice(
        "automatic",
        "What teaches most per minute",
        "Weights set by hand at first; what was learnt from this course's answers as soon as "
        "enough of them are there and it has passed its checks.",
    ),
    Choice(
        "gain-softmax",
        "What teaches most per minute, weights set by hand",
        "The same without anything learnt from answers.",
    ),
    Choice(
        "zpdes",
        "Where success is rising",
        "Opens topics in your order and stays where answers get better (ZPDES).",
    ),
    Choice(
        "mastery-threshold",
        "One topic until it is mastered",
        "Your order of topics; the next one when the last is mastered.",
    ),
    Choice(
        "expert-order",
        "Your order",
        "A few questions of each topic in turn, the way the course lists them.",
    ),
)
LABELS = {choice.name: choice.label for choice in CHOICES}


def label_of(policy: str) -> str:
    """Return what a policy is called on the page; others by their own name."""
    return LABELS.get(policy, policy)


def describe_change(row: ClassScheduling, before: ClassScheduling | None) -> str:
    """Return what a change of the settings changed, in words."""
    before = before or ClassScheduling()
    said = []
    if row.policy != before.policy:
        said.append(f"questions chosen by “{label_of(row.policy)}”")
    if row.kill_switch != before.kill_switch:
        said.append("stopped: your order only" if row.kill_switch else "choosing switched on again")
    if row.explores != before.explores:
        said.append(f"random questions {'on' if row.explores else 'off'}")
    if row.probes != before.probes:
        said.append(f"delayed checks {'on' if row.probes else 'off'}")
    if row.places != before.places:
        said.append(f"newcomers {'placed first' if row.places else 'begin at the beginning'}")
    return "; ".join(said) or "nothing changed"
