r"""Read an answer in LaTeX or plain signs into the syntax of our own grader.

Nothing is guessed: what the grader has no exact meaning for (functions, intervals, indices) is
refused with the reason.

>>> read_expression(r"$$\frac{-4}{21}$$").text
'((-4)/(21))'
>>> read_expression(r"$$7x \left(x+2\right)$$")
Reading(text='7*x*(x+2)', variables=('x',))
"""

import re
from dataclasses import dataclass

from tutor.content.importing.listed import Unfit

FUNCTION = "function our grader does not know"
WORDS = "answer in words where a formula is judged"
INDEX = "letter with an index"
ROOT = "root other than a square root"
GREEK = "Greek letter other than pi"
BARS = "absolute value"
MATRIX = "matrix"
PLUS_MINUS = "plus-or-minus"
MIXED = "mixed number or product: two readings"
BROKEN = "formula that cannot be read"
SEVERAL = "several values"

_FUNCTIONS_TEXT = (
    "sin cos tan sec csc cot arcsin arccos arctan sinh cosh tanh asin acos atan log ln exp lim "
    "abs min max sum int det cbrt nCr nPr gcd lcm floor ceil operatorname frac fracsin"
)
# Letters side by side that mean a unit or a word, not a product.
_SHORT_WORDS_TEXT = (
    "an or in is if no ft cm mm km kg mg ml mi lb oz hr yd kj hz ev db of to by at on ph dy dx dt "
    "and not the per sum yes"
)
_VOWELS = frozenset("aeiou")
_GREEK_TEXT = (
    "alpha beta gamma delta epsilon theta lambda mu nu rho sigma tau phi omega varepsilon psi eta "
    "chi xi zeta Delta Sigma Omega Theta Phi"
)
_FUNCTIONS = frozenset(_FUNCTIONS_TEXT.split())
_SHORT_WORDS = frozenset(_SHORT_WORDS_TEXT.split())
_GREEK = frozenset(_GREEK_TEXT.split())
_SPACES = frozenset(["left", "right", "quad", "qquad", ",", ";", "!", " ", ":", "displaystyle"])
_TIMES = frozenset(["times", "cdot", "ast"])
_TOKEN = re.compile(
    r"\\(?P<command>[A-Za-z]+|.)|(?P<number>\d+(?:\.\d+)?|\.\d+)|(?P<word>[A-Za-z]+)"
    r"|(?P<power>\*\*|\^)|(?P<sign>[-+*/(){}\[\]=<>|!,;_'&%$°π√≤≥×·÷−])|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """An expression in the grader's syntax and the letters it has, in order of appearance."""

    text: str
    variables: tuple[str, ...]


def bare(text: str) -> str:
    """Return the answer without the signs that mark maths."""
    return text.replace("$$", " ").strip().removesuffix(".")


def read_expression(text: str) -> Reading:
    """Return one expression, in LaTeX or plain signs.

    Raises:
        Unfit: it is empty, or holds what the grader cannot judge.
    """
    scanner = _Scanner(_tokens(bare(text)))
    written = scanner.sequence(until=frozenset())
    if not written:
        raise Unfit(BROKEN, "it is empty")
    letters = [sign for sign in re.findall(r"sqrt|[A-Za-zπ]", written) if sign != "sqrt"]
    return Reading(written, tuple(dict.fromkeys(letters)))


def _tokens(text: str) -> list[tuple[str, str]]:
    """Return (kind, text) of each piece; runs of letters are split into letters."""
    found: list[tuple[str, str]] = []
    for match in _TOKEN.finditer(text):
        kind, piece = match.lastgroup or "", match[match.lastgroup or 0]
        if kind == "word":
            found += _letters(piece)
        elif kind == "command" and piece in _SPACES:
            found.append(("space", " "))
        elif kind == "command":
            found.append(_command(piece))
        elif piece == "π":
            found.append(("letter", piece))
        elif kind == "other":
            raise Unfit(BROKEN, f"the sign {piece!r}")
        else:
            found.append((kind, piece))
    return found


def _letters(word: str) -> list[tuple[str, str]]:
    if word in ("sqrt", "pi"):
        return [("root", "sqrt")] if word == "sqrt" else [("letter", "π")]
    if word in _FUNCTIONS:
        raise Unfit(FUNCTION, word)
    if word in _GREEK:
        raise Unfit(GREEK, word)
    # "xsqrt(2)" and "2rpi" are written together by the plain form of an answer.
    for ending in ("sqrt", "pi"):
        if word.endswith(ending) and len(word) - len(ending) <= 2:
            return [*_letters(word.removesuffix(ending)), *_letters(ending)]
    # "HCl" and "Na" are no products.
    is_word = len(word) > 3 or re.search(r"[A-Z][a-z]", word) is not None
    is_word = is_word or (len(word) == 3 and bool(_VOWELS & set(word[1:].lower())))
    if len(word) > 1 and (is_word or word.lower() in _SHORT_WORDS):
        raise Unfit(WORDS, word)
    return [("letter", letter) for letter in word]


_COMMANDS = {
    **dict.fromkeys(_TIMES, ("sign", "*")),
    **dict.fromkeys(("frac", "dfrac", "tfrac"), ("fraction", "frac")),
    "div": ("sign", "/"),
    "pi": ("letter", "π"),
    "sqrt": ("root", "sqrt"),
}
_REFUSED_COMMANDS = {
    **dict.fromkeys(_FUNCTIONS, FUNCTION),
    **dict.fromkeys(_GREEK, GREEK),
    **dict.fromkeys("{}", SEVERAL),
    "begin": MATRIX,
    "pm": PLUS_MINUS,
}


def _command(name: str) -> tuple[str, str]:
    found = _COMMANDS.get(name)
    if found is None:
        raise Unfit(_REFUSED_COMMANDS.get(name, BROKEN), f"\\{name}")
    return found


_ATOM = re.compile(r"[A-Za-zπ]|[\d.]+|\([^()]*\)")
_SIGNS = {"−": "-", "×": "*", "·": "*", "÷": "/", "[": "(", "]": ")"}
_REFUSED = {
    "_": INDEX,
    "|": BARS,
    ",": SEVERAL,
    ";": SEVERAL,
    "&": SEVERAL,
    "!": FUNCTION,
    "'": INDEX,
}


class _Scanner:
    """Writes tokens as an expression in which every product has its sign."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self) -> tuple[str, str]:
        token = self.peek()
        self.at += 1
        return token

    def skip_space(self) -> bool:
        start = self.at
        while self.peek()[0] == "space":
            self.at += 1
        return self.at > start

    def sequence(self, until: frozenset[str]) -> str:
        """Return what stands up to one of the signs `until`, which is left in place."""
        written = ""
        before = ""  # kind of the piece written last, when it can be a factor
        while True:
            spaced = self.skip_space()
            kind, piece = self.peek()
            if kind == "end" or (kind == "sign" and piece in until):
                return written
            is_factor = kind in ("number", "letter", "root", "fraction") or piece in ("(", "{", "[")
            if before and is_factor:
                _check_adjacent(before, kind, spaced=spaced)
                written += "*"
            text = self.piece()
            written += text
            before = kind if is_factor else ("power" if kind == "power" else "")

    def piece(self) -> str:
        kind, piece = self.take()
        if kind in ("number", "letter"):
            return piece
        if kind == "power":
            return f"^{self.argument()}"
        if kind == "fraction":
            return f"({self.argument()}/{self.argument()})"
        return self.root() if kind == "root" else self.sign(piece)

    def sign(self, piece: str) -> str:
        if piece in ("(", "["):
            return f"({self.inside(piece)})"
        if piece == "{":
            return self.group()
        if piece == "√":
            return f"sqrt{self.argument()}"
        if piece in "+-*/−×·÷":
            return _SIGNS.get(piece, piece)
        raise Unfit(_REFUSED.get(piece, BROKEN), f"the sign {piece!r}")

    def group(self) -> str:
        """Return what stands in braces, which nobody sees: 3{ab}^2 is read as 3·a·b²."""
        inner = self.inside("{")
        if self.peek()[0] != "power" or _ATOM.fullmatch(inner):
            return f"({inner})"
        if _has_sum(inner):
            raise Unfit(BROKEN, "a power of a sum without brackets")
        return inner

    def root(self) -> str:
        self.skip_space()
        if self.peek() == ("sign", "["):
            self.take()
            if self.inside("[") != "2":
                raise Unfit(ROOT)
        return f"sqrt{self.argument()}"

    def argument(self) -> str:
        """Return what a command or a power applies to, in brackets."""
        self.skip_space()
        kind, piece = self.peek()
        if kind == "number" and len(piece) > 1 and self.tokens[self.at - 1][0] == "fraction":
            raise Unfit(BROKEN, "a fraction without brackets")
        if piece in ("(", "{", "["):
            self.take()
            return f"({self.inside(piece)})"
        sign = ""
        while self.peek() in (("sign", "-"), ("sign", "−")):
            self.take()
            sign = "" if sign else "-"
        if self.peek()[0] not in ("number", "letter", "root", "fraction"):
            raise Unfit(BROKEN, "something is missing")
        return f"({sign}{self.piece()})"

    def inside(self, opening: str) -> str:
        closing = {"(": ")", "{": "}", "[": "]"}[opening]
        written = self.sequence(until=frozenset(")}]"))
        if self.take() != ("sign", closing):
            raise Unfit(BROKEN, "brackets that do not match")
        if not written:
            raise Unfit(BROKEN, "empty brackets")
        return written


def _has_sum(text: str) -> bool:
    """Test for a sign + or - outside all brackets."""
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and sign in "+-":
            return True
    return False


def _check_adjacent(before: str, kind: str, *, spaced: bool) -> None:
    """Refuse two pieces side by side that people read in two ways."""
    if before == "number" and kind == "fraction":
        raise Unfit(MIXED)
    # "3 4" may be a slip, "x2" a power.
    if kind == "number" and (before == "number" or (before == "letter" and not spaced)):
        raise Unfit(BROKEN, "a number right behind another sign")
