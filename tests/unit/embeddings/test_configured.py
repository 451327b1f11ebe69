"""`source.embeddings: {from: …}`, and that an adapter's own key of that name stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from labelnext import run
from labelnext.config import load_config
from labelnext.config.schema import json_schema
from labelnext.errors import ConfigError


def config(embeddings: Any, adapter: str = "files") -> dict[str, Any]:
    own = {"path": "p.jsonl"} if adapter == "files" else {"dataset": "d"}
    return {"source": {"adapter": adapter, **own, "embeddings": embeddings}}


@pytest.mark.parametrize("kind", ["text", "images"])
def test_files_with_texts_and_images_start_from_nothing(kind: str, tmp_path: Path) -> None:
    words = ["sun sea beach", "goal match team"]
    lines = []
    for i in range(12):
        pixels = np.full((8, 8, 3), 20 * i)
        pixels[..., i % 2] = 250
        Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"i{i}.png")
        row = {"item_id": f"i{i}", "text": f"{words[i % 2]} {i}", "media": f"i{i}.png"}
        lines.append(json.dumps({**row, "label": ["x", "y"][i % 2] if i < 8 else None}))
    (tmp_path / "p.jsonl").write_text("\n".join(lines))
    path = tmp_path / "c.yaml"
    path.write_text(
        "source:\n  adapter: files\n  path: p.jsonl\n  model: probe\n"
        f"  embeddings: {{from: {kind}}}\nreport: {{path: null}}\n"
    )
    report = run(path)
    classes = {row["item_id"]: row["reason"][0] for row in report.next_items}
    assert classes == {"i8": "x", "i9": "y", "i10": "x", "i11": "y"}
    assert [*(tmp_path / ".labelnext" / "embeddings").rglob("*.npz")]


def test_a_model_may_be_nested_or_flat() -> None:
    nested = load_config(config({"from": {"onnx": "m.onnx", "size": 32}})).source.embeddings
    flat = load_config(config({"from": "onnx", "onnx": "m.onnx", "size": 32})).source.embeddings
    assert nested == flat
    assert nested is not None
    assert (nested.kind, nested.size, nested.onnx) == ("onnx", 32, Path("m.onnx"))


def test_a_field_of_fiftyone_stays_its_own_key() -> None:
    settings = load_config(config("clip", "fiftyone"))
    assert settings.source.embeddings is None
    assert settings.source_options.embeddings == "clip"  # type: ignore[attr-defined]
    made = load_config(config({"from": "images"}, "fiftyone"))
    assert made.source.embeddings is not None
    assert made.source_options.embeddings is None  # type: ignore[attr-defined]
    assert made.to_dict()["source"]["embeddings"]["from"] == "images"
    assert settings.to_dict()["source"]["embeddings"] == "clip"
    assert load_config(config(None)).source.embeddings is None


def test_the_schema_allows_both() -> None:
    for source in json_schema()["properties"]["source"]["anyOf"]:
        kinds = source["properties"]["embeddings"]["anyOf"]
        texts = [kind for kind in kinds if kind.get("type") == "string"]
        assert len(texts) == (source["title"] == "fiftyone")


@pytest.mark.parametrize(
    ("embeddings", "words"),
    [
        (
            "text",
            "must be a mapping such as {from: text} or {from: {onnx: model.onnx}}; got 'text'",
        ),
        (
            {"onnx": "m"},
            "must be a mapping such as {from: text} or {from: {onnx: model.onnx}}; got",
        ),
        ({"from": "txt"}, "source.embeddings.from must be 'text', 'images', 'onnx', 'sentence-"),
        ({"from": "onnx"}, "must name a file as onnx"),
        ({"from": "text", "onnx": "m"}, "must name a file as onnx, or be from text or images"),
        ({"from": {"onnx": "m", "mean": [1]}}, "three numbers each for mean and std"),
        (
            {"from": {"onnx": "m", "siez": 1}},
            "must be one of fastembed, mean, model2vec, onnx, open_clip, sentence-transformers, "
            "size, std, timm; got 'siez'",
        ),
        ({}, "source.embeddings.from must be given"),
    ],
)
def test_wrong_keys_are_refused(embeddings: Any, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(config(embeddings))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("embeddings", "said"),
    [
        ("{from: {onnx: m, size: 0}}", "source.embeddings.from.size must be at least 1; got 0."),
        ("{from: onnx, onnx: m, size: 0}", "source.embeddings.size must be at least 1; got 0."),
        ("{from: {onnx: m, std: 1}}", "source.embeddings.from.std must be a list; got 1."),
        ("{from: {onnx: m, mean: [x, 0, 0]}}", "source.embeddings.from.mean.0 must be .* got 'x'."),
        ("{from: text, images: 3}", "source.embeddings.images is not a .*: known keys: from, mean"),
        ("{from: text, path: 3}", "source.embeddings.path is not a .*: known keys: from, mean"),
    ],
)
def test_a_setting_is_named_where_it_stands(embeddings: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "labelnext.yaml"
    path.write_text(f"source: {{adapter: files, path: p.csv, embeddings: {embeddings}}}\n")
    with pytest.raises(ConfigError, match=f"line 1: {said}"):
        load_config(path)
