"""Embeddings by a model of another package, whose weights are on this machine already."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from labelnext.errors import ConfigError, MissingExtra, NotFound
from labelnext.support.started import how_to_install

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vector: TypeAlias = "NDArray[np.float16]"
#: Makes the vectors of contents, or says why one has none.
Embedder: TypeAlias = "Callable[[Sequence[bytes]], Sequence[Vector | str]]"

_KEY = "source.embeddings"
_OWNED = re.compile(r"\w[\w.-]*/\w[\w.-]*")  # a name on Hugging Face
_SIDE = 1024  # pixels that models of images get at most, before they make them smaller


@dataclass(frozen=True)
class Package:
    """A package whose models make vectors.

    Attributes:
        name: of the package, as pip knows it.
        module: that is imported.
        of: what its models take.
        load: gives for a model's folder what makes rows of texts, or of images of Pillow.
        by_name: whether `load` takes the model's name, which the package knows, and no folder.
        owner: whose models on Hugging Face may be named without it.
    """

    name: str
    module: str
    of: Literal["text", "image"]
    load: Callable[[str], Callable[[list[Any]], Any]]
    by_name: bool = False
    owner: str | None = None


def _sentence_transformers(folder: str) -> Callable[[list[Any]], Any]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, local_files_only=True)
    return lambda texts: model.encode(texts, show_progress_bar=False)


def _model2vec(folder: str) -> Callable[[list[Any]], Any]:
    from model2vec import StaticModel

    model = StaticModel.from_pretrained(folder)
    return lambda texts: model.encode(texts)


def _fastembed(name: str) -> Callable[[list[Any]], Any]:
    from fastembed import TextEmbedding

    model = TextEmbedding(name, local_files_only=True)
    return lambda texts: list(model.embed(texts))


def _timm(folder: str) -> Callable[[list[Any]], Any]:
    import timm

    model = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    return _by_torch(model, transform, model)


def _open_clip(folder: str) -> Callable[[list[Any]], Any]:
    import open_clip

    # Without weights, it would make a model at random.
    model, _, transform = open_clip.create_model_and_transforms(
        f"local-dir:{folder}", require_pretrained=True
    )
    return _by_torch(model, transform, model.encode_image)


def _by_torch(model: Any, transform: Any, forward: Any) -> Callable[[list[Any]], Any]:
    """What makes rows of images by a model of torch, on the first GPU if there is one."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).eval()

    def rows(images: list[Any]) -> Any:
        with torch.inference_mode():
            batch = torch.stack([transform(image) for image in images]).to(device)
            return forward(batch).float().cpu().numpy()

    return rows


PACKAGES = {
    "sentence-transformers": Package(
        "sentence-transformers",
        "sentence_transformers",
        "text",
        _sentence_transformers,
        owner="sentence-transformers",
    ),
    "model2vec": Package("model2vec", "model2vec", "text", _model2vec),
    "fastembed": Package("fastembed", "fastembed", "text", _fastembed, by_name=True),
    "timm": Package("timm", "timm", "image", _timm),
    "open_clip": Package("open_clip_torch", "open_clip", "image", _open_clip),
}


def package_embedder(package: Package, model: str, directory: Path) -> tuple[Embedder, str]:
    """What makes vectors of texts or images by a package's model, and the rules they follow from.

    Nothing is downloaded.

    Args:
        package: one of `PACKAGES`.
        model: the model's folder, or its name on Hugging Face.
        directory: where a relative folder begins.

    Raises:
        MissingExtra: if the package isn't installed.
        NotFound: if the model isn't on this machine.
        ConfigError: when it is first used, if the package can't load it.
    """
    if importlib.util.find_spec(package.module) is None:
        raise MissingExtra(
            f"{_KEY} needs the package {package.name}, which isn't installed.",
            hint=how_to_install(package.name),
        )
    if package.by_name:
        content, place = model, model
    else:
        folder = _folder_of(model, directory, package.owner)
        content, place = _digest(folder), str(folder)
    # Loading takes seconds, and no time where all vectors are kept.
    rows_of = cache(partial(_loaded, package, place, model))
    return _embedder(package, rows_of), f"{package.name} {content}, 1"


def _loaded(package: Package, place: str, model: str) -> Callable[[list[Any]], Any]:
    try:
        with _handlers_of_root_kept():
            return package.load(place)
    except Exception as error:  # of the package's own
        hint = "name the folder of another model."
        if package.by_name:
            hint = f"load it once with {package.name} itself, where there is a network."
        raise ConfigError(
            f"{_KEY} must name a model of {package.name} on this machine; got {model!r}, and "
            f"{package.name} says: {_said(error)}.",
            hint=hint,
        ) from error


@contextmanager
def _handlers_of_root_kept() -> Iterator[None]:
    """Takes off the root logger what is added to it inside, as open_clip does to print to it."""
    root = logging.getLogger()
    before = [*root.handlers]
    try:
        yield
    finally:
        for handler in [handler for handler in root.handlers if handler not in before]:
            root.removeHandler(handler)


def _embedder(package: Package, loaded: Callable[[], Callable[[list[Any]], Any]]) -> Embedder:
    import numpy as np

    from labelnext.embeddings.kept import halved

    def many(contents: Sequence[bytes]) -> Sequence[Vector | str]:
        given = [_given(package, content) for content in contents]
        usable = [one for one in given if not isinstance(one, _Broken)]
        if not usable:
            return [one.why for one in given]
        rows_of = loaded()
        try:
            rows = iter(halved(np.asarray(rows_of(usable), dtype=np.float32)))
        except Exception as error:
            raise ConfigError(
                f"{_KEY} must name a model that takes {package.of}s; {package.name} raised "
                f"{_said(error)}."
            ) from error
        return [one.why if isinstance(one, _Broken) else next(rows) for one in given]

    return many


@dataclass(frozen=True)
class _Broken:
    why: str


def _given(package: Package, content: bytes) -> Any:
    """A content as the package takes it."""
    if package.of == "text":
        return content.decode("utf-8", "replace")
    from labelnext.support.images import small_image

    try:
        return small_image(content, _SIDE)
    except (OSError, ValueError) as error:
        return _Broken(str(error))


def _folder_of(model: str, directory: Path, owner: str | None) -> Path:
    """The folder of a model, by its path or in the cache of Hugging Face."""
    folder = directory / Path(model).expanduser()
    if folder.is_dir():
        return folder
    name = f"{owner}/{model}" if owner and "/" not in model else model
    try:
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(name, local_files_only=True))
    except (ImportError, OSError, ValueError) as error:
        hint = "name the model's folder, or its name on Hugging Face, such as owner/model."
        if _OWNED.fullmatch(name):
            hint = (
                f"where there is a network, run hf download {name}; or copy its files into a "
                "folder, and name that."
            )
        raise NotFound(
            f"{_KEY} must name a model on this machine; {model!r} is no folder, and not in the "
            "cache of Hugging Face.",
            hint=hint,
        ) from error


def _digest(folder: Path) -> str:
    """A hash of a model's files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}".rstrip(".")
