"""Values that are kept as columns come back as they would from their JSON."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import labelnext.journal.columns as columns
from labelnext.errors import ConfigError
from labelnext.journal.columns import is_large, load, store

HALVES = st.characters(categories=["Cs"])  # of characters beyond 16 bits, which JSON may hold
ANY_TEXT = st.text(st.characters() | HALVES, max_size=6)
USUAL = st.text(st.sampled_from("aé猫\0 \U0001f63a"), max_size=3)
NUMBERS = st.integers() | st.integers(-(2**63), 2**63 - 1)
SCALARS = st.none() | st.booleans() | NUMBERS | st.floats() | ANY_TEXT


def lists_of(part: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(part, max_size=5)


def of_one_kind(kind: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return lists_of(kind) | lists_of(kind | st.none())


ONE_KIND = st.one_of(*map(of_one_kind, (st.booleans(), NUMBERS, st.floats(), ANY_TEXT, USUAL)))
RECORDS = st.fixed_dictionaries({"a": st.floats(), "b": ANY_TEXT, "é": st.none() | st.integers()})
VALUES = st.recursive(
    SCALARS | ONE_KIND | lists_of(RECORDS),
    lambda inner: (
        lists_of(inner)
        | lists_of(inner).map(tuple)
        | st.dictionaries(USUAL | ANY_TEXT, inner, max_size=5)
        | st.dictionaries(st.integers() | st.booleans() | st.none(), inner, max_size=3)
        | lists_of(st.fixed_dictionaries({"x": inner, "": inner}))
    ),
    max_leaves=30,
)


def same(first: Any, second: Any) -> bool:
    """Equal in kind, in the order of keys and in every bit of a number."""
    if type(first) is not type(second):
        return False
    if isinstance(first, dict):
        return list(first) == list(second) and all(same(first[k], second[k]) for k in first)
    if isinstance(first, list):
        return len(first) == len(second) and all(map(same, first, second))
    return repr(first) == repr(second)  # −0.0 is not 0.0, NaN is NaN


@pytest.mark.parametrize("long", [1, 3])  # any list as columns; some beside others
@given(value=VALUES)
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_value_comes_back_as_from_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: int, value: Any
) -> None:
    monkeypatch.setattr(columns, "_LONG", long)
    digest = store(tmp_path / "x.arrow", value)
    assert same(load(tmp_path / "x.arrow", digest), json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"rows": []},
        "",
        None,
        [{}] * 40,
        [2**63] * 40,
        [1, 1.0, True] * 20,
        [1.0, None, float("nan"), -0.0, 5e-324] * 10,
        ["a\0", "\ud83d", "\ud83d\ude3a"] * 20,  # JSON makes one character of a pair
        [{"a": 1, "b": 2}, {"b": 2, "a": 1}] * 20,
        [{"a": 1}, None] * 20,
        [{1: "x", None: "y"}] * 40,
        {f"k{i}": {"v": [i]} for i in range(50)},
        {i: i for i in range(50)},
        {"a": {"b": [[list(range(40)), "x"]], "c": ({"d": ["y"] * 40},)}},
    ],
)
def test_unusual_values_come_back_as_from_json(tmp_path: Path, value: Any) -> None:
    digest = store(tmp_path / "x.arrow", value)
    assert same(load(tmp_path / "x.arrow", digest), json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    ("value", "large"),
    [
        ({}, False),
        ("x" * 10_000, False),
        ("x" * 20_000, True),
        (list(range(2_000)), False),  # some 9 KB of JSON
        (list(range(5_000)), True),
        ({"tags": {"all": list(range(5_000))}}, True),
        ({f"key {i}": None for i in range(2_000)}, True),
        ([["x" * 100] * 10] * 20, True),
    ],
)
def test_what_has_long_json_is_large(value: Any, large: bool) -> None:
    assert is_large(value) is large


def test_rows_take_a_fraction_of_their_json(tmp_path: Path) -> None:
    rows = [
        {"item_id": f"img-{i:06d}.jpg", "rank": i + 1, "priority": 1 - i / 10_000, "batch": i < 10}
        for i in range(10_000)
    ]
    store(tmp_path / "x.arrow", {"path": "ranking.csv", "rows": rows})
    assert (tmp_path / "x.arrow").stat().st_size < len(json.dumps(rows)) / 4


def test_only_this_user_may_read_the_file(tmp_path: Path) -> None:
    store(tmp_path / "x.arrow", [1])
    assert stat.S_IMODE((tmp_path / "x.arrow").stat().st_mode) == 0o600


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _one_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _nothing(content: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("harm", [_half, _one_bit, _nothing, None])
def test_broken_file_is_an_error_that_names_it(
    tmp_path: Path, harm: Callable[[bytes], bytes] | None
) -> None:
    path = tmp_path / "x.arrow"
    digest = store(path, ["a"] * 1000)
    if harm is None:
        path.unlink()
    else:
        path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(ConfigError, match="x.arrow' is missing or damaged"):
        load(path, digest)
