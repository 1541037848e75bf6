"""The columns of the file: what they are called, of which type they are, and what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.responses.exporting.choice import Choice, Times


@dataclass(frozen=True, slots=True)
class Column:
    """One column; `type` and `constraints` are those of a Table Schema."""

    name: str
    type: str
    description: str
    constraints: Mapping[str, Any] = field(default_factory=dict)


_LEARNER = Column(
    "learner",
    "string",
    "Pseudonym of who answered: L and 20 hexadecimal digits. Rows are ordered by it.",
    {"required": True, "pattern": "L[0-9a-f]{20}"},
)
_ITEM = Column(
    "item",
    "string",
    "The question's short name in the course. A question that was changed keeps it.",
    {"required": True},
)
_CORRECT = Column(
    "correct",
    "number",
    "1 right, 0 wrong, between them part credit; as corrected, where a judgement was corrected.",
    {"required": True, "minimum": 0, "maximum": 1},
)
_CONCEPTS = Column(
    "concepts",
    "string",
    "Short names of what the question exercised as it was then, the main one first, joined by |.",
)
_ANSWERED_AT = Column(
    "answered_at",
    "datetime",
    "When it was answered, UTC. Answers that came from a log without times stand a minute apart "
    "from 2000-01-01 on: of them, only the order is true.",
    {"required": True},
)
_SHIFTED = Column(
    "answered_at",
    "datetime",
    "When it was answered, UTC, moved back for each learner by a number of whole days of their "
    "own, 0 to 364. Times of one learner can be compared, of two learners they cannot.",
    {"required": True},
)
_ELAPSED = Column(
    "elapsed_ms", "integer", "Milliseconds from showing to answer, where known.", {"minimum": 0}
)
_HINTS = Column(
    "hints", "integer", "Hints seen before the answer.", {"required": True, "minimum": 0}
)
_ATTEMPT = Column(
    "attempt",
    "integer",
    "1 for the first answer to a showing of the question, 2 for another try after feedback.",
    {"required": True, "minimum": 1},
)
_IS_PILOT = Column(
    "is_pilot",
    "integer",
    "1 where the question was being tried out: the answer says how hard it is and does not count "
    "in the learner's mastery; else 0.",
    {"required": True, "minimum": 0, "maximum": 1},
)
_GROUP = Column(
    "group",
    "string",
    "Pseudonym of the learner's class: C and 20 hexadecimal digits; several are joined by |.",
)
_GROUP_NAMED = Column("group", "string", "Names of the learner's classes, joined by |.")
_ANSWER = Column(
    "answer",
    "string",
    "JSON: the answer as it was given, and what a log that it came from had in other columns.",
    {"required": True},
)


def columns_of(choice: Choice) -> tuple[Column, ...]:
    """Return the columns that the choice makes."""
    moments = {Times.EXACT: (_ANSWERED_AT,), Times.SHIFTED: (_SHIFTED,), Times.NONE: ()}
    columns = (_LEARNER, _ITEM, _CORRECT, _CONCEPTS, *moments[choice.times])
    columns += (_ELAPSED, _HINTS, _ATTEMPT, _IS_PILOT)
    if choice.has_group:
        columns += (_GROUP_NAMED if choice.has_class_names else _GROUP,)
    return (*columns, _ANSWER) if choice.has_answers else columns
