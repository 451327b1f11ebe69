"""Embeddings that labelnext makes itself: what they hold, that they are kept, and what is named."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from labelnext import Pool
from labelnext.embeddings.images import image_vector
from labelnext.embeddings.kept import Kept
from labelnext.embeddings.made import Picture, one_by_one, with_text_vectors, with_vectors
from labelnext.embeddings.onnx import onnx_embedder
from labelnext.embeddings.texts import text_vectors
from labelnext.errors import ConfigError, InvalidInput, LabelnextError, MissingExtra, NotFound

TEXTS = {
    "a": "a red bird",
    "b": "two red birds",
    "c": "the slow train",
    "d": "slow trains",
    "e": " ",
}


def png(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(file, "PNG")
    return file.getvalue()


RED = png(np.full((64, 64, 3), (255, 0, 0)))
EDGE = png(np.repeat([[[0] * 3] * 32 + [[255] * 3] * 32], 64, axis=0))  # black, then white


def counting() -> tuple[list[bytes], Callable[[bytes], NDArray[np.float16]]]:
    seen: list[bytes] = []

    def embedder(data: bytes) -> NDArray[np.float16]:
        if data == b"broken":
            raise ValueError("it isn't an image")
        seen.append(data)
        return np.array([len(data), 1], dtype=np.float16)

    return seen, embedder


def reading(*contents: bytes) -> dict[str, Picture]:
    return {name: Picture(lambda c=c: c) for name, c in zip("abcdef", contents, strict=False)}  # type: ignore[misc]


def test_an_empty_pool_gets_no_embeddings(tmp_path: Path) -> None:
    assert (
        with_vectors(Pool([]), {}, one_by_one(image_vector), "x", tmp_path).embeddings is not None
    )


def test_texts_with_the_same_words_are_near_each_other(tmp_path: Path) -> None:
    pool = with_text_vectors(Pool("abcde"), TEXTS, tmp_path)
    assert pool.embeddings is not None
    rows = pool.embeddings[:4].astype(float)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=2e-3)
    near = rows @ rows.T
    assert near[0, 1] > max(near[0, 2], near[0, 3])
    assert near[2, 3] > max(near[2, 0], near[2, 1])
    assert np.isnan(pool.embeddings[4]).all()
    (notice,) = pool.notices
    assert notice.message == "No embedding for 1 item without a text: e."


def test_vectors_of_texts_do_not_depend_on_the_order(tmp_path: Path) -> None:
    first = with_text_vectors(Pool("abcde"), TEXTS, tmp_path / "1").embeddings
    second = with_text_vectors(Pool("ecadb"), TEXTS, tmp_path / "2").embeddings
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first[[4, 2, 0, 3, 1]], second)


def test_vectors_of_texts_are_kept_until_a_text_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = with_text_vectors(Pool("abcde"), TEXTS, tmp_path).embeddings
    monkeypatch.setattr("labelnext.embeddings.texts.text_vectors", None)
    second = with_text_vectors(Pool("abcde"), TEXTS, tmp_path).embeddings
    np.testing.assert_array_equal(first, second)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        with_text_vectors(Pool("abcde"), {**TEXTS, "a": "a blue bird"}, tmp_path)
    assert len([*tmp_path.rglob("*.npz")]) == 1


@pytest.mark.parametrize("texts", [["?"], ["同じ言葉", "同じ人"], ["!!", "!!", "…"], ["a"] * 1000])
def test_any_text_has_a_finite_vector(texts: list[str]) -> None:
    rows = text_vectors(texts)
    assert len(rows) == len(texts)
    assert np.isfinite(rows).all()


def test_an_image_of_one_colour_has_that_colour_and_no_edge() -> None:
    vector = image_vector(RED).astype(float)
    assert vector.shape == (64 + 48 + 576,)
    # Red 255 is level 3 of four, green and blue are level 0: colour 3 · 16 + 0 · 4 + 0.
    assert np.flatnonzero(vector[:64]).tolist() == [48]
    assert vector[48] == 1
    np.testing.assert_allclose(vector[64:112].reshape(16, 3), [[1 / 48**0.5, 0, 0]] * 16, atol=1e-3)
    assert not vector[112:].any()


def test_an_edge_lies_in_its_cells_and_direction() -> None:
    edges = image_vector(EDGE).astype(float)[112:].reshape(8, 8, 9)
    # From black to white along the row, in the two middle columns of cells: direction 0.
    assert {tuple(place) for place in np.argwhere(edges)} == {
        (row, column, 0) for row in range(8) for column in (3, 4)
    }
    np.testing.assert_allclose(edges[edges > 0], (1 / 16) ** 0.5, rtol=1e-2)


def test_each_content_is_embedded_once_and_resumed_after_a_kill(tmp_path: Path) -> None:
    seen, embedder = counting()
    pictures = reading(b"1", b"22", b"1", b"broken")
    pool = with_vectors(Pool("abcd"), pictures, one_by_one(embedder), "rules", tmp_path)
    assert pool.embeddings is not None
    assert pool.embeddings[:3].tolist() == [[1, 1], [2, 1], [1, 1]]
    assert sorted(set(seen)) == [b"1", b"22"]
    (notice,) = pool.notices
    assert (notice.code, notice.item_ids) == ("broken_image", ("d",))
    assert (
        notice.message
        == "No embedding for 1 item whose image can't be used: d. Of d: it isn't an image."
    )
    seen.clear()
    again = with_vectors(Pool("dcba"), pictures, one_by_one(embedder), "rules", tmp_path)
    assert again.embeddings is not None
    np.testing.assert_array_equal(again.embeddings, pool.embeddings[::-1])
    with_vectors(Pool("abc"), reading(b"1", b"22", b"333"), one_by_one(embedder), "rules", tmp_path)
    assert seen == [b"333"]
    with_vectors(Pool("a"), reading(b"1"), one_by_one(embedder), "other rules", tmp_path)
    assert seen == [b"333", b"1"]


def test_a_kept_file_that_is_broken_counts_as_missing(tmp_path: Path) -> None:
    Kept(tmp_path, "rules").add(["k"], [np.ones(2, dtype=np.float16)])
    (path,) = tmp_path.rglob("*.npz")
    assert Kept(tmp_path, "rules").vectors.keys() == {"k"}
    path.write_bytes(path.read_bytes()[:40])
    assert not Kept(tmp_path, "rules").vectors


def test_what_never_changes_is_not_read_again(tmp_path: Path) -> None:
    reads: list[int] = []

    def read() -> bytes:
        reads.append(1)
        return b"1"

    for _ in range(2):
        pictures = {"a": Picture(read, "http://host/data/upload/1/x.png")}
        with_vectors(Pool("a"), pictures, one_by_one(counting()[1]), "rules", tmp_path)
    assert len(reads) == 1


def test_images_that_cannot_be_fetched_are_counted(tmp_path: Path) -> None:
    def away() -> bytes:
        raise OSError("no such file")

    def refused() -> bytes:
        raise LabelnextError("too large.")

    pictures = {"a": Picture(away), "b": Picture(refused), "c": Picture(lambda: RED)}
    pool = with_vectors(Pool("abcd"), pictures, one_by_one(image_vector), "rules", tmp_path)
    assert {n.code: n.item_ids for n in pool.notices} == {
        "broken_image": ("a", "b"),
        "no_image": ("d",),
    }
    with pytest.raises(InvalidInput, match="none of 2 images can be: no such file"):
        with_vectors(Pool("ab"), pictures, one_by_one(image_vector), "rules", tmp_path)


def test_items_without_what_is_asked_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="needs texts, but no item has one") as texts:
        with_text_vectors(Pool("ab"), {"a": " "}, tmp_path)
    assert texts.value.hint is not None
    assert texts.value.hint.startswith("if they have images, write from: images;")
    with pytest.raises(InvalidInput, match="needs images, but no item has one") as images:
        with_vectors(Pool("ab"), {}, one_by_one(image_vector), "rules", tmp_path)
    assert images.value.hint is not None
    assert images.value.hint.startswith("if they have texts, write from: text;")


class Session:
    """As onnxruntime's: gives the mean of each channel over the image, as a map of features."""

    def __init__(self, path: str, options: Any, providers: list[str]) -> None:
        if not Path(path).read_bytes().startswith(b"model"):
            raise RuntimeError("bad protobuf")
        self.shape = [1, 4, 4, 3] if "last" in path else ["N", 3, 4, 4]
        self.type = "tensor(float16)" if "half" in path else "tensor(float)"
        if "grey" in path:
            self.shape = [1, 1, 4, 4]
        if "bytes" in path:
            self.type = "tensor(uint8)"

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="x", shape=self.shape, type=self.type)]

    def run(self, _: None, given: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        (image,) = given.values()
        assert image.dtype == (np.float16 if "16" in self.type else np.float32)
        size = 4 if self.shape[3] == 3 else image.shape[3]
        if size != 4:
            raise RuntimeError("Got: 5 Expected: 4")
        return [image if self.shape[3] == 4 else image.transpose(0, 3, 1, 2)]


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e5])
def test_a_vector_that_is_no_vector_is_named(number: float, tmp_path: Path) -> None:
    def vector(content: bytes) -> NDArray[np.float16]:
        with np.errstate(over="ignore"):
            return np.array([0, number if content == b"b" else 1]).astype(np.float16)

    pictures = {item: Picture(item.encode) for item in "ab"}
    for _ in range(2):  # made, and made again: it isn't kept
        pool = with_vectors(Pool("ab"), pictures, one_by_one(vector), "1", tmp_path)
        assert np.isnan(pool.embeddings).all(axis=1).tolist() == [False, True]
        assert pool.notices[0].message == (
            "No embedding for 1 item whose image can't be used: b. Of b: the model's vector holds "
            "NaN, infinity or numbers above 65,504."
        )
    with pytest.raises(InvalidInput, match="none of 1 image can be: the model's vector holds NaN"):
        with_vectors(Pool("b"), pictures, one_by_one(vector), "1", tmp_path)


