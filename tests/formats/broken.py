"""Tries damaged copies of fixtures: each is ranked as plain lines read it, or refused."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelnext.adapter import open_adapter
from tests.formats import told
from tests.formats.mutations import ODD, Mutation, mutated
from tests.formats.tally import Tally

_MUTATIONS = st.tuples(
    st.sampled_from(["replace", "remove", "repeat", "rename", "insert", "cut", "whole"]),
    st.integers(0, 100_000),
    st.sampled_from(ODD),
)

#: By format, how plain lines read its fixtures.
Readers = Mapping[str, Callable[[Path], told.Told]]


def try_broken(
    readers: Readers,
    files: Mapping[str, Sequence[tuple[Path, Path]]],
    *,
    tries: int,
    compared: int,
) -> None:
    """Damage a file of a fixture in each try.

    Args:
        readers: by format.
        files: by format, a fixture and one of its files.
        tries: how many.
        compared: at least so many must be ranked, and so compared.
    """
    tally, kinds = Tally(), sorted(files)

    @given(
        st.integers(0, 1_000_000),  # spread more evenly than names that are sampled
        st.lists(_MUTATIONS, min_size=1, max_size=3),
        st.booleans(),
        st.booleans(),
    )
    @settings(
        max_examples=tries,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def check(number: int, changes: list[Mutation], by_value: bool, named: bool) -> None:
        which, of_kind = divmod(number, len(kinds))
        kind = kinds[of_kind]
        place, path = files[kind][which % len(files[kind])]
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
                return readers[kind](copy) if adapter._input.format.name == kind else {}

            pool = tally.try_(kind, read, plain)
            assert pool is None or len(pool) > 0

    check()
    tally.tell(tried=tries, compared=compared)
