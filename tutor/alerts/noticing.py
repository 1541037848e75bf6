"""Who needs their teacher, from what is known at a moment. Data in and data out.

Nothing is stored: an alert is there for as long as the log says so, and clears itself. Every alert
names what it is about, so that what somebody has acted on stays away until there is something new.
"""

from collections.abc import Callable, Iterator

from tutor.alerts import of_class, of_learner
from tutor.alerts.kinds import Kind
from tutor.alerts.past import Past
from tutor.alerts.reading import Looked
from tutor.alerts.seen import Alert, Seen
from tutor.alerts.thresholds import Thresholds

READERS: dict[Kind, Callable[[Seen], Iterator[Alert]]] = {
    Kind.HELP: of_learner.find_help,
    Kind.STUCK: of_learner.find_stuck,
    Kind.STREAK: of_learner.find_streak,
    Kind.IDEA: of_class.find_ideas,
    Kind.TOPIC: of_class.find_topics,
    Kind.UNTAUGHT: of_class.find_untaught,
    Kind.RISK: of_learner.find_risk,
    Kind.QUIET: of_learner.find_quiet,
    Kind.HINTS: of_learner.find_hints,
    Kind.GUESSING: of_learner.find_guessing,
    Kind.FADING: of_learner.find_fading,
}


def notice(*, looked: Looked, class_id: int, limits: Thresholds, past: Past) -> list[Alert]:
    """Return the alerts of a class, the most urgent first."""
    places = {pk: place for place, pk in enumerate(looked.masteries.learner_ids)}
    seen = Seen(looked, class_id, limits, past, places)
    found = [
        alert
        for kind, read in READERS.items()
        if kind.value not in limits.off
        for alert in read(seen)
        if not past.hides(kind, alert.learner_id, names=alert.names, at=looked.at)
    ]
    return sorted(found, key=lambda alert: alert.urgency)