def test_a_model_whose_vectors_differ_in_length_loses_no_other_item(tmp_path: Path) -> None:
    # As a detector's do, which has a row for each box that it found.
    def vector(content: bytes) -> NDArray[np.float16]:
        return np.ones({b"c": 3, b"d": 0}.get(content, 2), dtype=np.float16)

    pictures = {item: Picture(item.encode) for item in "abcde"}
    for _ in range(2):
        pool = with_vectors(Pool("abcde"), pictures, one_by_one(vector), "1", tmp_path)
        assert np.isnan(pool.embeddings).any(axis=1).tolist() == [False, False, True, True, False]
        assert pool.notices[0].message == (
            "No embedding for 2 items whose image can't be used: c, d. Of c: the model's vector "
            "has 3 numbers, that of others 2."
        )
    with pytest.raises(InvalidInput, match="none of 1 image can be: the model's vector is empty"):
        with_vectors(Pool("d"), pictures, one_by_one(vector), "1", tmp_path)


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = SimpleNamespace(InferenceSession=Session, SessionOptions=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: module)


@pytest.mark.usefixtures("runtime")
@pytest.mark.parametrize("name", ["first.onnx", "last.onnx", "half.onnx"])
def test_a_model_gets_normalised_channels_and_its_map_is_averaged(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"model")
    embedder, _ = onnx_embedder(tmp_path / name, 4, [0.5, 0.5, 0.5], [0.25, 0.5, 1.0])
    # Red is 1, 0, 0: (1 − 0.5) / 0.25, (0 − 0.5) / 0.5 and (0 − 0.5) / 1.
    assert embedder(RED).tolist() == [2.0, -1.0, -0.5]


