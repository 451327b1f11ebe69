"""Make the vectors that a configuration asks for, of what the platform shows of its items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.preview import Preview
from labelnext.adapter.protocol import Adapter, ShowsItems
from labelnext.adapter.registry import able
from labelnext.config.config import Config
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
    from labelnext.embeddings.made import with_image_vectors, with_text_vectors

    if made.kind == "onnx":
        from labelnext.embeddings.onnx import onnx_embedder

        assert made.onnx is not None, "it was checked with the configuration"
        path = settings.directory / made.onnx.expanduser()
        embedder, rules = onnx_embedder(path, made.size, made.mean, made.std)
    previews = cast("ShowsItems", adapter).previews(pool.item_ids.tolist())
    if made.kind == "text":
        texts = {item: shown.text for item, shown in previews.items() if shown.text}
        return with_text_vectors(pool, texts, folder)
    if made.kind == "images":
        from labelnext.embeddings.images import RULES as rules
        from labelnext.embeddings.images import image_vector as embedder
    return with_image_vectors(pool, _images(previews), embedder, rules, folder, progress)


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
    from labelnext.embeddings.made import with_signatures as signed

    previews = cast("ShowsItems", adapter).previews(pool.item_ids.tolist())
    folder = settings.state / FOLDER
    for kind in CONTENTS if by is None else (by,):
        if kind == "images":
            contents, make, rules = _images(previews), of.image_signature, of.IMAGE_RULES
        else:
            contents, make, rules = _texts(previews), of.text_signature, of.TEXT_RULES
        pool = signed(pool, contents, make, rules, folder, progress)
        if pool.signatures is not None:
            why = ", as the pool has no embeddings" if by is None else ""
            told = Notice("dedupe_by", f"Near-duplicates were found by the items' {kind}{why}.")
            return replace(pool, notices=(*pool.notices, told))
    if by is None or not len(pool):
        return pool
    raise InvalidInput(
        f"dedupe_by: {by} needs {by}, but no item has any that can be read.",
        hint=f"for files, set source.columns: {{{'media' if by == 'images' else 'text'}: its "
        "column}.",
    )


def _images(previews: Mapping[str, Preview]) -> dict[str, Picture]:
    from labelnext.embeddings.made import Picture

    return {
        item: Picture(shown.image, shown.fixed)
        for item, shown in previews.items()
        if shown.image is not None
    }


def _texts(previews: Mapping[str, Preview]) -> dict[str, Picture]:
    from labelnext.embeddings.made import Picture

    contents = {
        item: shown.text.encode("utf-8", "surrogatepass")
        for item, shown in previews.items()
        if shown.text and shown.text.strip()
    }
    return {item: Picture(partial(bytes, content)) for item, content in contents.items()}
