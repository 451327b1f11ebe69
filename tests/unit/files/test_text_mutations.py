"""Broken files of Hugging Face, language models and spaCy: ranked right, or an error of ours."""

from __future__ import annotations

import copy
import json
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labelnext.adapter import open_adapter
from tests.formats import told
from tests.formats.independent import FIXTURES
from tests.formats.tally import Tally

#: How plain lines read a fixture; those without any are only read.
READERS: dict[str, Callable[[Path], told.Told]] = {
    "huggingface/audio-by-id.json": told.outputs,
    "huggingface/detection-sized.jsonl": told.outputs,
    "huggingface/detection.json": told.outputs,
    "huggingface/entities.jsonl": told.outputs,
    "huggingface/image-classification.json": told.outputs,
    "huggingface/text-top1.json": told.outputs,
    "datasets/detection.jsonl": told.detected_rows,
    "llm/anthropic-batch.jsonl": told.completions,
    "llm/chat-n.json": told.completions,
    "llm/completions.jsonl": told.completions,
    "llm/gemini-batch.jsonl": told.completions,
    "llm/judges.jsonl": told.judges,
    "llm/langfuse.jsonl": told.traces,
    "spacy/cats.spacy": told.categories,
    "spacy/docs.jsonl": told.categories,
}
FILES = sorted(
    path.relative_to(FIXTURES).as_posix()
    for folder in ("huggingface", "datasets", "llm", "spacy")
    for path in (FIXTURES / folder).iterdir()
    if path.is_file() and path.suffix != ".txt"
)
JSON = [name for name in FILES if name.endswith((".json", ".jsonl"))]
FAMILIES = sorted({name.partition("/")[0] for name in JSON})
# Each family as often as the others, however many files it has.
JSON_FILES = st.sampled_from(FAMILIES).flatmap(
    lambda family: st.sampled_from([name for name in JSON if name.startswith(f"{family}/")])
)
MORE: dict[str, dict[str, Any]] = {
    "llm/langfuse.jsonl": {"score_name": "helpful"},
    "llm/openai-batch.jsonl": {"classes": ["positive", "negative", "neutral"]},
    "llm/vertex-batch.jsonl": {"key": "request.labels.item"},
}
VALUES = st.sampled_from(
    [
        None, True, False, 0, -1, 7, 1e308, -0.5, 1.5, 10**30, float("nan"), float("inf"), "", "a",
        "0.5", "\x00", "é" * 300, [], [None], [[]], [1, "a"], {}, {"a": None}, {"label": 1},
        {"score": []}, [{"label": "x", "score": 2}], {"bytes": None, "path": 3}, 0.5, 0.25,
    ]
)  # fmt: skip


def quick(max_examples: int) -> Any:
    return settings(
        max_examples=max_examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


def read(tally: Tally, name: str, content: bytes, folder: Path, format_: str | None) -> None:
    """Read a broken file as what it was, or as whatever it seems to be now."""
    path = folder / Path(name).name
    path.write_bytes(content)
    more = {} if format_ is None else {"format": format_, **MORE.get(name, {})}
    family = name.split("/")[0]
    adapter: Any = None

    def pool() -> Any:
        nonlocal adapter
        adapter = open_adapter("files", directory=folder, path=path.name, **more)
        return adapter.read()

    def plain() -> told.Told:
        if name not in READERS or adapter._input.format.name != family:
            return {}
        return READERS[name](path)

    tally.try_(family, pool, plain)


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


def test_json_of_another_structure(tmp_path: Path) -> None:
    tally = Tally()

    @quick(400)
    @given(data=st.data(), name=JSON_FILES, stated=st.booleans())
    def check(data: st.DataObject, name: str, stated: bool) -> None:
        text = (FIXTURES / name).read_text("utf-8")
        lines = name.endswith("l")
        value = [json.loads(line) for line in text.splitlines()] if lines else json.loads(text)
        for _ in range(data.draw(st.integers(1, 3))):
            value = mutated(data, value)
        if lines and isinstance(value, list):
            content = "\n".join(json.dumps(one) for one in value)
        else:
            content = json.dumps(value)
        read(tally, name, content.encode(), tmp_path, name.split("/")[0] if stated else None)

    check()
    tally.tell(tried=400, compared=3)


def scrambled(data: st.DataObject, content: bytes) -> bytes:
    """Bytes with a few replaced, cut out or put in."""
    out = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(len(out) - 1, 0)))
        amount = data.draw(st.sampled_from([0, 1, 1, 8, 200]))
        out[place : place + amount] = data.draw(st.binary(max_size=8))
    return bytes(out)


def test_other_bytes(tmp_path: Path) -> None:
    tally = Tally()

    @quick(200)
    @given(data=st.data(), name=st.sampled_from(FILES), stated=st.booleans())
    def check(data: st.DataObject, name: str, stated: bool) -> None:
        content = scrambled(data, (FIXTURES / name).read_bytes())
        read(tally, name, content, tmp_path, name.split("/")[0] if stated else None)

    check()
    tally.tell(tried=200, compared=0)


def test_other_bytes_in_a_saved_data_set(tmp_path: Path) -> None:
    tally = Tally()

    @quick(100)
    @given(data=st.data(), file=st.sampled_from(["state.json", "data-00000-of-00001.arrow"]))
    def check(data: st.DataObject, file: str) -> None:
        folder = tmp_path / "saved"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(FIXTURES / "datasets/saved", folder)
        (folder / file).write_bytes(scrambled(data, (folder / file).read_bytes()))
        source: Any = {"directory": tmp_path, "path": "saved", "format": "datasets"}
        tally.try_("datasets", lambda: open_adapter("files", **source).read())

    check()
    tally.tell(tried=100, compared=0)


def listed(value: Any) -> Any:
    """Tuples as lists, so that they can be changed."""
    if isinstance(value, dict):
        return {name: listed(inside) for name, inside in value.items()}
    return [listed(one) for one in value] if isinstance(value, list | tuple) else value


def test_a_docbin_of_another_structure(tmp_path: Path) -> None:
    tally = Tally()

    @quick(150)
    @given(data=st.data(), name=st.sampled_from(["cats", "spans"]))
    def check(data: st.DataObject, name: str) -> None:
        packed = zlib.decompress((FIXTURES / f"spacy/{name}.spacy").read_bytes())
        stored = listed(msgpack.unpackb(packed, use_list=True, strict_map_key=False))
        if data.draw(st.booleans()):
            stored = mutated(data, stored)
        elif data.draw(st.booleans()) and stored.get("cats"):
            stored["cats"] = mutated(data, stored["cats"])
        else:
            key = data.draw(st.sampled_from(["span_groups", "user_data"]))
            stored[key] = [scrambled(data, one) for one in stored.get(key) or [b"\x80"] * 3]
        try:
            content = zlib.compress(msgpack.packb(stored))
        except (OverflowError, TypeError, ValueError):
            content = b""  # msgpack has no such numbers
        read(tally, f"spacy/{name}.spacy", content, tmp_path, "spacy")

    check()
    tally.tell(tried=150, compared=3)


@pytest.mark.parametrize("format_", ["huggingface", "datasets", "llm", "spacy"])
@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_hardly_anything(format_: str, ending: str, tmp_path: Path) -> None:
    tally = Tally()
    for text in ("", "{}", "[]", "null", "[null]", "3", '"a"', "[[]]", "[[[]]]", '{"a": {}}'):
        read(tally, f"a.{ending}", text.encode(), tmp_path, format_)
        read(tally, f"a.{ending}", text.encode(), tmp_path, None)
