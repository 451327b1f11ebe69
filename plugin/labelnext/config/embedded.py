"""Make the embeddings that a configuration asks for, of what the platform shows of its items."""

from __future__ import annotations

from typing import cast

from labelnext.adapter.capabilities import Capability, can, missing_capability
from labelnext.adapter.protocol import Adapter, ShowsItems
from labelnext.adapter.registry import able
from labelnext.config.config import Config
from labelnext.journal.plan import Progress
from labelnext.pool.pool import Pool

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
    from labelnext.embeddings.made import Picture, with_image_vectors, with_text_vectors

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
    pictures = {
        item: Picture(shown.image, shown.fixed)
        for item, shown in previews.items()
        if shown.image is not None
    }
    return with_image_vectors(pool, pictures, embedder, rules, folder, progress)
