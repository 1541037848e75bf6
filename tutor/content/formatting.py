r"""Write exact values for people: the functions available inside `[[ ]]`.

One value is written differently inside maths (`\frac{3}{4}`), outside it (`3/4`) and inside
an answer expression that the algebra parser reads again (`(3/4)`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from tutor.content.errors import TemplateInvalid, ValueUndefined

Mode = Literal["math", "plain", "expression"]
Number = int | Fraction
MAX_PLACES = 12


def decimal_text(value: Number, places: int | None = None) -> str:
    """Return `value` in decimal notation, rounded half away from zero to `places`.

    Without `places` the expansion is exact.

    Raises:
        ValueUndefined: the expansion does not end and no `places` were given.
    """
    value = Fraction(value)
    if places is None:
        places = _exact_places(value)
    if not 0 <= places <= MAX_PLACES:
        raise TemplateInvalid(f"decimal() takes 0 to {MAX_PLACES} places, not {places}.")
    scaled = abs(value) * 10**places
    digits = str(int(scaled + Fraction(1, 2))).rjust(places + 1, "0")
    sign = "-" if value < 0 and int(digits) else ""
    return sign + (digits if places == 0 else f"{digits[:-places]}.{digits[-places:]}")


def _exact_places(value: Fraction) -> int:
    for places in range(MAX_PLACES + 1):
        if 10**places % value.denominator == 0:
            return places
    raise ValueUndefined(f"{value} has no short exact decimal form; say how many places.")


def _size(value: Number) -> Number:
    return -value if value < 0 else value


def plain_value(value: object) -> str:
    """Return an exact value as a learner would type it: 3, -3/4, or a list "2, -3"."""
    if isinstance(value, (list, tuple)):
        return ", ".join(plain_value(part) for part in value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Formatter:
    """The formatting functions for one mode."""

    mode: Mode

    def value(self, value: object) -> str:
        """Return a number, text or list as it stands."""
        if isinstance(value, (list, tuple)):
            return ", ".join(self.value(part) for part in value)
        if isinstance(value, bool) or not isinstance(value, (int, Fraction)):
            return str(value)
        if self.mode == "expression" and (value < 0 or value.denominator != 1):
            return f"({value})"
        return self._signless(value) if value >= 0 else "-" + self._signless(-value)

    def _signless(self, value: Number) -> str:
        if value.denominator == 1:
            return str(value.numerator)
        return self._fraction(value.numerator, value.denominator)

    def _fraction(self, top: Number, bottom: Number) -> str:
        if self.mode == "math":
            return rf"\frac{{{top}}}{{{bottom}}}"
        return f"({top}/{bottom})" if self.mode == "expression" else f"{top}/{bottom}"

    def _unsigned_term(self, size: Number, symbol: str) -> str:
        if not symbol:
            return self._signless(size)
        if size == 1:
            return symbol
        gap = " " if self.mode == "plain" and size.denominator != 1 else ""
        return f"{self._signless(size)}{gap}{symbol}"

    def signed(self, value: Number) -> str:
        """Return "+ 3" or "- 3", to continue a sum."""
        return f"{'-' if value < 0 else '+'} {self._signless(_size(value))}"

    def term(self, coefficient: Number, symbol: str) -> str:
        """Return "3x", "x", "-x"; nothing when the coefficient is 0."""
        if coefficient == 0:
            return ""
        return ("-" if coefficient < 0 else "") + self._unsigned_term(_size(coefficient), symbol)

    def plus_term(self, coefficient: Number, symbol: str) -> str:
        """Return "+ 3x", "- x"; nothing when the coefficient is 0."""
        if coefficient == 0:
            return ""
        sign = "-" if coefficient < 0 else "+"
        return f"{sign} {self._unsigned_term(_size(coefficient), symbol)}"

    def poly(self, coefficients: Sequence[Number], symbol: str) -> str:
        """Return "3x^2 - x + 4" from coefficients, highest power first; zero terms are left out."""
        degree = len(coefficients) - 1
        parts: list[str] = []
        for index, coefficient in enumerate(coefficients):
            text = self.term if not parts else self.plus_term
            written = text(coefficient, self.power(symbol, degree - index))
            if written:
                parts.append(written)
        return " ".join(parts) or "0"

    def power(self, base: object, exponent: int) -> str:
        """Return base^exponent; the bare base for exponent 1 and nothing for 0 of a symbol."""
        base_text = base if isinstance(base, str) else self.paren(base)
        if isinstance(base, str) and exponent in (0, 1):
            return base if exponent else ""
        written = str(exponent)
        if len(written) == 1:
            return f"{base_text}^{written}"
        return f"{base_text}^{{{written}}}" if self.mode == "math" else f"{base_text}^({written})"

    def paren(self, value: object) -> str:
        """Return a number, in brackets when it is negative."""
        written = self.value(value)
        negative = isinstance(value, (int, Fraction)) and value < 0
        if not negative or self.mode == "expression":
            return written
        return rf"\left({written}\right)" if "frac" in written else f"({written})"

    def frac(self, top: Number, bottom: Number) -> str:
        """Return a fraction as given, not reduced."""
        if bottom == 0:
            raise ValueUndefined("frac() has 0 below the line.")
        return self._fraction(top, bottom)

    def mixed(self, value: Number) -> str:
        r"""Return 3/2 as one and a half: `1\frac{1}{2}` in maths, "1 1/2" outside."""
        whole, rest = divmod(abs(Fraction(value)), 1)
        sign = "-" if value < 0 else ""
        if rest == 0 or whole == 0:
            return self.value(value)
        gap = "" if self.mode == "math" else " "
        return f"{sign}{whole}{gap}{self._signless(rest)}"

    def decimal(self, value: Number, places: int | None = None) -> str:
        """Return decimal notation, rounded to `places` if given, else exact."""
        return decimal_text(value, places)

    def percent(self, value: Number, places: int | None = None) -> str:
        r"""Return 3/4 as 75 \% (percent sign escaped inside maths)."""
        sign = r"\%" if self.mode == "math" else "%"
        return decimal_text(Fraction(value) * 100, places) + sign

    def money(self, value: Number, symbol: str = r"\$") -> str:
        r"""Return an amount: "\$3" or "\$3.50" (the dollar sign escaped, for it opens maths)."""
        places = 0 if Fraction(value).denominator == 1 else 2
        sign = "-" if value < 0 else ""
        return f"{sign}{symbol}{decimal_text(_size(value), places)}"

    def thousands(self, value: int) -> str:
        """Return 12345 as "12,345"."""
        return f"{value:,}".replace(",", "{,}") if self.mode == "math" else f"{value:,}"

    def sci(self, factor: Number, exponent: int) -> str:
        """Return scientific notation, factor times ten to the exponent."""
        times = r" \times 10^" if self.mode == "math" else "*10^"
        written = f"{{{exponent}}}" if self.mode == "math" else f"({exponent})"
        return decimal_text(factor) + times + written

    def surd(self, coefficient: Number, radicand: int) -> str:
        """Return coefficient times the square root of radicand, as given."""
        root = rf"\sqrt{{{radicand}}}" if self.mode == "math" else f"sqrt({radicand})"
        return "0" if coefficient == 0 else self.term(coefficient, root)

    def plural(self, count: Number, one: str, many: str) -> str:
        """Return `one` when the count is 1, else `many`."""
        return one if count == 1 else many

    def functions(self) -> dict[str, Callable[..., str]]:
        """Return the functions by the name authors use."""
        names = (
            "signed term plus_term poly power paren frac mixed decimal percent money thousands "
            "sci surd plural"
        )
        return {name: getattr(self, name) for name in names.split()}
