"""What can be counted in the text of an item before anybody has answered it. Pure Python."""

import math
import re

NAMES = (
    *("words", "letters_per_word", "words_per_sentence", "digits", "longest_number", "operators"),
    *("brackets", "powers", "fractions", "negations", "options", "words_per_option", "hints"),
    *("words_of_solution", "code"),
)
_TAG = re.compile(r"<[^>]*>")
_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)")
_NEGATION = re.compile(r"\b(?:not|never|except|false|incorrect|no|least|without)\b", re.IGNORECASE)
_OPERATOR = re.compile(r"[+\-*/=<>×·÷≤≥≠−]")
_CODE = re.compile(r"\b(?:SELECT|FROM|WHERE|JOIN|GROUP|CREATE|INSERT|def|return|for|while|int)\b")


def text_features(
    *, stem: str, options: tuple[str, ...] = (), hints: int = 0, solution: str = ""
) -> tuple[float, ...]:
    """Return one number per name in `NAMES`; counts as log(1 + count).

    Args:
        stem: what is asked; tags of HTML count as nothing.
        options: what may be chosen.
        hints: rungs of the hint ladder.
        solution: the worked solution; its length tells how many steps there are.
    """
    stem, solution = _TAG.sub(" ", stem), _TAG.sub(" ", solution)
    words = _WORD.findall(stem)
    numbers = _NUMBER.findall(stem)
    sentences = max(len(_SENTENCE.findall(stem)), 1)
    option_words = [len(_WORD.findall(option)) for option in options]
    return (
        math.log1p(len(words)),
        sum(map(len, words)) / max(len(words), 1),
        math.log1p(len(words) / sentences),
        math.log1p(sum(map(len, numbers))),
        math.log1p(max(map(len, numbers), default=0)),
        math.log1p(len(_OPERATOR.findall(stem))),
        math.log1p(stem.count("(") + stem.count("[")),
        math.log1p(stem.count("^") + stem.count("²") + stem.count("³")),
        math.log1p(stem.count("\\frac") + stem.count("/")),
        float(len(_NEGATION.findall(stem))),
        math.log1p(len(options)),
        math.log1p(sum(option_words) / max(len(option_words), 1)),
        math.log1p(hints),
        math.log1p(len(_WORD.findall(solution))),
        math.log1p(len(_CODE.findall(stem))),
    )
