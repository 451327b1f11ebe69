"""Make the vectors that a configuration asks for, of what the platform shows of its items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.preview import Preview
from labelnext.adapter.protocol import Adapter, ShowsItems
from labelnext.adapter.registry import able
from labelnext.config.config import Config
from labelnext.config.embeddings import Embeddings
from labelnext.embeddings.packages import PACKAGES, Embedder, package_embedder
from labelnext.errors import InvalidInput
from labelnext.journal.plan import Progress
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.selection.constraints import CONTENTS

if TYPE_CHECKING:
    from labelnext.embeddings.made import Picture

FOLDER = "embeddings"
"""Of the state folder."""


def with_embeddings(
    settings: Config, adapter: Adapter, pool: Pool, progress: Progress | None
) -> Pool:
    """The pool with embeddings of its items' texts or images, if `source.embeddings` asks for it.

    Raises:
        ConfigError: if the adapter doesn't show items, or the model can't be used.
        InvalidInput: if no item has a text, or an image that can be read.
    """
    made = settings.source.embeddings
    if made is None:
        return pool
    if not can(adapter, Capability.SHOWS_ITEMS):
        shows = Capability.SHOWS_ITEMS
        raise missing_capability("source.adapter", adapter.name, shows, able(shows))
    folder = settings.state / FOLDER
    from labelnext.embeddings.made import with_text_vectors, with_vectors

    embedder, rules = _embedder(made, settings.directory)
    previews = cast("ShowsItems", adapter).previews(pool.item_ids.tolist())
    if embedder is None:
        texts = {item: shown.text for item, shown in previews.items() if shown.text}
        return with_text_vectors(pool, texts, folder)
    of_text = made.kind in PACKAGES and PACKAGES[made.kind].of == "text"
    contents = _texts(previews) if of_text else {**_fetched(previews), **_images(previews)}
    what: Literal["text", "image"] = "text" if of_text else "image"
    return with_vectors(pool, contents, embedder, rules, folder, progress, what=what)


def _embedder(made: Embeddings, directory: Path) -> tuple[Embedder | None, str]:
    """What makes the vectors, and the rules they follow from; None for those of texts alone.

    Raises:
        ConfigError: if the model can't be used.
    """
    from labelnext.embeddings.made import one_by_one

    if made.kind == "text":
        return None, ""
    if made.kind == "images":
        from labelnext.embeddings.images import RULES, image_vector

        return one_by_one(image_vector), RULES
    if made.kind == "onnx":
        from labelnext.embeddings.onnx import onnx_embedder

        assert made.onnx is not None, "it was checked with the configuration"
        path = directory / made.onnx.expanduser()
        vector_of, rules = onnx_embedder(path, made.size, made.mean, made.std)
        return one_by_one(vector_of), rules
    assert made.model is not None, "it was checked with the configuration"
    return package_embedder(PACKAGES[made.kind], made.model, directory)


def with_signatures(
    settings: Config, adapter: Adapter, pool: Pool, progress: Progress | None
) -> Pool:
    """The pool with signatures of its images or texts, if near-duplicates are found by them.

    That is where `dedupe_by` says so, or the pool has no embeddings: then by the images if any can
    be read, else by the texts if there are any.

    Raises:
        ConfigError: if the adapter doesn't show items, as `dedupe_by` asks.
        InvalidInput: if no item has what `dedupe_by` names.
    """
    limits = settings.recipe.constraints
    by, unasked = limits.dedupe_by, pool.embeddings is not None or limits.min_distance is not None
    if limits.dedupe is None or by == "embeddings" or (by is None and unasked):
        return pool
    if not can(adapter, Capability.SHOWS_ITEMS):
        if by is None:
            return pool
        shows = Capability.SHOWS_ITEMS
        key = f"selection.options.dedupe_by: {by}"
        raise missing_capability(key, adapter.name, shows, able(shows))
    from labelnext.embeddings import duplicates as of
    from labelnext.embeddings.made import one_by_one, where_shown
    from labelnext.embeddings.made import with_signatures as signed

    previews = cast("ShowsItems", adapter).previews(pool.item_ids.tolist())
    folder = settings.state / FOLDER
    for kind in CONTENTS if by is None else (by,):
        if kind == "images":
            contents, make, rules = _images(previews), of.image_signature, of.IMAGE_RULES
            if by is not None:  # nobody expects that many requests who hasn't asked for images
                contents = {**_fetched(previews), **contents}
        else:
            contents, make, rules = _texts(previews), of.text_signature, of.TEXT_RULES
        pool = signed(pool, contents, one_by_one(make), rules, folder, progress)
        if pool.signatures is not None:
            why = ", as the pool has no embeddings" if by is None else ""
            told = Notice("dedupe_by", f"Near-duplicates were found by the items' {kind}{why}.")
            return replace(pool, notices=(*pool.notices, told))
    if by is None or not len(pool):
        return pool
    raise InvalidInput(
        f"dedupe_by: {by} needs {by}, but no item has any that can be read.",
        hint=where_shown("image" if by == "images" else "text"),
    )


def _images(previews: Mapping[str, Preview]) -> dict[str, Picture]:
    from labelnext.embeddings.made import Picture

    return {
        item: Picture(shown.image, shown.fixed)
        for item, shown in previews.items()
        if shown.image is not None
    }


def _fetched(previews: Mapping[str, Preview]) -> dict[str, Picture]:
    """The images that lie elsewhere; each is fetched once, as long as its vector is kept."""
    from labelnext.embeddings.fetched import Fetcher, lasting_name
    from labelnext.embeddings.made import Picture

    fetch = Fetcher()
    return {
        item: Picture(partial(fetch, shown.address), lasting_name(shown.address))
        for item, shown in previews.items()
        if shown.address is not None
    }


def _texts(previews: Mapping[str, Preview]) -> dict[str, Picture]:
    from labelnext.embeddings.made import Picture

    contents = {
        item: shown.text.encode("utf-8", "surrogatepass")
        for item, shown in previews.items()
        if shown.text and shown.text.strip()
    }
    return {item: Picture(partial(bytes, content)) for item, content in contents.items()}
