"""Give a pool the embeddings of its items' texts or images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from labelnext.embeddings import texts as of_texts
from labelnext.embeddings.kept import Kept, hash_of
from labelnext.errors import InvalidInput, LabelnextError, listed
from labelnext.journal.plan import Progress
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.words import counted

Embedder = Callable[[bytes], NDArray[np.float16]]
_AT_ONCE, _THREADS = 256, 8  # images that are kept together, and read at the same time


@dataclass(frozen=True)
class Picture:
    """The image of an item.

    Attributes:
        read: gives its bytes; raises OSError or LabelnextError where there is none.
        fixed: a name for its content, where that never changes; None where it may.
    """

    read: Callable[[], bytes]
    fixed: str | None = None


def with_text_vectors(pool: Pool, texts: Mapping[str, str], folder: Path) -> Pool:
    """The pool with embeddings of its items' texts.

    Args:
        pool: the items.
        texts: by item id.
        folder: where they are kept.

    Raises:
        InvalidInput: if no item has a text.
    """
    ordered = pool.item_ids[pool.tie_order].tolist()
    told = [item for item in ordered if texts.get(item, "").strip()]
    if pool.item_ids.size and not told:
        raise _nothing("text", "text", "images")
    contents = [texts[item].encode("utf-8", "surrogatepass") for item in told]
    kept = Kept(folder, of_texts.RULES)
    keys = [hash_of(hash_of(*contents).encode(), content) for content in contents]
    if not kept.vectors.keys() >= set(keys):
        rows = of_texts.text_vectors([content.decode("utf-8", "replace") for content in contents])
        first = dict(zip(reversed(keys), reversed(rows), strict=True))  # equal texts, equal rows
        kept.add([*first], [*first.values()], alone=True)
    vectors = {item: kept.vectors[key] for item, key in zip(told, keys, strict=True)}
    return _embedded(pool, vectors, "text", {})


def with_image_vectors(
    pool: Pool,
    pictures: Mapping[str, Picture],
    embedder: Embedder,
    rules: str,
    folder: Path,
    progress: Progress | None = None,
) -> Pool:
    """The pool with embeddings of its items' images; each content is embedded once.

    Args:
        pool: the items.
        pictures: by item id.
        embedder: makes a vector of an image; a ValueError says that it isn't one.
        rules: what the vectors follow from besides the images.
        folder: where they are kept, a few hundred at a time.
        progress: called with a stage, how many images are done, and of how many.

    Raises:
        InvalidInput: if no item has an image that can be read.
        ConfigError: if the embedder can't be used.
    """
    if pool.item_ids.size and not pictures.keys() & set(pool.item_ids.tolist()):
        raise _nothing("image", "media", "text")
    vectors, broken = _made(pool, pictures, embedder, rules, folder, progress)
    return _embedded(pool, vectors, "image", broken)


def with_signatures(
    pool: Pool,
    pictures: Mapping[str, Picture],
    embedder: Embedder,
    rules: str,
    folder: Path,
    progress: Progress | None = None,
) -> Pool:
    """The pool with signatures of its items' contents, to find near-duplicates by.

    Args:
        pool: the items.
        pictures: by item id; images, or other contents that the embedder takes.
        embedder: makes a vector of a content; a ValueError says that it can't.
        rules: what the vectors follow from besides the contents.
        folder: where they are kept, a few hundred at a time.
        progress: called with a stage, how many contents are done, and of how many.

    Returns:
        The pool as it is, without signatures, if no content can be read.
    """
    vectors, _ = _made(pool, pictures, embedder, rules, folder, progress)
    return replace(pool, signatures=_column(pool, vectors)) if vectors else pool


def _made(
    pool: Pool,
    pictures: Mapping[str, Picture],
    embedder: Embedder,
    rules: str,
    folder: Path,
    progress: Progress | None,
) -> tuple[dict[str, NDArray[np.float16]], dict[str, str]]:
    """The vectors by item, and why others have none; each content is embedded once."""
    ordered = [item for item in pool.item_ids[pool.tie_order].tolist() if item in pictures]
    kept = Kept(folder, rules)
    vectors: dict[str, NDArray[np.float16]] = {}
    broken: dict[str, str] = {}

    def one(item: str) -> tuple[str, NDArray[np.float16]] | str:
        return _vector_of(pictures[item], embedder, kept)

    with ThreadPoolExecutor(_THREADS) as threads:
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            new: dict[str, NDArray[np.float16]] = {}
            for item, result in zip(some, threads.map(one, some), strict=True):
                if isinstance(result, str):
                    broken[item] = result
                    continue
                key, vectors[item] = result
                if key not in kept.vectors:
                    new.setdefault(key, vectors[item])
            kept.add([*new], [*new.values()])
            if progress is not None:
                progress("embed", start + len(some), len(ordered))
    return vectors, broken


def _vector_of(
    picture: Picture, embedder: Embedder, kept: Kept
) -> tuple[str, NDArray[np.float16]] | str:
    """The key of an image and its vector, or why there is none."""
    key = None if picture.fixed is None else hash_of(b"fixed", picture.fixed.encode())
    if key is not None and key in kept.vectors:
        return key, kept.vectors[key]
    try:
        data = picture.read()
    except (OSError, LabelnextError) as error:
        return str(error)
    key = key or hash_of(data)
    if key in kept.vectors:
        return key, kept.vectors[key]
    try:
        return key, embedder(data)
    except (OSError, ValueError) as error:
        if isinstance(error, LabelnextError):  # the model can't be used for any image
            raise
        return str(error)


def _nothing(what: str, column: str, other: str) -> InvalidInput:
    return InvalidInput(
        f"source.embeddings needs {what}s, but no item has one.",
        hint=f"if they have {other.rstrip('s')}s, write from: {other}; for files, set "
        f"source.columns: {{{column}: its column}}.",
    )


def _embedded(
    pool: Pool,
    vectors: Mapping[str, NDArray[np.float16]],
    what: str,
    broken: Mapping[str, str],
) -> Pool:
    """The pool with these rows, NaN for items without one, and notices of these."""
    if pool.item_ids.size and not vectors:
        reason = next(iter(broken.values()), "")
        raise InvalidInput(
            f"source.embeddings needs {what}s that can be read, but none of "
            f"{counted(len(broken), what)} can be: {reason.rstrip('.')}."
        )
    notices = [n for n in pool.notices if n.code != "no_embedding"]
    ordered = pool.item_ids[pool.tie_order].tolist()
    without = [item for item in ordered if item not in vectors and item not in broken]
    notices += _left_out(without, f"without a{'n' if what == 'image' else ''} {what}", f"no_{what}")
    unreadable = [item for item in ordered if item in broken]
    notices += _left_out(unreadable, f"whose {what} can't be read", f"broken_{what}")
    if pool.embeddings is not None:
        message = f"Embeddings of the items' {what}s replace those of the source."
        notices.append(Notice("embeddings_replaced", message))
    return replace(pool, embeddings=_column(pool, vectors), notices=tuple(notices))


def _column(pool: Pool, vectors: Mapping[str, NDArray[np.float16]]) -> NDArray[np.float16]:
    """A row for each item, NaN for those without a vector."""
    width = len(next(iter(vectors.values()), np.empty(1)))
    rows: NDArray[np.float16] = np.full((len(pool), width), np.nan, dtype=np.float16)
    for row, item in enumerate(pool.item_ids.tolist()):
        if item in vectors:
            rows[row] = vectors[item]
    return rows


def _left_out(items: Sequence[str], why: str, code: str) -> list[Notice]:
    if not items:
        return []
    message = f"No embedding for {counted(len(items), 'item')} {why}: {listed(items)}."
    return [Notice(code, message, tuple(items))]
