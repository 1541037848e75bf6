"""Problems, steps and hints as OATutor's JSON holds them, with every field in place."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.content.importing.listed import Unfit

MALFORMED = "record that is not in OATutor's format"
MAX_HINTS = 200
# One half of a pair that stands for one sign; alone it cannot be stored.
_HALF_SIGN = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RawHint:
    """A hint, or a scaffold: a smaller question with its answer."""

    id: str
    title: str
    text: str
    needs: tuple[str, ...]
    is_question: bool
    answers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    inner: tuple["RawHint", ...] = ()


@dataclass(frozen=True, slots=True)
class RawStep:
    """A step: a question with an answer and a pathway of hints."""

    id: str
    title: str
    body: str
    problem_type: str
    answer_type: str
    answers: tuple[str, ...]
    latex: str
    choices: tuple[str, ...]
    variables: Mapping[str, Any]
    hints: tuple[RawHint, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class RawProblem:
    """A problem with its steps in order."""

    id: str
    title: str
    body: str
    variables: Mapping[str, Any]
    source: str
    licence: str
    steps: tuple[RawStep, ...]


def read_problem(data: object) -> RawProblem:
    """Return the problem.

    Raises:
        Unfit: a field is missing or of another type than OATutor gives it.
    """
    fields = _mapping(data, "the problem")
    return RawProblem(
        id=_text(fields, "id", required=True),
        title=_text(fields, "title"),
        body=_text(fields, "body"),
        variables=_variables(fields),
        source=_text(fields, "oer"),
        licence=_text(fields, "license"),
        steps=tuple(_step(step) for step in _list(fields, "steps")),
    )


def _step(data: object) -> RawStep:
    fields = _mapping(data, "a step")
    return RawStep(
        id=_text(fields, "id", required=True),
        title=_text(fields, "stepTitle"),
        body=_text(fields, "stepBody"),
        problem_type=_text(fields, "problemType"),
        answer_type=_text(fields, "answerType"),
        answers=_texts(fields, "stepAnswer"),
        latex=_text(fields, "answerLatex"),
        choices=_texts(fields, "choices"),
        variables=_variables(fields),
        hints=tuple(_hint(hint) for hint in _pathway(fields)),
    )


def _pathway(fields: Mapping[str, Any]) -> list[Any]:
    """Return the hints of the default pathway, else of the first one there is."""
    pathways = fields.get("tutoring") or {}
    if not isinstance(pathways, Mapping):
        raise Unfit(MALFORMED, "`tutoring` is no mapping of pathways")
    names = sorted(pathways, key=lambda name: ("DefaultPathway" not in name, name))
    hints = pathways[names[0]] if names else []
    if not isinstance(hints, list):
        raise Unfit(MALFORMED, "a pathway is no list of hints")
    return hints[:MAX_HINTS]


def _hint(data: object) -> RawHint:
    fields = _mapping(data, "a hint")
    return RawHint(
        id=_text(fields, "id"),
        title=_text(fields, "title"),
        text=_text(fields, "text"),
        needs=_texts(fields, "dependencies"),
        is_question=fields.get("type") == "scaffold",
        answers=_texts(fields, "hintAnswer"),
        choices=_texts(fields, "choices"),
        inner=tuple(_hint(hint) for hint in _list(fields, "subHints")),
    )


def _mapping(data: object, what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise Unfit(MALFORMED, f"{what} is no mapping of fields")
    return data


def _variables(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(fields.get("variabilization") or {}, "variabilization")


def _text(fields: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    value = fields.get(name)
    if value is None or value == "":
        if required:
            raise Unfit(MALFORMED, f"`{name}` is missing")
        return ""
    # A zero is what a spreadsheet made of an empty cell.
    return "" if value == 0 else _one_text(value, name)


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise Unfit(MALFORMED, f"`{name}` is no list")
    return value


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(_one_text(value, name) for value in _list(fields, name))


def _one_text(value: object, name: str) -> str:
    if isinstance(value, str):
        if "\x00" in value or _HALF_SIGN.search(value):
            raise Unfit(MALFORMED, f"`{name}` holds a sign that no text has")
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise Unfit(MALFORMED, f"`{name}` holds something that is no text")
