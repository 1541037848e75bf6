"""LaTeX to MathML that is safe to put into a page.

latex2mathml neither escapes text nor refuses links, so its tree is rebuilt here from known
elements and attributes and escaped on the way out.
"""

import functools
import html
import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement, tostring

from latex2mathml.converter import Converter

MAX_LENGTH = 2000
MAX_NODES = 5000

_ELEMENT_NAMES = (
    "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msup msub msubsup munder mover "
    "munderover mtable mtr mtd mstyle mpadded mphantom menclose mmultiscripts mprescripts "
    "none"
)
_ATTRIBUTE_NAMES = (
    "accent columnalign columnlines columnspacing depth display displaystyle fence form frame "
    "height largeop linethickness lspace mathvariant maxsize minsize movablelimits notation "
    "rowlines rowspacing rspace scriptlevel separator stretchy symmetric voffset width"
)
_ELEMENTS = frozenset(_ELEMENT_NAMES.split())
_ATTRIBUTES = frozenset(_ATTRIBUTE_NAMES.split())
_HARMLESS_VALUE = re.compile(r"[\w.%+\- ]{0,40}", re.ASCII)
# A macro can call itself for ever.
_FORBIDDEN = re.compile(r"\\(?:newcommand|renewcommand|providecommand|def|let|gdef|edef|xdef)\b")
# How the formula looks is the page's concern.
_LOOKS = re.compile(
    r"\\(?:color|textcolor|dpi|bg|fg)\s*\{[^{}]*\}"
    r"|\\(?:tiny|small|large|Large|LARGE|huge|Huge|bf|inline|bg_white|bg_black)(?![A-Za-z])"
)
_SPOKEN = (
    (re.compile(r"(?<=\d)\{,\}(?=\d)"), ","),
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"(\1) over (\2)"),
    (re.compile(r"\\sqrt\{([^{}]*)\}"), r"square root of (\1)"),
    (re.compile(r"\^\{?2\}?(?!\d)"), " squared"),
    (re.compile(r"\^\{?3\}?(?!\d)"), " cubed"),
    (re.compile(r"\^\{([^{}]*)\}|\^(\w)"), r" to the power \1\2"),
    (re.compile(r"_\{([^{}]*)\}|_(\w)"), r" sub \1\2"),
    (re.compile(r"\\(?:times|cdot)(?![A-Za-z])"), " times "),
    (re.compile(r"\\div(?![A-Za-z])"), " divided by "),
    (re.compile(r"\\pm(?![A-Za-z])"), " plus or minus "),
    (re.compile(r"\\leq?(?![A-Za-z])"), " is at most "),
    (re.compile(r"\\geq?(?![A-Za-z])"), " is at least "),
    (re.compile(r"\\neq?(?![A-Za-z])"), " is not equal to "),
    (re.compile(r"\\(?:left|right|,|;|!|quad|qquad)(?![A-Za-z])"), " "),
    (re.compile(r"\\(?:text|mathrm|mathbf)\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\([%$#&_])"), r"\1"),
    (re.compile(r"\((\w+)\)(?= over)|(?<=over )\((\w+)\)|(?<=of )\((\w+)\)"), r"\1\2\3"),
)


_SIGNS = frozenset("+-\u2212")
# After these a plus or minus is a number's own.
_BEFORE_A_SIGN = frozenset("([{,;=<>\u2264\u2265\u2248\u2260\u00d7\u00b7\u00f7:/")


class FormulaInvalid(ValueError):
    """The LaTeX cannot be converted."""


@functools.lru_cache(maxsize=20_000)
def to_mathml(latex: str, *, is_display: bool = False) -> str:
    """Return a `<math>` element, or the escaped source in `<code>` if it cannot be converted."""
    source = _LOOKS.sub("", latex).strip()
    try:
        element = _convert(source, is_display=is_display)
    except FormulaInvalid:
        return f"<code>{html.escape(latex)}</code>"
    element.set("alttext", spoken(source))
    return tostring(element, encoding="unicode", short_empty_elements=False)


def _convert(source: str, *, is_display: bool) -> Element:
    if not source or len(source) > MAX_LENGTH or _FORBIDDEN.search(source):
        raise FormulaInvalid
    try:
        raw = Converter(display="block" if is_display else "inline").convert_to_element(source)
        budget = iter(range(MAX_NODES))
        return _rebuilt(raw, None, budget)
    except (StopIteration, RecursionError) as error:
        raise FormulaInvalid from error
    # Whatever a converter raises on a strange formula (IndexError, KeyError, its own errors),
    # the learner must still see the page.
    except Exception as error:
        raise FormulaInvalid from error


def _rebuilt(raw: Element, parent: Element | None, budget: Iterator[int]) -> Element:
    """Return a copy of the tree with harmless elements and attributes only."""
    next(budget)
    if raw.tag not in _ELEMENTS:
        raise FormulaInvalid
    kept = {
        name: value
        for name, value in raw.attrib.items()
        if name in _ATTRIBUTES and _HARMLESS_VALUE.fullmatch(value)
    }
    copy = Element(raw.tag, kept) if parent is None else SubElement(parent, raw.tag, kept)
    # The converter leaves character references such as &#x02212; in its texts.
    copy.text = _printable(html.unescape(raw.text or ""))
    before = ""
    for child in raw:
        made = _rebuilt(child, copy, budget)
        # The converter puts brackets and what is in them in one row, where browsers take the sign
        # of a number for an operator and set it apart.
        if made.tag == "mo" and made.text in _SIGNS and before in _BEFORE_A_SIGN:
            made.set("form", "prefix")
        before = (made.text or "") if made.tag == "mo" else ""
    _join_digits(copy)
    return copy


def _join_digits(row: Element) -> None:
    r"""Make one number of `2{,}5`, which the converter takes for two with a comma between them."""
    at = 0
    while at + 2 < len(row):
        first, comma, last = row[at : at + 3]
        is_mark = comma.tag == "mrow" and [(c.tag, c.text) for c in comma] == [("mo", ",")]
        if is_mark and first.tag == last.tag == "mn":
            first.text = f"{first.text},{last.text}"
            row.remove(comma)
            row.remove(last)
        else:
            at += 1


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())


def spoken(latex: str) -> str:
    r"""Return the formula in words where that is simple, else its LaTeX source.

    >>> spoken(r"\frac{3}{4}x^2 \times 5")
    '3 over 4x squared times 5'
    """
    text = latex
    for _ in range(2):  # a fraction may hold a root, and the other way round
        for pattern, words in _SPOKEN:
            text = pattern.sub(words, text)
    if re.search(r"[\\{}^_]", text):
        text = latex
    return _printable(" ".join(text.split()))
