"""Grade short texts."""

import re
import unicodedata

from django.utils.translation import gettext

from tutor.content.grading.result import Grade, right, wrong
from tutor.content.rendered import TextAnswer, WrongAnswer

_DASHES = dict.fromkeys(map(ord, "−–—‐‑"), "-")
_QUOTES = str.maketrans("’‘“”„", '\'\'"""')
_OUTER = " \t.,;:!?'\""
_SPACE_AT_SIGN = re.compile(r"\s*([^\w\s])\s*")


def normalise(text: str, spec: TextAnswer) -> str:
    """Return the text as it is compared.

    Width variants, dashes and quotes are unified and spaces collapsed. If punctuation is to be
    ignored, that at the ends is dropped and spaces beside signs do not count; signs inside
    stay, since "-2" is not "2" and "(2, 3)" is not "23".
    """
    text = unicodedata.normalize("NFKC", text).translate(_DASHES).translate(_QUOTES)
    text = " ".join(text.split())
    if spec.ignore_punctuation:
        text = _SPACE_AT_SIGN.sub(r"\1", text.strip(_OUTER)) or text
    if spec.ignore_case:
        text = text.casefold()
    if spec.ignore_accents:
        parts = unicodedata.normalize("NFD", text)
        text = "".join(char for char in parts if not unicodedata.combining(char))
    return text


def grade_text(spec: TextAnswer, wrong_answers: tuple[WrongAnswer, ...], given: str) -> Grade:
    """Return the grade of a text: right if it equals an accepted one, up to `typos` edits."""
    text = normalise(given, spec)
    accepted = [normalise(candidate, spec) for candidate in spec.accepted]
    if text in accepted:
        return right(text)
    # Before the typos: an anticipated mistake may be one letter away from the key.
    for entry in wrong_answers:
        if normalise(entry.text, spec) == text:
            return wrong(text, misconception=entry.misconception, feedback=entry.feedback)
    if spec.typos and any(_distance(text, key) <= spec.typos < len(key) for key in accepted):
        told = gettext("Accepted, with a spelling slip: %(right)s.")
        return right(text, told % {"right": spec.accepted[0]})
    return wrong(text)


def _distance(left: str, right_text: str) -> int:
    """Return how many letters must be inserted, removed or replaced (Levenshtein)."""
    row = list(range(len(right_text) + 1))
    for i, a in enumerate(left, start=1):
        above, row = row, [i]
        for j, b in enumerate(right_text, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]
