"""The kinds of alerts, in the order in which they call for a teacher."""

from django.db import models


class Kind(models.TextChoices):
    """Why somebody needs their teacher; the first in this list is the most urgent."""

    HELP = "help", "asks for help"
    STUCK = "stuck", "stuck"
    STREAK = "streak", "many wrong in a row"
    IDEA = "idea", "the same wrong idea"
    TOPIC = "topic", "a topic goes wrong"
    UNTAUGHT = "untaught", "not learnt yet"
    RISK = "risk", "may miss a date"
    QUIET = "quiet", "gone quiet"
    HINTS = "hints", "clicks through hints"
    GUESSING = "guessing", "answers too fast"
    FADING = "fading", "falling back"

    @property
    def rank(self) -> int:
        """0 for the most urgent."""
        return list(Kind).index(self)


# Of the class and not of one learner.
OF_CLASS = frozenset({Kind.IDEA, Kind.TOPIC, Kind.UNTAUGHT})
# What goes on standing by itself: once somebody has acted it is left alone for some days. Of the
# others only what came after somebody acted counts.
STANDING = frozenset({Kind.STUCK, Kind.RISK, Kind.FADING})


class What(models.TextChoices):
    """What somebody did about it."""

    TALKED = "talked", "talked to them"
    NOTE = "note", "wrote a note"
    EXTENDED = "extended", "extended the date"
    EASIER = "easier", "set easier work"
    LET_GO_ON = "let-go-on", "let them go on"
    TAUGHT = "taught", "went through it with the class"
    OTHER = "other", "something else"
    SNOOZED = "snoozed", "put off"
    TAKEN_BACK = "taken-back", "taken back"


# What a form offers of a learner, and of the class; the rest is written where it is done.
OFFERED = (What.TALKED, What.NOTE, What.EXTENDED, What.EASIER, What.OTHER)
OFFERED_OF_CLASS = (What.TAUGHT, What.EASIER, What.OTHER)
