"""Embeddings by models of other packages: what is asked of them, and what is said without one."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import labelnext
from labelnext import Pool
from labelnext.config.config import load_config
from labelnext.embeddings.made import Picture, with_vectors
from labelnext.embeddings.packages import PACKAGES, Package, package_embedder
from labelnext.errors import ConfigError, InvalidInput, MissingExtra, NotFound
from tests.unit.embeddings.test_made import RED

LETTERS = "ab"


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders from which a package was loaded that counts the letters of texts."""
    loaded: list[str] = []

    def load(folder: str) -> Callable[[list[Any]], Any]:
        if not Path(folder, "letters.json").is_file():
            raise KeyError("letters.json\nis missing")
        loaded.append(folder)
        return lambda texts: [[text.count(letter) for letter in LETTERS] for text in texts]

    # A module of Python's own stands for it: it is there.
    monkeypatch.setitem(PACKAGES, "model2vec", Package("letters", "json", "text", load))
    return loaded


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "letters"
    folder.mkdir(parents=True)
    (folder / "letters.json").write_text(json.dumps(LETTERS))
    return folder


def embedded(tmp_path: Path, model: str) -> np.ndarray:
    embedder, rules = package_embedder(PACKAGES["model2vec"], model, tmp_path)
    texts = {"x": "aab", "y": "bb", "z": "aab"}
    pictures = {item: Picture(lambda t=text: t.encode()) for item, text in texts.items()}  # type: ignore[misc]
    pool = with_vectors(Pool("xyz"), pictures, embedder, rules, tmp_path / "kept", what="text")
    assert pool.embeddings is not None
    return pool.embeddings


def test_a_model_is_loaded_once_and_not_at_all_where_its_vectors_are_kept(
    tmp_path: Path, model: Path, loads: list[str]
) -> None:
    for _ in range(2):
        assert embedded(tmp_path, "models/letters").tolist() == [[2, 1], [0, 2], [2, 1]]
        assert loads == [str(model)]
    (model / "letters.json").write_text("another model")
    embedded(tmp_path, str(model))
    assert loads == [str(model)] * 2


def test_a_model_that_is_not_here_is_not_fetched(tmp_path: Path, loads: list[str]) -> None:
    with pytest.raises(NotFound, match="'org/letters' is no folder, and not in the cache") as told:
        embedded(tmp_path, "org/letters")
    assert "run hf download org/letters" in str(told.value)
    assert loads == []


@pytest.mark.parametrize(
    ("package", "model", "hint"),
    [
        ("sentence-transformers", "all-MiniLM-L6-v2", "hf download sentence-transformers/all-Mini"),
        ("timm", "resnet10t", "or its name on Hugging Face, such as owner/model"),
        ("model2vec", "../m/model.safetensors", "name the model's folder, or its name on"),
    ],
)
def test_only_what_can_be_fetched_is_to_be_fetched(
    package: str, model: str, hint: str, tmp_path: Path
) -> None:
    there = replace(PACKAGES[package], module="json")
    with pytest.raises(NotFound, match=hint):
        package_embedder(there, model, tmp_path)


def test_a_name_without_its_owner_is_that_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def snapshot(name: str, *, local_files_only: bool) -> str:
        assert local_files_only
        asked.append(name)
        return str(tmp_path)

    hub = SimpleNamespace(snapshot_download=snapshot)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    for package in ("sentence-transformers", "timm"):
        for model in ("mini", "other/mini"):
            package_embedder(replace(PACKAGES[package], module="json"), model, tmp_path)
    assert asked == ["sentence-transformers/mini", "other/mini", "mini", "other/mini"]


