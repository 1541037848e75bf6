"""Units of measure that can be converted into each other."""

from fractions import Fraction

# Family -> unit -> size in the family's base unit.
_FAMILIES: dict[str, dict[str, Fraction]] = {
    "length": {
        "mm": Fraction(1, 1000),
        "cm": Fraction(1, 100),
        "dm": Fraction(1, 10),
        "m": Fraction(1),
        "km": Fraction(1000),
    },
    "area": {
        "mm²": Fraction(1, 10**6),
        "cm²": Fraction(1, 10**4),
        "m²": Fraction(1),
        "km²": Fraction(10**6),
    },
    "volume": {
        "ml": Fraction(1, 1000),
        "cm³": Fraction(1, 1000),
        "cl": Fraction(1, 100),
        "l": Fraction(1),
        "dm³": Fraction(1),
        "m³": Fraction(1000),
    },
    "mass": {
        "mg": Fraction(1, 1000),
        "g": Fraction(1),
        "kg": Fraction(1000),
        "t": Fraction(10**6),
    },
    "time": {"s": Fraction(1), "min": Fraction(60), "h": Fraction(3600), "d": Fraction(86400)},
    "speed": {"m/s": Fraction(1), "km/h": Fraction(5, 18)},
    "angle": {"°": Fraction(1)},
    "part": {"%": Fraction(1, 100)},
    "dollar": {"$": Fraction(1), "¢": Fraction(1, 100)},
    "euro": {"€": Fraction(1)},
    "pound": {"£": Fraction(1)},
}
_SIZES = {
    unit: (family, size) for family, units in _FAMILIES.items() for unit, size in units.items()
}
_SPELLINGS = {
    "litre": "l",
    "litres": "l",
    "liter": "l",
    "liters": "l",
    "millilitres": "ml",
    "metre": "m",
    "metres": "m",
    "meter": "m",
    "meters": "m",
    "kilometres": "km",
    "kilometers": "km",
    "centimetres": "cm",
    "centimeters": "cm",
    "millimetres": "mm",
    "gram": "g",
    "grams": "g",
    "kilogram": "kg",
    "kilograms": "kg",
    "kgs": "kg",
    "second": "s",
    "seconds": "s",
    "sec": "s",
    "secs": "s",
    "minute": "min",
    "minutes": "min",
    "mins": "min",
    "hour": "h",
    "hours": "h",
    "hr": "h",
    "hrs": "h",
    "day": "d",
    "days": "d",
    "degree": "°",
    "degrees": "°",
    "kph": "km/h",
    "percent": "%",
    "percents": "%",
    "dollar": "$",
    "dollars": "$",
    "usd": "$",
    "cent": "¢",
    "cents": "¢",
    "euro": "€",
    "euros": "€",
    "eur": "€",
    "pound": "£",
    "pounds": "£",
    "gbp": "£",
    "mph": "mph",
}


def canonical(unit: str) -> str:
    """Return the usual spelling of a unit: "Metres" -> "m", "cm^2" -> "cm²", "per cent" -> "%"."""
    text = unit.strip().rstrip(".").replace(" ", "").replace("^", "")
    text = text.replace("\\", "").replace("percent", "%") or unit
    if text and text[-1] in "23" and len(text) > 1:
        text = text[:-1] + {"2": "²", "3": "³"}[text[-1]]
    if text in _SIZES:
        return text
    lowered = text.casefold()
    return _SPELLINGS.get(lowered, lowered)


def is_known(unit: str) -> bool:
    """Test whether a canonical unit can be converted."""
    return unit in _SIZES


def factor(*, given: str, wanted: str) -> Fraction | None:
    """Return what to multiply a value in `given` by to have it in `wanted`.

    None when they measure different things. Both are canonical.
    """
    if given == wanted:
        return Fraction(1)
    if given in _SIZES and wanted in _SIZES:
        (family, size), (other_family, other_size) = _SIZES[given], _SIZES[wanted]
        if family == other_family:
            return size / other_size
    # An item may count apples: the singular is as good.
    if given.rstrip("s") == wanted.rstrip("s"):
        return Fraction(1)
    return None
