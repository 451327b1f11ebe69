"""Broken files of Hugging Face, language models and spaCy: an error of ours or a pool, no more."""

from __future__ import annotations

import contextlib
import copy
import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelnext.adapter import open_adapter
from labelnext.errors import LabelnextError
from labelnext.pool import Pool

FORMATS = Path(__file__).parents[2] / "formats"
FILES = sorted(
    path.relative_to(FORMATS).as_posix()
    for folder in ("huggingface", "datasets", "llm", "spacy")
    for path in (FORMATS / folder).iterdir()
    if path.is_file() and path.suffix != ".txt"
)
JSON = [name for name in FILES if name.endswith((".json", ".jsonl"))]
MORE: dict[str, dict[str, Any]] = {
    "llm/langfuse.jsonl": {"score_name": "helpful"},
    "llm/openai-batch.jsonl": {"classes": ["positive", "negative", "neutral"]},
    "llm/vertex-batch.jsonl": {"key": "request.labels.item"},
}
VALUES = st.sampled_from(
    [
        None, True, False, 0, -1, 7, 1e308, -0.5, 1.5, 10**30, float("nan"), float("inf"), "", "a",
        "0.5", "\x00", "é" * 300, [], [None], [[]], [1, "a"], {}, {"a": None}, {"label": 1},
        {"score": []}, [{"label": "x", "score": 2}], {"bytes": None, "path": 3},
    ]
)  # fmt: skip
QUICK = settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read(name: str, content: bytes, folder: Path, format_: str | None) -> None:
    """Read a broken file as what it was, or as whatever it seems to be now."""
    path = folder / Path(name).name
    path.write_bytes(content)
    more = {} if format_ is None else {"format": format_, **MORE.get(name, {})}
    with contextlib.suppress(LabelnextError):
        pool = open_adapter("files", directory=folder, path=path.name, **more).read()
        assert isinstance(pool, Pool)


def steps(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value)
    return list(range(len(value))) if isinstance(value, list) else []


def mutated(draw: st.DataObject, value: Any) -> Any:
    """The value with something else, nothing, or twice the same at a random place."""
    inside = steps(value)
    if not inside or draw.draw(st.integers(0, 5)) == 0:
        return copy.deepcopy(draw.draw(VALUES))
    step = draw.draw(st.sampled_from(inside))
    kind = draw.draw(st.integers(0, 11))
    if kind == 0:
        del value[step]
    elif kind == 1 and isinstance(value, list):
        value.append(copy.deepcopy(value[step]))
    elif kind == 2 and isinstance(value, dict):
        value[draw.draw(st.sampled_from(["id", "label", "score", "x", ""]))] = value.pop(step)
    else:
        value[step] = mutated(draw, value[step])
    return value


@QUICK
@given(data=st.data(), name=st.sampled_from(JSON), stated=st.booleans())
def test_json_of_another_structure(
    data: st.DataObject, name: str, stated: bool, tmp_path: Path
) -> None:
    text = (FORMATS / name).read_text("utf-8")
    lines = name.endswith("l")
    value = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
    for _ in range(data.draw(st.integers(1, 3))):
        value = mutated(data, value)
    if lines and isinstance(value, list):
        content = "\n".join(json.dumps(one) for one in value)
    else:
        content = json.dumps(value)
    read(name, content.encode(), tmp_path, name.split("/")[0] if stated else None)


def scrambled(data: st.DataObject, content: bytes) -> bytes:
    """Bytes with a few replaced, cut out or put in."""
    out = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(len(out) - 1, 0)))
        amount = data.draw(st.sampled_from([0, 1, 1, 8, 200]))
        out[place : place + amount] = data.draw(st.binary(max_size=8))
    return bytes(out)


@QUICK
@given(data=st.data(), name=st.sampled_from(FILES), stated=st.booleans())
def test_other_bytes(data: st.DataObject, name: str, stated: bool, tmp_path: Path) -> None:
    content = scrambled(data, (FORMATS / name).read_bytes())
    read(name, content, tmp_path, name.split("/")[0] if stated else None)


@QUICK
@given(data=st.data(), file=st.sampled_from(["state.json", "data-00000-of-00001.arrow"]))
def test_other_bytes_in_a_saved_data_set(data: st.DataObject, file: str, tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(FORMATS / "datasets/saved", folder)
    (folder / file).write_bytes(scrambled(data, (folder / file).read_bytes()))
    with contextlib.suppress(LabelnextError):
        open_adapter("files", directory=tmp_path, path="saved", format="datasets").read()


def listed(value: Any) -> Any:
    """Tuples as lists, so that they can be changed."""
    if isinstance(value, dict):
        return {name: listed(inside) for name, inside in value.items()}
    return [listed(one) for one in value] if isinstance(value, list | tuple) else value


@QUICK
@given(data=st.data(), name=st.sampled_from(["cats", "spans"]))
def test_a_docbin_of_another_structure(data: st.DataObject, name: str, tmp_path: Path) -> None:
    packed = zlib.decompress((FORMATS / f"spacy/{name}.spacy").read_bytes())
    stored = listed(msgpack.unpackb(packed, use_list=True, strict_map_key=False))
    if data.draw(st.booleans()):
        stored = mutated(data, stored)
    else:
        key = data.draw(st.sampled_from(["span_groups", "user_data"]))
        stored[key] = [scrambled(data, one) for one in stored.get(key) or [b"\x80"] * 3]
    try:
        content = zlib.compress(msgpack.packb(stored))
    except (OverflowError, TypeError, ValueError):
        return  # msgpack has no such numbers
    read(f"spacy/{name}.spacy", content, tmp_path, "spacy")


@pytest.mark.parametrize("format_", ["huggingface", "datasets", "llm", "spacy"])
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_hardly_anything(format_: str, ending: str, tmp_path: Path) -> None:
    for text in ("", "{}", "[]", "null", "[null]", "3", '"a"', "[[]]", "[[[]]]", '{"a": {}}'):
        read(f"a.{ending}", text.encode(), tmp_path, format_)
        read(f"a.{ending}", text.encode(), tmp_path, None)
