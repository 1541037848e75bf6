r"""Turn a text of OATutor into our markup.

OATutor writes maths between `$$`, a line break as the two signs `\n`, a picture as
`##figure1.gif##`. A text that came out of its own conversion broken is refused, not repaired by
guessing.

>>> to_markup(r"Solve $$x^2=4$$ for $5.\nGive both.").text
'Solve $x^2=4$ for \\$5.\nGive both.'
"""

import html
import re
from dataclasses import dataclass

from tutor.content import maths
from tutor.content.importing.listed import Unfit

PICTURE = "picture that is not in the data"
FOREIGN = "picture or page on another site"
BROKEN = "text whose formulas are broken"
VARIABLES = "text with variables to fill in"

_FILE = r"[\w .()-]+\.(?:gif|png|jpe?g|svg|webp|bmp|mp4|webm)"
_PICTURE = re.compile(rf"##\s*(?:{_FILE}|https?://\S+?)\s*(?:##|(?=\\n|\n|$))", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://|www\.\w|youtu\.be", re.IGNORECASE)
_HOLE = re.compile(r"@\{[^{}]*\}|%\{[^{}]*\}")
_BLANK = re.compile(r"_{3,}")
# Words that an automatic conversion took for maths: $$respectively$$, $$60-mile$$.
_PLAIN_WORDS = re.compile(r"(?=.*[A-Za-z]{4})[A-Za-z0-9 .,'’()-]+")
# "yes/no" and "miles/hour", which the same conversion made fractions of.
_WORD_RATIO = re.compile(r"\\frac\{([A-Za-z]{2,})\}\{((?!d[a-z]\})[A-Za-z]{2,})\}")
_STRAY_DOLLAR = re.compile(r"(?<!\\)\$(?!\d)")
_LEFT_OVER = re.compile(r">[^<]*\\[^<]*<")
_MATHS_WORDS = re.compile(r"sqrt|sin|cos|tan|log|ln|lim|abs|frac")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_DEGREES = re.compile(r"\*\*\s*\{?\s*\\(?:circ|degree)\s*\}?|\^\s*\{?\\circ\}?|\\(?:circ|degree)\b")
# A program's own powers and lines stay as they are.
_CODE = re.compile(r"\bnp\.|\w\)?\.\w+\(|\w_\w+\(|==")
_GREEK_NAMES = "alpha beta gamma delta epsilon theta lambda mu rho sigma tau phi omega Delta"
_GREEK = dict(zip(_GREEK_NAMES.split(), "αβγδεθλμρστφωΔ", strict=True))
_SIGNS = (
    (r"\neq", "≠"),
    (r"\leq", "≤"),
    (r"\geq", "≥"),
    (r"\approx", "≈"),
    (r"\times", "×"),
    (r"\pm", "±"),
    (r"\infty", "∞"),
    (r"\pi", "π"),
    (r"\%", "%"),
    (r"\$", "$"),
    (r"\=", "="),
    (r"\_", "_"),
    (r"\{", "{"),
    (r"\}", "}"),
    *((f"\\{name}", letter) for name, letter in _GREEK.items()),
)


@dataclass(frozen=True, slots=True)
class Converted:
    """A text in our markup; `has_picture` says that a picture was left out of it."""

    text: str
    has_picture: bool = False


def to_markup(text: str) -> Converted:
    """Return the text in our markup.

    Raises:
        Unfit: it names pages of other sites, has variables to fill in, or its formulas are broken.
    """
    text = html.unescape(text.replace("\r", "")).replace("\x00", "")
    if _HOLE.search(text):
        raise Unfit(VARIABLES, _excerpt(text))
    without, pictures = _PICTURE.subn("", text)
    if "##" in without:
        raise Unfit(PICTURE, _excerpt(text))
    if _ADDRESS.search(without):
        raise Unfit(FOREIGN, _excerpt(without))
    without = without.replace(r"\(", "$$").replace(r"\)", "$$")
    parts = without.split("$$")
    if len(parts) % 2 == 0:
        raise Unfit(BROKEN, f"a $$ is not closed: {_excerpt(without)}")
    written = "".join(
        _formula(part) if number % 2 else _plain(part) for number, part in enumerate(parts)
    )
    return Converted(_tidy(written), pictures > 0)


def to_plain(text: str) -> str:
    """Return a text such as a title on one line, with its maths marks taken away."""
    return " ".join(text.replace("$$", "").replace(r"\n", " ").replace("\x00", "").split())


def escape(text: str) -> str:
    """Return text that shows as it stands."""
    escaped = re.sub(r"([$*`\\])", r"\\\1", text)
    return escaped.replace("[[", "[ [")


def _plain(part: str) -> str:
    part = _DEGREES.sub("°", part)
    for sign, written in _SIGNS:
        part = part.replace(sign, written)
    part = part.replace(r"\n", "\n")
    command = _COMMAND.search(part)
    if command:
        raise Unfit(BROKEN, f"{command[0]} outside a formula: {_excerpt(part)}")
    part = _BLANK.sub("\\_\\_\\_\\_", part).replace("\\_", "_")
    # Powers that were left as a program writes them: 5+2**3.
    return escape(part if _CODE.search(part) else part.replace("**", "^"))


def _formula(part: str) -> str:
    # A backslash at the end is what is left of a space.
    inner = part.strip().rstrip("\\").strip()
    if not inner:
        return " "
    if _BLANK.fullmatch(inner):
        return " ____ "
    if _PLAIN_WORDS.fullmatch(inner) and not _MATHS_WORDS.search(inner):
        return f" {escape(inner)} "
    if match := _WORD_RATIO.fullmatch(inner):
        return f" {match[1]}/{match[2]} "
    inner = _BLANK.sub(r"\\text{____}", inner).replace("[[", "[ [").replace("]]", "] ]")
    if _STRAY_DOLLAR.search(inner):
        raise Unfit(BROKEN, _excerpt(part))
    inner = re.sub(r"(?<!\\)\$", r"\\$", inner).replace("**", "^")
    # A command that the converter does not know is left in what it makes.
    shown = maths.to_mathml(inner, is_display=False)
    if shown.startswith("<code>") or _LEFT_OVER.search(shown):
        raise Unfit(BROKEN, _excerpt(part))
    return f"${inner}$"


def _tidy(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else f"{flat[:117]}..."