@pytest.mark.usefixtures("runtime")
def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    rules = []
    for content in (b"model 1", b"model 2", b"model 1"):
        (tmp_path / "m.onnx").write_bytes(content)
        rules.append(onnx_embedder(tmp_path / "m.onnx", 4, [0] * 3, [1] * 3)[1])
    assert rules[0] == rules[2] != rules[1]


@pytest.mark.usefixtures("runtime")
def test_what_is_wrong_with_a_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"source.embeddings.onnx must be an existing file"):
        onnx_embedder(tmp_path / "none", 4, [0] * 3, [1] * 3)
    (tmp_path / "m.onnx").write_bytes(b"text")
    with pytest.raises(ConfigError, match=r"must be a model in ONNX format.*bad protobuf"):
        onnx_embedder(tmp_path / "m.onnx", 4, [0] * 3, [1] * 3)
    for name in ("grey", "bytes"):
        (tmp_path / name).write_bytes(b"model")
        with pytest.raises(ConfigError, match="takes real numbers for three colours, first or l"):
            onnx_embedder(tmp_path / name, 4, [0] * 3, [1] * 3)
    (tmp_path / "m.onnx").write_bytes(b"model")
    embedder, rules = onnx_embedder(tmp_path / "m.onnx", 5, [0] * 3, [1] * 3)
    with pytest.raises(ConfigError, match=r"must take an image of 5 pixels.*Expected: 4"):
        with_vectors(Pool("c"), {"c": Picture(lambda: RED)}, one_by_one(embedder), rules, tmp_path)


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.onnx").write_bytes(b"model")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"needs the package onnxruntime.*\[onnx\]"):
        onnx_embedder(tmp_path / "m.onnx", 4, [0] * 3, [1] * 3)
