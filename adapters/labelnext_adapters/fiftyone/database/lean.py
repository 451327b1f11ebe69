"""Less work for Python: a lean import of FiftyOne, and pauses of the collector of cycles."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

_LATER = (
    "sklearn",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.metrics.pairwise",
    "matplotlib",
    "matplotlib.colors",
    "scipy.ndimage",
)
_VERSION, _VERSION_FILE = "distutils.version", ("_distutils", "version.py")


def import_fiftyone() -> None:
    """Import FiftyOne; what it needs for plots and masks alone follows when it is first used.

    That is scikit-learn with scipy.stats and pandas, Matplotlib and scipy.ndimage; with setuptools,
    more than half the time of the import. Without effect where one of them is imported already.
    """
    if not sys.modules.keys().isdisjoint(("fiftyone", *_LATER)):
        return
    for name in _LATER:
        module = sys.modules[name] = _Later(name)
        parent, _, child = name.rpartition(".")
        if isinstance(sys.modules.get(parent), _Later):
            setattr(sys.modules[parent], child, module)
    with collector_paused(), _versions_alone():
        try:
            import_module("fiftyone")
        except ImportError:  # another version, which imports more of it
            _give_way()
            import_module("fiftyone")
        finally:
            _give_way()


@contextmanager
def _versions_alone() -> Iterator[None]:
    """Let ``distutils.version`` be imported without setuptools, which its package stands for."""
    spec = None if {"distutils", "setuptools"} & sys.modules.keys() else find_spec("setuptools")
    places = [] if spec is None else spec.submodule_search_locations or []
    files = [file for place in places if (file := Path(place, *_VERSION_FILE)).is_file()]
    own = spec_from_file_location(_VERSION, files[0]) if files else None
    if own is None or own.loader is None:
        yield
        return
    module = sys.modules[_VERSION] = module_from_spec(own)
    try:
        own.loader.exec_module(module)
        yield
    finally:
        sys.modules.pop(_VERSION, None)


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
