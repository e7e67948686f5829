"""Numbers that a call takes, checked with words like the command line's."""

from __future__ import annotations

import operator
from typing import Any

from . import _core


def whole(name: str, value: Any, low: int, high: int = 2**63 - 1) -> int:
    """The whole number; UsageError for what is none, or out of range."""
    try:
        number = operator.index(value)
    except TypeError:
        number = low - 1
    if isinstance(value, bool) or not low <= number <= high:
        raise _core.UsageError(f"{name} = {value!r}: expected a whole number from {low} to {high}")
    return number
