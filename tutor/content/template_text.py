"""Texts with `[[expression]]` holes: split once, fill in for every seed."""

import functools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tutor.content import exact
from tutor.content.errors import TemplateInvalid
from tutor.content.formatting import Mode


@dataclass(frozen=True, slots=True)
class Hole:
    """One `[[expression]]`; `in_math` tells whether it stands between dollar signs."""

    expression: str
    in_math: bool


@functools.lru_cache(maxsize=20_000)
def split(text: str) -> tuple[str | Hole, ...]:
    r"""Return the fixed parts and the holes of a text, in order.

    Dollar signs outside holes switch maths on and off; `\$` is a dollar sign.

    Raises:
        TemplateInvalid: a hole or a formula is not closed.
    """
    parts: list[str | Hole] = []
    start, at, math_mark = 0, 0, ""
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith("![[[", at):
            at += 2  # a picture whose alternative begins with a hole
        elif text.startswith("[[", at):
            end = _hole_end(text, at + 2)
            parts += [text[start:at], Hole(text[at + 2 : end].strip(), bool(math_mark))]
            start = at = end + 2
        elif text[at] == "$":
            mark = math_mark or ("$$" if text.startswith("$$", at) else "$")
            at += len(mark)
            math_mark = "" if math_mark else mark
        else:
            at += 1
    if math_mark:
        raise TemplateInvalid(
            rf"A $ is not closed in {_excerpt(text)!r}; write \$ for a dollar sign."
        )
    parts.append(text[start:])
    return tuple(part for part in parts if part)


def _hole_end(text: str, at: int) -> int:
    """Return where the `]]` of a hole stands, looking past lists and quoted texts."""
    depth, quote, first = 0, "", at
    while at < len(text):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif depth == 0 and text.startswith("]]", at):
            return at
        else:
            depth += (char == "[") - (char == "]")
        at += 1
    raise TemplateInvalid(f"[[ is not closed in {_excerpt(text[first:])!r}.")


def _excerpt(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def fill(text: str, names: Mapping[str, Any], *, expression: bool = False) -> str:
    """Return the text with every hole replaced by its formatted value.

    Args:
        text: the template.
        names: exact values of the parameters.
        expression: the text is an algebraic expression, so values get brackets where needed.

    Raises:
        TemplateInvalid: a hole cannot be evaluated.
    """
    if "[[" not in text and expression:
        return text
    written: list[str] = []
    for part in split(text):
        if isinstance(part, str):
            written.append(part)
            continue
        mode: Mode = "expression" if expression else "math" if part.in_math else "plain"
        value = exact.evaluate(part.expression, names, mode=mode)
        written.append(exact.format_value(value, mode=mode))
    return "".join(written)


def shuffled(items: tuple[Any, ...], rng: random.Random) -> tuple[Any, ...]:
    """Return the items in random order, from `rng.random()` alone (see `exact`)."""
    order = list(items)
    for last in range(len(order) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        order[last], order[other] = order[other], order[last]
    return tuple(order)
