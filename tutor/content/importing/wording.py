"""The few words of our own in an imported course, in its language."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """Words that join what an author wrote.

    `part` takes number and count.
    """

    part: str
    found: str
    answer: str


_ENGLISH = Wording(
    part="Part {number} of {count}.", found="You have found so far:", answer="Answer:"
)
_SWEDISH = Wording(
    part="Del {number} av {count}.", found="Du har hittills kommit fram till:", answer="Svar:"
)
# OATutor calls Swedish by its country.
_CODES = {"se": "sv"}
_WORDINGS = {"en": _ENGLISH, "sv": _SWEDISH}


def language_code(language: str) -> str:
    """Return the language's code: OATutor's "se" is "sv"."""
    return _CODES.get(language, language) or "en"


def wording_of(language: str) -> Wording:
    """Return the words for a language, English where there are none."""
    return _WORDINGS.get(language_code(language), _ENGLISH)
