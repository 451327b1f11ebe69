"""Broken files of vision tools end in a pool that is ranked right or in an error that says why."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelnext.adapter import open_adapter
from tests.formats import told
from tests.formats.independent import FIXTURES
from tests.formats.mutations import ODD, Mutation, mutated
from tests.formats.tally import Tally

#: How plain lines read the fixtures of each vision tool.
READERS: dict[str, Callable[[Path], told.Told]] = {
    "cvat": told.cvat,
    "mmdetection": lambda place: told.of_documents(place, told.arrays),
    "pickle": lambda place: told.of_documents(
        place, told.by_class if place.name == "mmdetection_2.pkl" else told.arrays
    ),
    "roboflow": lambda place: told.of_documents(place, told.results),
    "supervision": lambda place: (
        told.of_documents(place, told.arrays) if "arrays" in place.name else told.sink(place)
    ),
    "torchvision": lambda place: told.of_documents(place, told.arrays),
    "ultralytics": lambda place: (
        told.sink(place)
        if place.stem in ("flat", "table")
        else told.of_documents(place, told.results)
    ),
    "voc": told.voc,
    "yolo": told.yolo,
}
PLACES = [(place, kind) for kind in READERS for place in sorted((FIXTURES / kind).iterdir())]
FILES = {
    kind: [
        (place, path)
        for place, own in PLACES
        for path in ([place] if place.is_file() else sorted(place.rglob("*")))
        if own == kind and path.is_file() and path.suffix not in (".jpg", ".png")
    ]
    for kind in READERS
}

mutations = st.tuples(
    st.sampled_from(["replace", "remove", "repeat", "rename", "insert", "cut", "whole"]),
    st.integers(0, 100_000),
    st.sampled_from(ODD),
)


def test_a_broken_file_is_ranked_right_or_refused() -> None:
    tally = Tally()

    @given(
        st.sampled_from(sorted(FILES)),
        st.integers(0, 1000),
        st.lists(mutations, min_size=1, max_size=3),
        st.booleans(),
        st.booleans(),
    )
    @settings(
        max_examples=700,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def check(kind: str, which: int, changes: list[Mutation], by_value: bool, named: bool) -> None:
        place, path = FILES[kind][which % len(FILES[kind])]
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
            more: dict[str, Any] = {"format": kind} if named else {}
            adapter: Any = None

            def read() -> Any:
                nonlocal adapter
                adapter = open_adapter("files", path=str(copy), **more)
                return adapter.read()

            def plain() -> told.Told:
                return READERS[kind](copy) if adapter._input.format.name == kind else {}

            pool = tally.try_(kind, read, plain)
            assert pool is None or len(pool) > 0

    check()
    tally.tell(tried=700, compared=3)
