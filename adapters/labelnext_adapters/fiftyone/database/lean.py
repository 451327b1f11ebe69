"""Less work for Python: FiftyOne without scikit-learn, and pauses of the collector of cycles."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_LATER = ("sklearn", "sklearn.linear_model", "sklearn.metrics", "sklearn.metrics.pairwise")


def import_fiftyone() -> None:
    """Import FiftyOne; scikit-learn, with scipy.stats and pandas, follows when it is first used.

    These take half the time of the import, and FiftyOne needs them for plots alone. Without effect
    where FiftyOne or scikit-learn is imported already.
    """
    if "fiftyone" in sys.modules or "sklearn" in sys.modules:
        return
    for name in _LATER:
        module = sys.modules[name] = _Later(name)
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    with collector_paused():
        try:
            import_module("fiftyone")
        except ImportError:  # another version, which imports more of it
            _give_way()
            import_module("fiftyone")
        finally:
            _give_way()


@contextmanager
def collector_paused() -> Iterator[None]:
    """No search for cycles meanwhile: it takes half the time of long results of the database."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Later(ModuleType):
    """Stands for a module until something of it is used; FiftyOne's modules may keep it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the machinery of imports asks for these
            raise AttributeError(name)
        _give_way()
        return getattr(import_module(self.__name__), name)


def _give_way() -> None:
    """Let others import the modules themselves."""
    for name in _LATER:
        if isinstance(sys.modules.get(name), _Later):
            del sys.modules[name]
