"""What an exported project shows of its tasks: the text or image that its setup names."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import labelnext
from labelnext import open_adapter
from labelnext.adapter.preview import Preview
from labelnext.errors import InvalidInput
from tests.unit.label_studio_format.test_export import SETUP, choice, read, task

WORDS = ("sun beach sand wave", "stock bank money market")
PHOTOS = SETUP.replace("<Text", "<Image")
ADDRESSES = ["/data/upload/1/a.png", "https://example.com/b.png", "s3://lake/c.png", "d.png", 5]


def shown(folder: Path, setup: str | None, values: list[Any], **options: Any) -> list[Preview]:
    """What is shown of tasks with these values as their `text`."""
    tasks = [
        {**task(n, [choice("odd", score=0.5)]), "data": {"text": value, "n": n}}
        for n, value in enumerate(values, 1)
    ]
    read(folder, tasks, setup, **options)
    if setup is not None:
        options["label_config"] = "setup.xml"
    adapter = open_adapter("files", directory=folder, path="export.json", **options)
    found = adapter.previews([str(n) for n in range(1, len(values) + 1)])
    return [found.get(str(n), Preview()) for n in range(1, len(values) + 1)]


@pytest.mark.parametrize("options", [{}, {"key": "n"}], ids=["number", "key"])
def test_the_text_that_the_setup_names_is_shown(tmp_path: Path, options: dict[str, str]) -> None:
    said = [{"author": "a", "text": "good"}, {"author": "b", "text": "day"}]
    previews = shown(tmp_path, SETUP, ["fine", "<b>odd</b>", said, "", None], **options)
    assert [p.text for p in previews] == ["fine", " odd ", "good day", None, None]


def test_without_a_setup_nothing_says_what_the_text_is(tmp_path: Path) -> None:
    assert shown(tmp_path, None, ["fine"]) == [Preview()]


def test_images_are_shown_where_an_export_says_where_they_are(tmp_path: Path) -> None:
    written = f"data:image/gif;base64,{base64.b64encode(b'GIF89a').decode()}"
    upload, linked, stored, named, number, inside = shown(tmp_path, PHOTOS, [*ADDRESSES, written])
    assert (linked.link, linked.address) == (ADDRESSES[1], ADDRESSES[1])
    assert (stored.link, stored.address) == (None, ADDRESSES[2])
    assert (named, number) == (Preview(), Preview())
    assert inside.image is not None
    assert inside.image() == b"GIF89a"
    assert upload.image is not None
    with pytest.raises(InvalidInput, match="is on the Label Studio server") as refused:
        upload.image()
    assert refused.value.hint == "read the project itself: source.adapter: label-studio."


def test_an_export_of_texts_is_ranked_by_a_probe_as_a_table_of_them_is(tmp_path: Path) -> None:
    texts = [f"text {n} {WORDS[n % 2]}" for n in range(12)]
    labels = [("good", "bad")[n % 2] if n < 6 else None for n in range(12)]
    tasks = [
        {
            "id": n,
            "data": {"text": text},
            "predictions": [],
            "annotations": [{"id": n, "result": [choice(label)]}] if label else [],
        }
        for n, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    (tmp_path / "setup.xml").write_text(SETUP.replace('<Choice value="odd"/>', ""))
    rows = [
        f"{n},{text},{label or ''}"
        for n, (text, label) in enumerate(zip(texts, labels, strict=True))
    ]
    (tmp_path / "table.csv").write_text("\n".join(["item_id,text,label", *rows]))
    orders = []
    for name, more in (("export.json", "label_config: setup.xml"), ("table.csv", "key: item_id")):
        (tmp_path / "labelnext.yaml").write_text(
            f"source: {{adapter: files, path: {name}, model: probe, embeddings: {{from: text}}, "
            f"{more}}}\nwrite: {{output: ranking-{name}.csv}}\n"
        )
        labelnext.run(tmp_path / "labelnext.yaml")
        rows = (tmp_path / f"ranking-{name}.csv").read_text().splitlines()[1:]
        orders.append([row.split(",")[0].strip(chr(34)) for row in rows])
    assert sorted(orders[0], key=int) == [str(n) for n in range(6, 12)]
    assert orders[0] == orders[1]
