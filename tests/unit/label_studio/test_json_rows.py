"""A list of predictions, decoded part by part."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelnext_adapters.label_studio.server.json_rows import decode_rows


def parts_of(body: bytes, size: int) -> Iterator[bytes]:
    return (body[i : i + size] for i in range(0, len(body), size))


def decoded(rows: Any, *, size: int, block: int) -> list[Any]:
    body = json.dumps(rows, separators=(",", ":")).encode()
    return [
        row for some in decode_rows(parts_of(body, size), json.loads, block=block) for row in some
    ]


@pytest.mark.parametrize("body", [b"[]", b" [ ] "])
def test_an_empty_list_has_no_rows(body: bytes) -> None:
    assert [*decode_rows([body], json.loads)] == [[]]


# What looks like the end of a row, in a text, in an object and in a list.
texts = st.sampled_from(['},{"id":1', '}]},{"id":2,"a":[', '"', "\\", "[", "é\u2028", ""])
values = st.recursive(
    texts | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.fixed_dictionaries({"id": inner}),
    max_leaves=6,
)
rows = st.lists(st.builds(lambda i, r: {"id": i, "result": r}, st.integers(0, 99), values))


@given(rows=rows, size=st.integers(1, 40), block=st.integers(1, 80))
def test_rows_are_those_of_the_whole_list_wherever_it_is_cut(
    rows: list[Any], size: int, block: int
) -> None:
    assert decoded(rows, size=size, block=block) == rows


def test_rows_come_before_the_list_is_at_its_end() -> None:
    came = []

    def parts() -> Iterator[bytes]:
        for number in range(100):
            came.append(number)
            yield b"%c" % b"[,"[number > 0] + b'{"id":%d}' % number
        yield b"]"

    first = next(decode_rows(parts(), json.loads, block=50))
    assert [row["id"] for row in first] == [0, 1, 2, 3, 4]
    assert came == [0, 1, 2, 3, 4, 5]


def test_rows_longer_than_a_block_are_found() -> None:
    long = [{"id": i, "result": [{"id": 7, "text": "x" * 200}] * 5} for i in range(20)]
    assert decoded(long, size=100, block=300) == long


def test_a_list_that_breaks_off_is_an_error_after_its_whole_rows() -> None:
    body = b'[{"id":1},{"id":2},{"id":3'
    rows = decode_rows([body], json.loads, block=5)
    assert next(rows) == [{"id": 1}, {"id": 2}]
    with pytest.raises(ValueError, match="Expecting"):
        next(rows)
