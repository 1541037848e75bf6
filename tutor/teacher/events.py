"""What happened, as tables of changes tell it."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was done about learners, or that they reached."""

    at: dt.datetime
    what: str
    who: str = ""
    why: str = ""
