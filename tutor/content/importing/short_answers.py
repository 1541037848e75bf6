"""Keys of steps that OATutor compares letter by letter: words, signs, numbers, pairs, lists.

Letter by letter is more than a fair judge may ask for: "(-inf, 2]" and "(-∞,2]" are the same. So
only what our graders judge by meaning is taken, and words that can be written in one way.
"""

import re
from collections.abc import Sequence

from tutor.content.importing import latex
from tutor.content.importing.keys import Key, number_key, read_formula, single
from tutor.content.importing.listed import Unfit
from tutor.content.importing.numerals import Numeral, read_numeral

INTERVAL = "interval"
CODE = "program code"
FREE_TEXT = "free text that may be written in many ways"
ORDER = "several values whose order may or may not matter"
REPEATED = "several values, some of them equal"
POINTS = "several points or pairs"
SETS = "several values that are no numbers"

MOST_WORDS = 3
MOST_VALUES = 8
_WORDS = re.compile(r"[A-Za-zÀ-ž][A-Za-zÀ-ž'’ -]*")
_CODE = re.compile(r"[\"“”\[\]]|\w\.\w+\(|==|\w_\w{2,}|\w\(\)|[A-Za-z]{3,}\(.*\)|=True|=False")
_IN_SIGNS = re.compile(r"[<>=≤≥]|<=|>=|!=")
_INFINITE = re.compile(r"inf|∞|oo\b|\\infty", re.IGNORECASE)
_ABOUT_INTERVALS = re.compile(
    r"interval|domain|range\b|inequalit|increas|decreas|concave|continuous|converge|solution set"
    r"|[<>≤≥]|\\leq?(?![a-z])|\\geq?(?![a-z])",
    re.IGNORECASE,
)
_SET_OF_SOLUTIONS = re.compile(
    r"\bsolve|solution|\broots?\b|\bzeros?\b|x-intercepts?|critical|\ball (?:real )?values",
    re.IGNORECASE,
)
_IN_ORDER = re.compile(
    r"in order|order from|largest|smallest|least to|greatest to|terms|sequence|respectively"
    r"|separated|enter .*\bas\b|\bfirst\b.*\bthen\b|comma",
    re.IGNORECASE,
)
_YES_NO = {"y": "yes", "n": "no"}


def read_string(answers: Sequence[str], *, question: str) -> Key:
    """Return the key; `question` is all that is asked, for what it says about the answer.

    Raises:
        Unfit: it could not be judged soundly.
    """
    text = latex.bare(single(answers)).replace("\\", "") if "$$" not in answers[0] else ""
    text = text or latex.bare(single(answers))
    numeral = read_numeral(text)
    if numeral is not None:
        return number_key(numeral)
    if _IN_SIGNS.fullmatch(text):
        return Key("text", {"accepted": [text]})
    if _WORDS.fullmatch(text):
        return read_words(text, question=question)
    if _INFINITE.search(text) or re.search(r"^\[|\]$|\bU\b|&|∪", text):
        raise Unfit(INTERVAL, text)
    if _CODE.search(text.replace("sqrt(", "(")):
        raise Unfit(CODE, text)
    if "," in text or re.search(r"\bor\b|\band\b|;", text):
        return _several(text, question)
    if re.search(r"[A-Za-z]{4,}", text.replace("sqrt", "")):
        raise Unfit(FREE_TEXT, text)
    return read_formula([text])


def read_words(text: str, *, question: str = "") -> Key:
    """Return the key of an answer of a few words.

    Raises:
        Unfit: it has so many words that another may choose others.
    """
    words = text.split()
    if len(words) > MOST_WORDS:
        raise Unfit(FREE_TEXT, text)
    accepted = [" ".join(words)]
    long = _YES_NO.get(accepted[0].lower())
    if long and re.search(rf"\b{long}\b", question, re.IGNORECASE):
        accepted.append(long)
    return Key("text", {"accepted": accepted})


def _several(text: str, question: str) -> Key:
    if text.count("(") > 1 and re.search(r"\)\s*(?:,|;|or|and)\s*\(", text):
        raise Unfit(POINTS, text)
    is_point = text.startswith("(") and text.endswith(")")
    if is_point and _ABOUT_INTERVALS.search(question):
        raise Unfit(INTERVAL, text)
    parts = [part for part in re.split(r",|;|\bor\b|\band\b", text.strip("{}() ")) if part.strip()]
    if len(parts) > MOST_VALUES:
        raise Unfit(SETS, f"more than {MOST_VALUES}: {text}")
    letters, values = _named_values(parts, text)
    if is_point:
        return _values_key(values, ordered=True)
    if len({value.value for value in values}) < len(values):
        raise Unfit(REPEATED, text)
    if len(set(letters)) > 1:
        return _values_key(values, ordered=True, letters=letters)
    is_set = bool(letters) or re.search(r"\bor\b", text) is not None
    return _values_key(values, ordered=not is_set and _is_in_order(text, question))


def _is_in_order(text: str, question: str) -> bool:
    """Test whether the question asks for an order; it must say so, or ask for solutions."""
    in_order = bool(_IN_ORDER.search(question))
    is_set = bool(_SET_OF_SOLUTIONS.search(question)) or text.startswith("{")
    if in_order == is_set:
        raise Unfit(ORDER, text)
    return in_order


def _named_values(parts: Sequence[str], text: str) -> tuple[list[str], list[Numeral]]:
    """Return the letters before the values, if all have one, and the values."""
    names: list[str] = []
    values: list[Numeral] = []
    for part in parts:
        match = re.fullmatch(r"\s*(?:([A-Za-z])\s*=)?(.*)", part, re.DOTALL)
        numeral = read_numeral(match[2]) if match else None
        if match is None or numeral is None or numeral.unit is not None:
            raise Unfit(SETS, text)
        names += [match[1]] if match[1] else []
        values.append(numeral)
    if names and len(names) < len(values):
        raise Unfit(SETS, text)
    return names, values


def _values_key(
    values: Sequence[Numeral], *, ordered: bool = False, letters: Sequence[str] = ()
) -> Key:
    answer: dict[str, object] = {"values": [value.text for value in values]}
    if ordered:
        answer["ordered"] = True
    if letters:
        answer["names"] = list(letters)
    return Key("number", answer)
