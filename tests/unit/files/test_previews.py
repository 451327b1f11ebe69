"""A run over columns of any type ends with its report."""

from __future__ import annotations

import base64
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import labelnext
from labelnext.config import load_config
from labelnext.config.opened import opened

TEXT = pa.array(["a", "b"])


@pytest.mark.parametrize(
    "ids",
    [
        TEXT.dictionary_encode(),
        TEXT.cast(pa.string_view()),
        TEXT.cast(pa.large_string()),
        pa.array([b"a", b"b"]),
        pa.array([7, 8]),
        pa.array([Decimal("7"), Decimal("8")]),
    ],
    ids=["category", "string_view", "large_string", "bytes", "integer", "decimal"],
)
def test_a_run_shows_items_whose_ids_are_of_any_type(tmp_path: Path, ids: Any) -> None:
    texts = pa.array(["first text", "second text"]).dictionary_encode()
    columns = {"item_id": ids, "cat": [0.9, 0.4], "dog": [0.1, 0.6], "text": texts}
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    report = labelnext.run(
        {
            "source": {"adapter": "files", "path": str(tmp_path / "p.parquet")},
            "write": {"output": str(tmp_path / "r.csv")},
            "report": {"path": str(tmp_path / "r.html")},
            "state": str(tmp_path / "state"),
        }
    )
    assert [card.text for card in report.cards] == ["second text", "first text"]
    assert "no_previews" not in [notice.code for notice in report.notices]


def test_images_written_out_in_a_column_are_embedded_and_shown(tmp_path: Path) -> None:
    def written(colour: str) -> str:
        stream = io.BytesIO()
        Image.new("RGB", (16, 16), colour).save(stream, "PNG")
        return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"

    media = [written("red"), written("blue"), "data:image/png;base64,%%%", written("green")]
    pq.write_table(pa.table({"item_id": list("abcd"), "media": media}), tmp_path / "p.parquet")
    report = labelnext.run(
        {
            "source": {
                "adapter": "files",
                "path": str(tmp_path / "p.parquet"),
                "model": "probe",
                "embeddings": {"from": "images"},
            },
            "selection": {"budget": 3},
            "write": {"output": str(tmp_path / "r.csv")},
            "report": {"path": str(tmp_path / "r.html")},
            "state": str(tmp_path / "state"),
        }
    )
    shown = {card.item_id: card.picture is not None for card in report.cards}
    assert shown == {"a": True, "b": True, "d": True}
    assert any("base64" in n.message for n in report.notices if "c" in n.item_ids)


def test_paths_of_images_begin_at_the_configuration_or_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "data" / "images").mkdir(parents=True)
    for name, colour in (("data/images/a", "red"), ("data/b", "red"), ("b", "blue")):
        Image.new("RGB", (16, 16), colour).save(tmp_path / f"{name}.png")
    lines = ["item_id,media", "a,images/a.png", "b,b.png", "c,images/none.png", f"d,{'x' * 5000}"]
    (tmp_path / "data" / "p.csv").write_text("\n".join(lines))
    path = tmp_path / "c.yaml"
    path.write_text("source: {adapter: files, path: data/p.csv, columns: {media: media}}\n")
    with opened(load_config(path), None, None) as adapter:
        shown = adapter.previews(list("abcd"))  # type: ignore[attr-defined]
    read = {item: preview.image for item, preview in shown.items()}
    assert read["a"]() == (tmp_path / "data/images/a.png").read_bytes()
    assert read["b"]() == (tmp_path / "b.png").read_bytes()
    for item in "cd":
        with pytest.raises(OSError, match=r"No such file|too long"):
            read[item]()
