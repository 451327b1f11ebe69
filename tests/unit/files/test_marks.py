"""Marks of UTF-8 in the middle of a file, as where several files were put together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from labelnext_adapters.files.content import marks
from labelnext_adapters.files.content.content import decoded
from tests.unit.files.reading import order, read

MARK = b"\xef\xbb\xbf"
HEAD, ROWS = b"item_id,cat,dog\n", [b"a,0.9,0.1\n", b"b,0.6,0.4\n", b"c,0.75,0.25\n"]
OBJECTS = [
    json.dumps({"item_id": i, "cat": p, "dog": round(1 - p, 2)}).encode() + b"\n"
    for i, p in (("a", 0.9), ("b", 0.6), ("c", 0.75))
]
TOGETHER = {
    "rows.csv": MARK + HEAD + ROWS[0] + MARK + ROWS[1] + ROWS[2],
    "headers.csv": MARK + HEAD + ROWS[0] + MARK + HEAD + ROWS[1] + MARK + HEAD + ROWS[2],
    "quoted.csv": MARK + HEAD + b'"a",0.9,0.1\n' + MARK + ROWS[1] + ROWS[2],
    "utf16.csv": b"".join(part.decode().encode("utf-16") for part in (HEAD, *ROWS)),
    "p.jsonl": b"".join(MARK + line for line in OBJECTS),
    "odd.jsonl": b"".join(MARK + line for line in OBJECTS) + b'{"item_id": "d", "cat": "0,9"}\n',
}


@pytest.mark.parametrize("name", TOGETHER)
def test_files_that_were_put_together_are_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(TOGETHER[name])
    assert [i for i in order(read(tmp_path, name)) if i != "d"] == ["b", "c", "a"]


@pytest.mark.parametrize(
    "text", ["\ufeffé\n\ufeffa\n\n\ufeffb", "\ufeffa\n\ufeff", "\ufeffé\ufeffa\n\ufeff\n", "\ufeff"]
)
def test_marks_are_found_wherever_a_block_ends(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    bare = text.removeprefix("\ufeff").replace("\n\ufeff", "\n").encode()
    for blocks in _cut(monkeypatch, text.encode()):
        assert b"".join(blocks) == bare
        assert all(blocks)


@pytest.mark.parametrize("text", ["é\n\ufeffa\n", "a\n\ufeff", "\n\ufeffa", "a"])
def test_marks_of_a_text_without_one_at_its_start_stay(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    for blocks in _cut(monkeypatch, text.encode()):
        assert b"".join(blocks) == text.encode()
    assert decoded(text.encode()) == text


def _cut(monkeypatch: pytest.MonkeyPatch, data: bytes) -> Iterator[list[bytes]]:
    """The blocks of data that come in three pieces, cut at any two places."""
    for first in range(1, len(data) + 1):
        for second in range(first, len(data) + 1):
            parts = [data[i:j] for i, j in pairwise([0, first, second, len(data)])]
            parts = [part for part in parts if part]
            monkeypatch.setattr(marks, "byte_blocks", lambda _, parts=parts: iter(parts))
            yield list(marks.text_blocks(Path("p")))
