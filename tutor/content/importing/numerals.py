"""Numbers as answers hold them: plain, per cent, money, degrees, with groups of digits."""

import re
from dataclasses import dataclass
from fractions import Fraction

_NUMBER = r"[-−+]?\s*(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)"
_PLAIN = re.compile(rf"({_NUMBER})")
_RATIO = re.compile(rf"({_NUMBER})\s*/\s*({_NUMBER})|\(({_NUMBER})/({_NUMBER})\)")
_PERCENT = re.compile(rf"({_NUMBER})\s*\\?%")
_MONEY = re.compile(rf"([-−]?)\s*\\?\$\s*({_NUMBER})")
_DEGREES = re.compile(
    rf"\$?({_NUMBER})\$?\s*(?:\*\*\s*|\^)?\{{?\s*(?:\\circ|\\degree|°|degrees)\s*\}}?\$?"
)
_ONE_NUMBER = ((_PLAIN, None), (_PERCENT, "%"), (_DEGREES, "°"), (_MONEY, "$"))


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as written and its unit; `text` is what the course format takes as a value."""

    text: str
    unit: str | None = None

    @property
    def value(self) -> Fraction:
        """The number, without its unit."""
        return Fraction(self.text)

    @property
    def form(self) -> str:
        """How it is written: integer, decimal or fraction."""
        return "fraction" if "/" in self.text else "decimal" if "." in self.text else "integer"


def read_numeral(text: str) -> Numeral | None:
    """Return the one number in `text`, or None when there is anything else.

    >>> read_numeral("1,250.5"), read_numeral("$0.39"), read_numeral("2x")
    (Numeral(text='1250.5', unit=None), Numeral(text='0.39', unit='$'), None)
    """
    text = text.strip()
    if match := _RATIO.fullmatch(text):
        top, bottom = (_digits(part) for part in match.groups() if part)
        whole = "." not in top + bottom and Fraction(bottom) > 0
        return Numeral(f"{top}/{bottom}") if whole else None
    for pattern, unit in _ONE_NUMBER:
        if match := pattern.fullmatch(text):
            return Numeral(_digits("".join(match.groups())), unit)
    return None


def _digits(text: str) -> str:
    plain = text.replace(",", "").replace("−", "-").replace(" ", "").lstrip("+")
    sign, digits = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    digits = digits.removesuffix(".")
    return sign + (f"0{digits}" if digits.startswith(".") else digits)
