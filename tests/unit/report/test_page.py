"""The page of a run: what it shows, that it fetches nothing, and how large it is."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import labelnext
from labelnext.adapter.preview import Preview
from labelnext.report.cards import Box, Card
from labelnext.report.pictures import thumbnail, with_previews
from tests.unit.report.pages import Element, parsed
from tests.unit.report.test_pictures import noise

ROWS: list[dict[str, Any]] = [
    {"item_id": "a", "objects": [{"class": "car", "confidence": 0.5, "box": [0, 0, 0.5, 0.5]}]},
    {
        "item_id": "b",
        "objects": [
            {"class": "dog", "confidence": 0.9, "box": [0.5, 0.5, 1, 1]},
            {"class": "car", "confidence": 0.3, "box": [0, 0.25, 0.5, 0.75]},
        ],
    },
    {"item_id": "c", "objects": []},
]


def configured(folder: Path, rows: list[dict[str, Any]], **source: Any) -> dict[str, Any]:
    lines = (json.dumps({"embedding": [n, n * n], **row}) for n, row in enumerate(rows))
    (folder / "pool.jsonl").write_text("\n".join(lines))
    return {
        "source": {"adapter": "files", "path": str(folder / "pool.jsonl"), **source},
        "write": {"output": str(folder / "ranking.csv")},
        "state": str(folder / "state"),
        "report": {"path": str(folder / "report.html")},
    }


def page_of(config: dict[str, Any]) -> Element:
    report = labelnext.run(config)
    assert report.path is not None
    return parsed(report.path.read_text())


def test_cards_show_pictures_with_their_boxes(tmp_path: Path) -> None:
    for name in "ab":
        Image.new("RGB", (100, 50), "blue").save(tmp_path / f"{name}.png")
    page = page_of(configured(tmp_path, ROWS, columns={}))
    cards = page.all("article")
    assert [card.all("b")[0].text for card in cards] == ["1", "2", "3"]
    assert [card.all("p", class_="head")[0].text for card in cards] == ["1 b", "2 a", "3 c"]
    assert [len(card.all("image")) for card in cards] == [1, 1, 0]
    (first, second) = cards[0].all("rect")
    assert (first.attributes["class"], second.attributes["class"]) == ("box", "box doubtful")
    sides = [first.attributes[name] for name in ("x", "y", "width", "height")]
    assert sides == ["50.0", "25.0", "50.0", "25.0"]
    assert "1 of 2 objects is doubtful: car (30%)." in cards[0].text
    assert json.loads(cards[0].attributes["data-classes"]) == ["car", "dog"]


def test_picture_of_each_group_of_near_duplicates_says_how_many_it_stands_for(
    tmp_path: Path,
) -> None:
    for name in "abcd":
        Image.new("RGB", (100, 50), "blue").save(tmp_path / f"{name}.png")
    places = {"a": [0, 1], "b": [0, 1.01], "c": [5, 5], "d": [0, 1.02]}
    rows = [
        {"item_id": name, "probabilities": [p, 1 - p], "embedding": places[name]}
        for name, p in zip("abcd", (0.5, 0.6, 0.7, 0.8), strict=True)
    ]
    config = configured(tmp_path, rows)
    config["selection"] = {"method": "top_k", "budget": 4, "options": {"min_distance": 0.1}}
    cards = page_of(config).all("article")
    assert [card.all("p", class_="head")[0].text for card in cards] == ["1 a", "2 c"]
    assert [len(card.all("image")) for card in cards] == [1, 1]
    told = [[line.text for line in card.all("p", class_="more")] for card in cards]
    assert told == [["2 near-duplicates of it left out"], []]


def test_page_has_one_script_one_style_and_nothing_inline(tmp_path: Path) -> None:
    page = page_of(configured(tmp_path, ROWS))
    assert (len(page.all("script")), len(page.all("style"))) == (1, 1)
    todo = [page]
    while todo:
        element = todo.pop()
        todo += element.children
        assert not [n for n in element.attributes if n == "style" or n.startswith("on")], (
            element.tag
        )
        for name in ("src", "href", "xlink:href"):
            assert element.attributes.get(name, "#")[:1] == "#"


def test_map_marks_the_batch_the_labelled_and_the_rest(tmp_path: Path) -> None:
    rows = [
        {"item_id": f"i{n}", "probabilities": [0.5 + n / 20, 0.5 - n / 20], "label": label}
        for n, label in enumerate([None, None, None, 0, 1, None])
    ]
    config = {**configured(tmp_path, rows), "selection": {"budget": 2}}
    (drawn,) = page_of(config).all("svg", class_="map")
    batch = drawn.all("path", class_="batch")
    assert [mark.all("title")[0].text for mark in batch] == ["i1", "i0"]
    assert [a.attributes["href"] for a in drawn.all("a")] == ["#item-2", "#item-1"]
    assert drawn.all("path", class_="labelled")[0].attributes["d"].count("M") == 2
    assert drawn.all("path", class_="rest")[0].attributes["d"].count("M") == 2


def test_counts_of_0_are_shown_only_where_people_look_for_them(tmp_path: Path) -> None:
    page = page_of(configured(tmp_path, ROWS))
    tiles = [tile.text for tile in page.all("div") if "tile" in tile.attributes["class"].split()]
    assert [tile.split(maxsplit=1) for tile in tiles] == [
        ["3", "items"],
        ["3", "predicted"],
        ["0", "labelled"],
        ["3", "ranked"],
        ["3", "batch"],
        ["1", "without objects"],
    ]


def test_texts_are_shown_from_their_column(tmp_path: Path) -> None:
    rows = [
        {"item_id": "a", "probabilities": [0.6, 0.4], "text": "a <b>fine</b> day"},
        {"item_id": "b", "probabilities": [0.9, 0.1], "text": None},
    ]
    cards = page_of(configured(tmp_path, rows)).all("article")
    assert [[q.text for q in card.all("blockquote")] for card in cards] == [
        ["a <b>fine</b> day"],
        [],
    ]


def test_thumbnails_0_embeds_nothing(tmp_path: Path) -> None:
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    config = configured(tmp_path, [{**row, "text": "hush"} for row in ROWS])
    config["report"]["thumbnails"] = 0
    page = page_of(config)
    assert page.all("image") == []
    assert "hush" not in page.text


@pytest.mark.parametrize("thumbnails", [-1, 1001, "many"])
def test_number_of_thumbnails_is_checked(tmp_path: Path, thumbnails: object) -> None:
    config = configured(tmp_path, ROWS)
    config["report"]["thumbnails"] = thumbnails
    with pytest.raises(labelnext.LabelnextError, match=r"report\.thumbnails"):
        labelnext.run(config)


def test_missing_pictures_are_counted_and_the_run_is_done(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "images" / "a.jpg")
    report = labelnext.run(configured(tmp_path, ROWS, pictures=str(tmp_path / "images")))
    assert [(n.code, n.item_ids) for n in report.notices if "pictur" in n.code] == [
        ("no_picture", ("b", "c"))
    ]


def test_no_file_outside_the_folder_is_shown(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.jpg")
    rows = [{**ROWS[0], "item_id": name} for name in ("../secret.jpg", str(tmp_path / "secret"))]
    report = labelnext.run(configured(tmp_path, rows, pictures=str(folder)))
    assert [card.picture for card in report.cards] == [None, None]


def test_a_thousand_items_stay_below_5_mb(tmp_path: Path) -> None:
    report = labelnext.run(configured(tmp_path, ROWS))
    boxes = tuple(
        Box("a rather long name of a class", (0.1, 0.2, 0.3, 0.4), 0.5) for _ in range(10)
    )
    why = "4 of 10 objects are doubtful: pedestrian (50%), traffic light (48%), bicycle (45%) …"
    card = Card("a", 1, 0.5, 1.0, ("car",), "car 0.50, " * 5, why, boxes, 10)
    picture = thumbnail(noise(96), 96, 2_400)  # noise compresses worst
    card = replace(card, picture=picture, link="https://label.example.com/projects/7/data?task=1")
    cards = [replace(card, item_id=f"camera-7/{n:09d}.jpg", rank=n + 1) for n in range(1000)]
    page = replace(report, cards=cards).to_html()
    assert page.count("<article") == 1000
    assert len(page.encode()) < 5_000_000


def test_pictures_of_a_thousand_items_share_their_bytes() -> None:
    data = noise(96)
    cards = [Card(str(n), n, None, 1.0) for n in range(200)]
    shown, _ = with_previews(cards, {c.item_id: Preview(image=lambda: data) for c in cards}, 200)
    sizes = [len(card.picture.uri) for card in shown if card.picture]
    assert len(sizes) == 200
    assert np.sum(sizes) < 3_300_000


@pytest.mark.parametrize("by_probe", [True, False])
def test_figures_of_a_probe_say_that_it_had_not_seen_the_labels(
    tmp_path: Path, by_probe: bool
) -> None:
    rows = [{"item_id": str(n), "label": "ab"[n % 2], "embedding": [n % 2, n]} for n in range(12)]
    rows += [{"item_id": "new", "embedding": [1, 1]}]
    told = {"probabilities": {"a": 0.75, "b": 0.25}}
    source = {"model": "probe"} if by_probe else {}
    rows = rows if by_probe else [{**row, **told} for row in rows]
    text = page_of(configured(tmp_path, rows, **source)).text
    assert ("Each was predicted by a probe that hadn't seen its label." in text) == by_probe
    assert ("Items the model was trained on make these figures look better" in text) != by_probe


@pytest.mark.parametrize("sign", ["\u202e", "\u202a", "\u2066", "\u2069"])
def test_nothing_turns_the_order_of_a_text_round(tmp_path: Path, sign: str) -> None:
    rows = [
        {"item_id": f"{sign}evil", "probabilities": {f"c{sign}at": 0.5, "dog": 0.5}, "text": sign}
    ]
    config = configured(tmp_path, rows)
    said = page_of(config).text
    assert sign not in said
    assert "\N{REPLACEMENT CHARACTER}evil" in said


def test_undo_on_a_page_is_of_its_own_run_however_many_came_after(tmp_path: Path) -> None:
    report = labelnext.run({**configured(tmp_path, ROWS), "report": {"path": None}})
    assert report.run_id is not None
    assert f"{report.undo} {report.run_id}</code>" in report.to_html()
