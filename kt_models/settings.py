"""Settings laid over others, and ranges for configurations that refuse what cannot be built."""

import math
from collections.abc import Mapping
from typing import Any

from kt_models.errors import ImpossibleSetting


def laid_over(usual: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the usual values with some replaced, nested ones one by one."""
    found = dict(usual)
    for name, value in settings.items():
        below = usual.get(name)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        found[name] = laid_over(below or {}, value) if both else value
    return found


def require_at_least(config: object, least: float, *names: str) -> None:
    """Refuse a configuration some of whose settings are below `least`, or not finite.

    Raises:
        ImpossibleSetting: naming the first.
    """
    for name, value in _values(config, names):
        if not least <= value < math.inf:
            raise _impossible(config, name, value, f"a number of at least {least}")


def require_above_zero(config: object, *names: str) -> None:
    """Refuse a configuration some of whose settings are not above 0, or not finite.

    Raises:
        ImpossibleSetting: naming the first.
    """
    for name, value in _values(config, names):
        if not 0.0 < value < math.inf:
            raise _impossible(config, name, value, "a number above 0")


def require_share(config: object, *names: str) -> None:
    """Refuse a configuration some of whose settings are not from 0 to below 1.

    Raises:
        ImpossibleSetting: naming the first.
    """
    for name, value in _values(config, names):
        if not 0.0 <= value < 1.0:
            raise _impossible(config, name, value, "from 0 to below 1")


def _values(config: object, names: tuple[str, ...]) -> list[tuple[str, float]]:
    return [(name, getattr(config, name)) for name in names]


def _impossible(config: object, name: str, value: object, wanted: str) -> ImpossibleSetting:
    return ImpossibleSetting(f"{type(config).__name__}: {name} = {value!r} must be {wanted}.")