def test_open_clip_makes_no_model_at_random(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(name: str, *, require_pretrained: bool = False) -> None:
        if require_pretrained:
            raise RuntimeError(f"no weights for {name}")

    fake = SimpleNamespace(create_model_and_transforms=create)
    monkeypatch.setitem(sys.modules, "open_clip", fake)
    embedder, _ = package_embedder(replace(PACKAGES["open_clip"], module="json"), ".", tmp_path)
    with pytest.raises(ConfigError, match="open_clip_torch says: RuntimeError: no weights for loc"):
        embedder([RED])


def test_a_package_prints_nothing_of_ours(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: str) -> Callable[[list[Any]], Any]:
        logging.basicConfig(force=True)  # as logging.info does where nobody has a handler
        return lambda texts: [[len(text)] for text in texts]

    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setitem(PACKAGES, "model2vec", Package("letters", "json", "text", load))
    embedded(tmp_path, str(model))
    assert root.handlers == []


def test_a_folder_of_something_else_and_a_package_that_fails_are_named(
    tmp_path: Path, model: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    said = "must name a model of letters on this machine; got 'other', and letters says: KeyError"
    with pytest.raises(ConfigError, match=said) as caught:
        embedded(tmp_path, "other")
    assert "\n" not in caught.value.message
    short = Package("letters", "json", "text", lambda _: lambda _: 1 / 0)
    monkeypatch.setitem(PACKAGES, "model2vec", short)
    with pytest.raises(ConfigError, match="takes texts; letters raised ZeroDivisionError"):
        embedded(tmp_path, "models/letters")
    missing = Package("letters", "no_such_module", "text", lambda _: lambda _: 1 / 0)
    monkeypatch.setitem(PACKAGES, "model2vec", missing)
    with pytest.raises(MissingExtra, match="needs the package letters.*pip install.* letters"):
        embedded(tmp_path, "models/letters")


def test_what_is_no_image_is_named_and_the_others_get_their_own_rows(tmp_path: Path) -> None:
    def load(_: str) -> Callable[[list[Any]], Any]:
        return lambda images: [image.size for image in images]

    (tmp_path / "m").mkdir()
    embedder, _ = package_embedder(Package("sizes", "json", "image", load), "m", tmp_path)
    first, second, third = embedder([b"no image", RED, b""])
    assert isinstance(first, str)
    assert isinstance(third, str)
    assert not isinstance(second, str)
    assert second.tolist() == [64, 64]
    assert [type(one) for one in embedder([b"no image"])] == [str]


def test_numbers_too_large_for_half_precision_are_no_vector(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    package = Package("lengths", "json", "text", lambda _: lambda texts: [[1e6 * len(texts[0])]])
    embedder, rules = package_embedder(package, "m", tmp_path)
    pictures = {"a": Picture(lambda: b"text")}
    with pytest.raises(InvalidInput, match="none of 1 text can be: the model's vector holds NaN"):
        with_vectors(Pool("a"), pictures, embedder, rules, tmp_path / "kept", what="text")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"from": {"model2vec": None}}, "must name a model with one of"),
        ({"from": {"model2vec": 7}}, "must have as model text or null; got 7"),
        ({"from": "model2vec"}, "must name a model with one of"),
        ({"from": "text", "model": "x"}, "must name a model with one of"),
        (
            {"from": {"model2vec": "x", "timm": "y"}},
            "must have model2vec with its model alone; got also timm",
        ),
        ({"from": {"modelvec": "x"}}, "got 'modelvec'. Hint: did you mean 'model2vec'"),
        ({"from": {"timm": "x", "size": 3}}, "must have timm with its model alone; got also size"),
    ],
)
def test_odd_settings_are_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        load_config({"source": {"adapter": "files", "path": "x.csv", "embeddings": given}})


def test_a_run_goes_by_them(
    tmp_path: Path, model: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("texts.csv").write_text("item_id,text\nx,aaaa\ny,aaa\nz,bbbb\n")
    report = labelnext.run(
        {
            "source": {
                "adapter": "files",
                "path": "texts.csv",
                "model": "probe",
                "embeddings": {"from": {"model2vec": "models/letters"}},
            },
            "selection": {"method": "k_center", "budget": 2},
            "write": {"output": "ranking.csv"},
        }
    )
    assert "z" in report.ranking.item_ids.tolist()
    assert loads == ["models/letters"]
