"""Near-duplicates without embeddings: by the images' hashes, or by the texts' characters."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from labelnext import run
from labelnext.embeddings.duplicates import image_signature, text_signature
from labelnext.errors import InvalidInput


def png(grey: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(grey, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


# Nine columns by eight rows, so that nothing is squeezed: rising by 10 to the right.
RAMP = np.tile(np.arange(9) * 10, (8, 1))


def cosine(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    first, second = one.astype(float), other.astype(float)
    return float(first @ second / np.linalg.norm(first) / np.linalg.norm(second))


def test_a_difference_hash_is_where_the_right_is_brighter() -> None:
    assert image_signature(png(RAMP)).tolist() == [1] * 64
    assert image_signature(png(RAMP[:, ::-1])).tolist() == [-1] * 64
    assert image_signature(png(np.full((8, 9), 7))).tolist() == [-1] * 64  # equal isn't brighter
    spot = RAMP.copy()
    spot[2, 4] = 200  # above both neighbours: only the step down to the right changes
    signs = image_signature(png(spot))
    assert np.flatnonzero(signs == -1).tolist() == [2 * 8 + 4]
    assert cosine(signs, image_signature(png(RAMP))) == pytest.approx(1 - 1 / 32)


def test_size_and_brightness_hardly_change_a_hash() -> None:
    large = np.kron(RAMP, np.ones((40, 40)))
    assert image_signature(png(large)).tolist() == [1] * 64
    assert image_signature(png(RAMP // 2 + 90)).tolist() == [1] * 64
    with pytest.raises(ValueError, match="it isn't an image"):
        image_signature(b"text")


def test_texts_are_alike_by_their_characters_whatever_the_case_and_spaces() -> None:
    one = text_signature(b"The slow train\nstops at every station of the line.")
    same = text_signature(b"the slow  train stops at every station of the line. ")
    near = text_signature(b"The slow train stops at every station of the line!")
    other = text_signature(b"A goal in the last minute decided the match.")
    assert (one == same).all()
    assert (text_signature("Straße".encode()) == text_signature(b"STRASSE")).all()
    assert 0.9 < cosine(one, near) < 1
    assert cosine(one, other) < 0.4
    assert np.linalg.norm(one.astype(float)) == pytest.approx(1, abs=1e-3)


def test_short_texts_in_any_script_have_a_signature() -> None:
    short = [text_signature(text.encode()) for text in ("x", "y", "犬", "!")]
    assert all(np.isfinite(row).all() and row.any() for row in short)
    assert max(cosine(a, b) for i, a in enumerate(short) for b in short[:i]) < 0.9
    with pytest.raises(ValueError, match="it is blank"):
        text_signature(b" \n")


def test_counts_are_those_of_three_to_five_characters() -> None:
    # Counted here one by one; hashing adds a little.
    one, two = text_signature(b"a"), text_signature(b"a a")
    pieces = [
        [text[i : i + n] for n in (3, 4, 5) for i in range(len(text) - n + 1)]
        for text in ("  a  ", "  a a  ")
    ]
    counts = [{piece: of.count(piece) for piece in of} for of in pieces]
    product = sum(n * counts[1].get(piece, 0) for piece, n in counts[0].items())
    lengths = [np.sqrt(sum(n * n for n in of.values())) for of in counts]
    assert cosine(one, two) == pytest.approx(product / np.prod(lengths), abs=0.1)


def written(folder: Path, by: str | None, *, images: bool = True, **row: Any) -> Path:
    """Doubt falls from a to d; b is a copy of a, in another size; c and d have equal texts."""
    fall = RAMP[:, ::-1]
    wave = np.where(np.arange(9) % 2, 200, 10) * np.ones((8, 1))
    pixels = {"a": RAMP, "b": np.kron(RAMP, np.ones((3, 3))), "c": fall, "d": wave}
    texts = {"a": "one", "b": "two", "c": "a long sentence", "d": "A long  sentence"}
    rows = []
    for name, p in zip("abcd", (0.5, 0.55, 0.6, 0.65), strict=True):
        (folder / f"{name}.png").write_bytes(png(pixels[name]) if images else b"none")
        further = {"media": f"{name}.png", "text": texts[name], **row}
        rows.append({"item_id": name, "probabilities": {"x": p, "y": 1 - p}, **further})
    (folder / "p.jsonl").write_text("\n".join(map(json.dumps, rows)))
    options = {"dedupe": 0.9} | ({} if by is None else {"dedupe_by": by})
    (folder / "c.yaml").write_text(
        "source: {adapter: files, path: p.jsonl}\nacquisition: {name: margin}\n"
        f"selection: {{budget: 3, options: {json.dumps(options)}}}\nreport: {{path: null}}\n"
    )
    return folder / "c.yaml"


@pytest.mark.parametrize(
    ("by", "images", "batch", "told"),
    [
        (None, True, ["a", "c", "d"], "the items' images, as the pool has no embeddings."),
        ("images", True, ["a", "c", "d"], "the items' images."),
        ("texts", True, ["a", "b", "c"], "the items' texts."),
        (None, False, ["a", "b", "c"], "the items' texts, as the pool has no embeddings."),
    ],
)
def test_a_run_compares_images_else_texts(
    by: str | None, images: bool, batch: list[str], told: str, tmp_path: Path
) -> None:
    report = run(written(tmp_path, by, images=images), dry_run=True)
    assert report.ranking.item_ids.tolist() == batch
    assert f"Near-duplicates were found by {told}" in str(report)
    like = {"a": "1 like a", "b": "1 like c"}[batch[0] if batch[1] == "c" else "b"]
    assert f"Left 1 near-duplicate out of the batch: {like}." in str(report)


def test_embeddings_come_before_images_and_nothing_to_compare_is_refused(tmp_path: Path) -> None:
    same = written(tmp_path, None, embedding=[1.0, 0.0])
    assert run(same, dry_run=True).ranking.item_ids.tolist() == ["a"]
    asked = written(tmp_path, "images", embedding=[1.0, 0.0])
    assert run(asked, dry_run=True).ranking.item_ids.tolist() == ["a", "c", "d"]
    with pytest.raises(InvalidInput, match="needs images, but no item has any") as caught:
        run(written(tmp_path, "images", images=False), dry_run=True)
    assert "source.pictures; of a Label Studio export, label_config." in str(caught.value.hint)
    with pytest.raises(InvalidInput, match="dedupe must be left out for a pool without embeddings"):
        run(written(tmp_path, None, images=False, text=""), dry_run=True)


def test_why_a_file_is_no_image() -> None:
    start = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    for data, why in ((start, "HEIC isn't read, so convert it to JPEG"), (b"x", "of no known")):
        with pytest.raises(ValueError, match=f"it isn't an image: {why}"):
            image_signature(data)
