"""Broken files end in a pool or in an error that names the cause, never in a traceback."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelnext.adapter import open_adapter
from labelnext.errors import LabelnextError
from labelnext.pool import Pool
from tests.formats.independent import FIXTURES
from tests.formats.mutations import ODD, Mutation, mutated

#: Every fixture of a vision tool: what `source.path` names, and the format that reads it.
KINDS = ("cvat", "mmdetection", "pickle", "roboflow", "supervision", "torchvision", "ultralytics")
PLACES = [
    *((place, kind) for kind in KINDS for place in sorted((FIXTURES / kind).iterdir())),
    *((place, "voc") for place in sorted((FIXTURES / "voc").iterdir())),
    *((place, "yolo") for place in sorted((FIXTURES / "yolo").iterdir())),
]
FILES = [
    (place, kind, path)
    for place, kind in PLACES
    for path in ([place] if place.is_file() else sorted(place.rglob("*")))
    if path.is_file() and path.suffix not in (".jpg", ".png")
]
#: What a reader raises where it forgot to look at a value.
FORGOTTEN = (AttributeError, TypeError, LookupError, AssertionError, NameError, OverflowError)

mutations = st.tuples(
    st.sampled_from(["replace", "remove", "repeat", "rename", "insert", "cut", "whole"]),
    st.integers(0, 100_000),
    st.sampled_from(ODD),
)


def read(place: Path, **source: Any) -> Pool | LabelnextError:
    """The pool, or our error; another error passes through."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return open_adapter("files", path=str(place), **source).read()
    except LabelnextError as error:
        if isinstance(error.__cause__, FORGOTTEN):
            raise error.__cause__ from None
        return error


@given(
    st.sampled_from(FILES),
    st.lists(mutations, min_size=1, max_size=3),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_broken_file_is_read_or_refused(
    file: tuple[Path, str, Path], changes: list[Mutation], by_value: bool, named: bool
) -> None:
    place, kind, path = file
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / place.name
        if place.is_dir():
            shutil.copytree(place, copy)
        else:
            shutil.copyfile(place, copy)
        target = copy / path.relative_to(place) if place.is_dir() else copy
        data = path.read_bytes()
        for change in changes:
            data = mutated(path, data, change, by_value=by_value)
        target.write_bytes(data)
        found = read(copy, **({"format": kind} if named else {}))
    if isinstance(found, Pool):
        assert len(found) > 0
        assert all(isinstance(name, str) and name for name in found.item_ids.tolist())
