"""Images of items are found by their names, the same for few items as for many."""

from __future__ import annotations

from pathlib import Path

import pytest

from labelnext_adapters.files import pictures
from labelnext_adapters.files.pictures import beside, listings


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    places = [
        "first/a.png",
        "first/deep/b.jpg",
        "first/same.png",
        "second/same.png",
        "second/é.PNG",
    ]
    for place in [*places, "outside.png"]:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).touch()
    (tmp_path / "second" / "link.png").symlink_to(tmp_path / "outside.png")
    return [tmp_path / "first", tmp_path / "second"]


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize(
    ("item", "place"),
    [
        ("", None),
        ("a.png", "first/a.png"),
        ("a", "first/a.png"),
        ("deep/b", "first/deep/b.jpg"),
        ("b", None),
        ("elsewhere/a.png", "first/a.png"),
        ("C:\\photos\\a.png", "first/a.png"),
        ("same.png", "first/same.png"),
        ("é.PNG", "second/é.PNG"),
        ("../outside.png", None),
        ("link.png", None),
        ("a\0.png", None),
    ],
)
def test_an_image_is_the_first_file_of_the_items_name_inside_a_folder(
    folders: list[Path],
    monkeypatch: pytest.MonkeyPatch,
    many: bool,
    item: str,
    place: str | None,
) -> None:
    monkeypatch.setattr(pictures, "_MANY", 0 if many else 10**9)
    held = listings(folders, 5)
    assert len(held) == (2 if many else 0)
    found = beside(folders, item, held)
    assert found == (None if place is None else folders[0].parent / place)
