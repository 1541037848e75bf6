"""Compiled loops whose machine code is kept for later processes."""

from typing import Any

import numba


def compiled(function: Any) -> Any:
    """Compile a function of plain numbers and arrays when it is first called, and keep the code."""
    return numba.njit(cache=True)(function)
