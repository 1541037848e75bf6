"""What a learner is asked: an item with its parameters filled in."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

Kind = Literal["number", "single_choice", "multiple_choice", "expression", "text", "self_marked"]
KINDS: tuple[Kind, ...] = (
    "number",
    "single_choice",
    "multiple_choice",
    "expression",
    "text",
    "self_marked",
)
Markup = Literal["text", "html"]


def choice_id(*, slug: str, index: int) -> str:
    """Return the id of an option: "k" and 8 hexadecimal digits.

    A stored answer names it, so it is the same for every seed. It does not say where the
    author put the option, because many authors put the right one first.

    Args:
        slug: the item's slug.
        index: the option's place in the author's order, from 0.
    """
    return "k" + hashlib.sha256(f"{slug}\x1f{index}".encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class RenderedChoice:
    """One option. `id` comes from `choice_id`, so it outlives shuffling."""

    id: str
    text: str
    is_correct: bool
    misconception: str | None = None
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class NumberAnswer:
    """The key of a number item.

    Attributes:
        values: the right value; several when the answer is a set of solutions, none when
            the right answer is "no solution".
        is_set: the learner gives several values (`answer: {values: [...]}`).
        ordered: their order matters, as in coordinates.
        names: the letters a learner may write before each ordered value ("x = 2, y = 3").
        tolerance: largest accepted absolute distance, in the item's own unit.
        unit: unit of the values, or None for a plain number.
        unit_required: a bare number is not accepted.
        form: any, fraction, decimal, integer, percent or simplest.
        as_decimal: the author wrote decimals, so the key is shown as they are, not as fractions.
    """

    values: tuple[Fraction, ...]
    is_set: bool = False
    ordered: bool = False
    names: tuple[str, ...] = ()
    tolerance: Fraction = Fraction(0)
    unit: str | None = None
    unit_required: bool = False
    form: str = "any"
    as_decimal: bool = False


@dataclass(frozen=True, slots=True)
class ExpressionAnswer:
    """The key of an algebra item; `equation` is a left side the learner may write ("y")."""

    expression: str
    variables: tuple[str, ...]
    form: str = "any"
    equation: str | None = None


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """The key of a short-text item; the first accepted text is the one shown."""

    accepted: tuple[str, ...]
    ignore_case: bool = True
    ignore_accents: bool = False
    ignore_punctuation: bool = True
    typos: int = 0


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Choice items carry the key in their choices; self-marked items have none."""


AnswerSpec = NumberAnswer | ExpressionAnswer | TextAnswer | NoAnswer


@dataclass(frozen=True, slots=True)
class WrongAnswer:
    """An anticipated wrong answer: `values` for numbers, `text` for expressions and texts."""

    misconception: str
    values: tuple[Fraction, ...] = ()
    text: str = ""
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class RenderedItem:
    """One question for one learner; equal bodies and seeds give equal items.

    `markup` says how stem, choices, hints and solution become HTML (`markup.render`). `steps` are
    smaller questions on the way to the answer, each an item with a stem and a key alone.
    """

    kind: Kind
    stem: str
    choices: tuple[RenderedChoice, ...]
    answer: AnswerSpec
    wrong: tuple[WrongAnswer, ...]
    hints: tuple[str, ...]
    solution: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    markup: Markup = "text"
    steps: tuple["RenderedItem", ...] = ()
