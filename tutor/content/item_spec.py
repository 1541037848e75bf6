"""One item as its author writes it, and the reading of it from a course file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tutor.content.answers import ANSWER_FIELDS, WRONG_FIELDS
from tutor.content.course_fields import Fields, check_slug
from tutor.content.picture_text import PictureRef
from tutor.content.rendered import KINDS, Kind, Markup

STEP_KINDS = ("number", "expression", "text")
CHOICE_KINDS = ("single_choice", "multiple_choice")
MIN_HINTS = 2
# What an item may demand of whoever answers it, beyond reading and writing: sound to be heard, a
# picture without a text that says the same, dragging with a pointer. The order is that of the bits.
NEEDS = ("sound", "picture", "drag")
_FIELDS = (
    *("slug", "concepts", "kind", "difficulty", "parameters", "conditions", "stem"),
    *("choices", "keep_order", "answer", "wrong", "hints", "steps", "solution", "needs"),
)
# Names that mean something in expressions, or would read as maths.
_RESERVED = frozenset({"True", "False", "None", "and", "or", "not", "if", "else", "in"})


@dataclass(frozen=True, slots=True)
class ItemSpec:
    """An item of a course; a template when it has parameters.

    Attributes:
        concepts: slugs, the main concept first.
        difficulty: the author's estimate in logits: 0 average, +1 hard, -1 easy.
        parameters: (name, expression) in the order of drawing.
        steps: smaller questions on the way, each with ask, kind and answer.
        answer, wrong, choices: as in the file, checked.
        needs: names of `NEEDS`, in their order.
        pictures: path in the course -> picture, for those that the texts name.
        file: where the item stands, for messages.
    """

    slug: str
    concepts: tuple[str, ...]
    kind: Kind
    stem: str
    difficulty: float = 0.0
    parameters: tuple[tuple[str, str], ...] = ()
    conditions: tuple[str, ...] = ()
    choices: tuple[Mapping[str, Any], ...] = ()
    keep_order: bool = False
    answer: Mapping[str, Any] = field(default_factory=dict)
    wrong: tuple[Mapping[str, Any], ...] = ()
    hints: tuple[str, ...] = ()
    steps: tuple[Mapping[str, Any], ...] = ()
    solution: str = ""
    needs: tuple[str, ...] = ()
    markup: Markup = "text"
    pictures: Mapping[str, PictureRef] = field(default_factory=dict)
    file: str = ""


def read_item(
    data: object,
    *,
    file: str,
    number: int,
    concepts: frozenset[str],
    misconceptions: frozenset[str],
    problems: list[str],
) -> ItemSpec | None:
    """Return the item, or None when it is not even a mapping with slug and kind.

    Every problem is noted with file, item, field and value.
    """
    fields = Fields(data, where=f"{file}, item {number}", problems=problems)
    if not fields.data:
        return None
    slug = fields.text("slug")
    if slug:
        fields.where = f"{file}, item {slug}"
    check_slug(slug, where=f"{fields.where}, slug", problems=problems)
    fields.refuse_others(_FIELDS)
    kind = fields.text("kind")
    if kind not in KINDS:
        if kind:
            fields.note("kind", kind, f"is not a kind. Use one of: {', '.join(KINDS)}.")
        return None
    return ItemSpec(
        slug=slug,
        concepts=_known_concepts(fields, concepts),
        kind=kind,
        stem=fields.text("stem"),
        difficulty=fields.number("difficulty", default=0.0, low=-6, high=6),
        parameters=_parameters(fields),
        conditions=fields.texts("conditions", default=()),
        choices=_choices(fields, kind, misconceptions),
        keep_order=fields.flag("keep_order"),
        answer=_answer(fields, kind),
        wrong=_wrong(fields, kind, misconceptions),
        hints=_hints(fields, kind),
        steps=_steps(fields),
        solution=fields.text("solution"),
        needs=_needs(fields),
        file=file,
    )


def _known_concepts(fields: Fields, concepts: frozenset[str]) -> tuple[str, ...]:
    slugs = fields.texts("concepts")
    for slug in slugs:
        if slug not in concepts:
            fields.note("concepts", slug, "is not a concept of course.yaml. Add it or correct it.")
    if "concepts" in fields.data and not slugs:
        fields.note("concepts", [], "is empty. Name at least one concept.")
    if len(set(slugs)) < len(slugs):
        fields.note("concepts", list(slugs), "names a concept twice.")
    return slugs


def _needs(fields: Fields) -> tuple[str, ...]:
    found = fields.texts("needs", default=())
    for name in found:
        if name not in NEEDS:
            fields.note("needs", name, f"is not known. Use some of: {', '.join(NEEDS)}.")
    return tuple(name for name in NEEDS if name in found)


def _parameters(fields: Fields) -> tuple[tuple[str, str], ...]:
    data = fields.data.get("parameters")
    if data is None:
        return ()
    if not isinstance(data, dict):
        fields.note("parameters", data, "must be `name: expression` lines.")
        return ()
    for name in data:
        if not isinstance(name, str) or not name.isidentifier() or name in _RESERVED:
            fields.note("parameters", name, "cannot be a name. Use letters, e.g. a or n1.")
    return tuple((str(name), str(expression)) for name, expression in data.items())


def _choices(
    fields: Fields, kind: str, misconceptions: frozenset[str]
) -> tuple[Mapping[str, Any], ...]:
    entries = fields.list("choices")
    if kind not in CHOICE_KINDS:
        if entries:
            fields.note("choices", len(entries), f"do not belong to kind {kind}. Remove them.")
        return ()
    read: list[dict[str, Any]] = []
    for number, entry in enumerate(entries, start=1):
        choice = Fields(entry, where=f"{fields.where}, choice {number}", problems=fields.problems)
        choice.refuse_others(("text", "correct", "misconception", "feedback"))
        known: dict[str, Any] = {"text": choice.text("text"), "correct": choice.flag("correct")}
        known |= _misconception(choice, misconceptions, required=False)
        if known["correct"] and "misconception" in known:
            choice.note("misconception", known["misconception"], "stands at a correct choice.")
        read.append(known)
    correct = sum(choice["correct"] for choice in read)
    if len(read) < 2:
        fields.note("choices", len(read), "is too few. Write at least 2.")
    if kind == "single_choice" and correct != 1:
        fields.note("choices", correct, "are correct. Exactly one must be.")
    return tuple(read)


def _misconception(
    fields: Fields, misconceptions: frozenset[str], *, required: bool
) -> dict[str, str]:
    found: dict[str, str] = {}
    slug = fields.text("misconception", default=None if required else "")
    if slug:
        found["misconception"] = slug
        if slug not in misconceptions:
            fields.note("misconception", slug, "is not defined. Add it under `misconceptions`.")
    feedback = fields.text("feedback", default="")
    if feedback:
        found["feedback"] = feedback
    return found


def _answer(fields: Fields, kind: str) -> Mapping[str, Any]:
    allowed = ANSWER_FIELDS[kind]
    data = fields.data.get("answer")
    if data is None:
        if allowed:
            fields.note("answer", None, f"is missing. Kind {kind} needs one.")
        return {}
    answer = Fields(data, where=f"{fields.where}, answer", problems=fields.problems)
    answer.refuse_others(allowed)
    return {name: _json(value) for name, value in answer.data.items() if name in allowed}


def _json(value: object) -> object:
    """Return a value that JSON keeps: a float becomes the decimal text the author wrote."""
    if isinstance(value, list):
        return [_json(part) for part in value]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _wrong(
    fields: Fields, kind: str, misconceptions: frozenset[str]
) -> tuple[Mapping[str, Any], ...]:
    entries = fields.list("wrong")
    if entries and kind not in WRONG_FIELDS:
        fields.note("wrong", len(entries), f"entries do not belong to kind {kind}. Remove them.")
        return ()
    read: list[dict[str, Any]] = []
    for number, entry in enumerate(entries, start=1):
        wrong = Fields(entry, where=f"{fields.where}, wrong {number}", problems=fields.problems)
        allowed = WRONG_FIELDS[kind]
        wrong.refuse_others(allowed)
        value_fields = [name for name in allowed if name not in ("misconception", "feedback")]
        values = {name: _json(wrong.data[name]) for name in value_fields if name in wrong.data}
        if len(values) != 1:
            wrong.note("value", values, f"must be exactly one of {', '.join(value_fields)}.")
        read.append(values | _misconception(wrong, misconceptions, required=True))
    return tuple(read)


def _hints(fields: Fields, kind: str) -> tuple[str, ...]:
    hints = fields.texts("hints")
    if kind != "self_marked" and "hints" in fields.data and len(hints) < MIN_HINTS:
        fields.note("hints", len(hints), f"is too few. Write a ladder of at least {MIN_HINTS}.")
    return hints


def _steps(fields: Fields) -> tuple[Mapping[str, Any], ...]:
    read: list[dict[str, Any]] = []
    for number, entry in enumerate(fields.list("steps"), start=1):
        step = Fields(entry, where=f"{fields.where}, step {number}", problems=fields.problems)
        step.refuse_others(("ask", "kind", "answer"))
        kind = step.text("kind")
        if kind not in STEP_KINDS:
            if kind:
                step.note(
                    "kind", kind, f"is no kind of a step. Use one of: {', '.join(STEP_KINDS)}."
                )
            continue
        read.append({"ask": step.text("ask"), "kind": kind, "answer": dict(_answer(step, kind))})
    return tuple(read)
