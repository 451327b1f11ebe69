"""Environment variables that the command line sets for itself, and for nothing that it starts."""

from __future__ import annotations

import os

_ours: dict[str, str] = {}


def set_for_itself(name: str, value: str) -> None:
    """Set a variable of this process that isn't set yet."""
    if name not in os.environ:
        os.environ[name] = _ours[name] = value


def for_others() -> dict[str, str]:
    """The variables of this process without those that it set for itself."""
    return {name: value for name, value in os.environ.items() if _ours.get(name) != value}
