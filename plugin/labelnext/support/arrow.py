"""Use pyarrow without pandas, where nothing is of pandas."""

from __future__ import annotations

import sys

_alone = False


def command_line() -> None:
    """Say that this process does nothing but one command of labelnext."""
    global _alone
    _alone = True


def spare_pandas() -> None:
    """Keep pyarrow from importing pandas, where it is installed, in a command of labelnext.

    The first array that is made imports it, to see whether the values are of pandas, which takes
    0.15 seconds and 40 MB. A first try that fails ends this; what is made for pandas later imports
    it again. A program that uses us may have values of pandas, and keeps what pyarrow does.
    """
    if not _alone or "pandas" in sys.modules:
        return
    import pyarrow as pa

    sys.meta_path.insert(0, _NoPandas)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(_NoPandas)


class _NoPandas:
    """A finder of modules that finds no pandas."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)
        return None
