"""Give a pool the embeddings of its items' texts or images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from labelnext.embeddings import texts as of_texts
from labelnext.embeddings.kept import Kept, hash_of
from labelnext.embeddings.packages import Embedder, Vector
from labelnext.errors import InvalidInput, LabelnextError, listed
from labelnext.journal.plan import Progress
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.support.words import counted

_LARGEST = np.finfo(np.float16).max
_AT_ONCE, _KEPT, _THREADS = 32, 256, 8  # contents in memory, kept together, read at the same time

_NOT_FINITE = f"the model's vector holds NaN, infinity or numbers above {_LARGEST:,.0f}"


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
        raise _nothing("text")
    contents = [texts[item].encode("utf-8", "surrogatepass") for item in told]
    kept = Kept(folder, of_texts.RULES)
    keys = [hash_of(hash_of(*contents).encode(), content) for content in contents]
    if not kept.vectors.keys() >= set(keys):
        rows = of_texts.text_vectors([content.decode("utf-8", "replace") for content in contents])
        first = dict(zip(reversed(keys), reversed(rows), strict=True))  # equal texts, equal rows
        kept.add([*first], [*first.values()], alone=True)
    vectors = {item: kept.vectors[key] for item, key in zip(told, keys, strict=True)}
    return _embedded(pool, vectors, "text", {})


def with_vectors(
    pool: Pool,
    pictures: Mapping[str, Picture],
    embedder: Embedder,
    rules: str,
    folder: Path,
    progress: Progress | None = None,
    *,
    what: Literal["text", "image"] = "image",
) -> Pool:
    """The pool with embeddings of its items' images or texts; each content is embedded once.

    Args:
        pool: the items.
        pictures: the contents by item id.
        embedder: makes vectors of contents, see `one_by_one`.
        rules: what the vectors follow from besides the contents.
        folder: where they are kept, a few hundred at a time.
        progress: called with a stage, how many are done, and of how many.
        what: kind of the contents.

    Raises:
        InvalidInput: if no item has a content that can be read.
        ConfigError: if the embedder can't be used.
    """
    if pool.item_ids.size and not pictures.keys() & set(pool.item_ids.tolist()):
        raise _nothing(what)
    vectors, broken = _made(pool, pictures, embedder, rules, folder, progress)
    return _embedded(pool, vectors, what, broken)


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
        embedder: makes vectors of contents, see `one_by_one`.
        rules: what the vectors follow from besides the contents.
        folder: where they are kept, a few hundred at a time.
        progress: called with a stage, how many contents are done, and of how many.

    Returns:
        The pool as it is, without signatures, if no content can be read.
    """
    vectors, _ = _made(pool, pictures, embedder, rules, folder, progress)
    return replace(pool, signatures=_column(pool, vectors)) if vectors else pool


def one_by_one(vector_of: Callable[[bytes], Vector]) -> Embedder:
    """Makes the vectors of several contents, each on its own, on a few threads.

    Args:
        vector_of: makes a vector of a content; a ValueError or OSError says that it can't.
    """

    def one(content: bytes) -> Vector | str:
        try:
            return vector_of(content)
        except (OSError, ValueError) as error:
            if isinstance(error, LabelnextError):  # the model can't be used for any content
                raise
            return str(error)

    threads = ThreadPoolExecutor(_THREADS)  # its threads end with it
    return lambda contents: list(threads.map(one, contents))


def _made(
    pool: Pool,
    pictures: Mapping[str, Picture],
    embedder: Embedder,
    rules: str,
    folder: Path,
    progress: Progress | None,
) -> tuple[dict[str, Vector], dict[str, str]]:
    """The vectors by item, and why others have none; each content is embedded once."""
    ordered = [item for item in pool.item_ids[pool.tie_order].tolist() if item in pictures]
    kept, new = Kept(folder, rules), dict[str, Vector]()
    known: dict[str, Vector | str] = {**kept.vectors}  # vectors by key, or why there is none
    vectors, broken = dict[str, Vector](), dict[str, str]()

    with ThreadPoolExecutor(_THREADS) as threads:
        for start in range(0, len(ordered), _AT_ONCE):
            some = ordered[start : start + _AT_ONCE]
            keys, contents = dict[str, str](), dict[str, bytes]()
            read = threads.map(lambda item: _content(pictures[item], known), some)
            for item, one in zip(some, read, strict=True):
                if isinstance(one, str):
                    broken[item] = one
                    continue
                keys[item], content = one
                if content is not None:
                    contents[keys[item]] = content
            known.update(zip(contents, embedder([*contents.values()]), strict=True))
            for item, key in keys.items():
                made = known[key]
                if not isinstance(made, str) and (fault := _fault(made, vectors)):
                    made = known[key] = fault
                if isinstance(made, str):
                    broken[item] = made
                    continue
                vectors[item] = made
                if key in contents:
                    new[key] = made
            if len(new) >= _KEPT or start + len(some) == len(ordered):
                kept.add([*new], [*new.values()])
                new.clear()
            if progress is not None:
                progress("embed", start + len(some), len(ordered))
    return vectors, broken


def _fault(vector: Vector, others: Mapping[str, Vector]) -> str | None:
    """Why a vector can't stand beside those of other items."""
    width = len(next(iter(others.values()), vector))
    if not len(vector):
        return "the model's vector is empty"
    if len(vector) != width:
        return f"the model's vector has {counted(len(vector), 'number')}, that of others {width}"
    return None if np.isfinite(vector).all() else _NOT_FINITE


def _content(picture: Picture, known: Mapping[str, Vector | str]) -> tuple[str, bytes | None] | str:
    """The key of a content, with its bytes unless it is known; or why it can't be read."""
    key = None if picture.fixed is None else hash_of(b"fixed", picture.fixed.encode())
    if key is not None and key in known:
        return key, None
    try:
        data = picture.read()
    except (OSError, LabelnextError) as error:
        return str(error)
    key = key or hash_of(data)
    return key, None if key in known else data


def _nothing(what: Literal["text", "image"]) -> InvalidInput:
    other, kind = ("image", "images") if what == "text" else ("text", "text")
    return InvalidInput(
        f"source.embeddings needs {what}s, but no item has one.",
        hint=f"if they have {other}s, write from: {kind}; {where_shown(what)}",
    )


def where_shown(what: Literal["text", "image"]) -> str:
    """The hint that says how to name the texts or images of files.

    Example:
        >>> where_shown("text")
        'for files, set source.columns: {text: its column}; of a Label Studio export, label_config.'
    """
    named = "{text: its column}" if what == "text" else "{media: its column} or source.pictures"
    return f"for files, set source.columns: {named}; of a Label Studio export, label_config."


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
            f"source.embeddings needs {what}s that can be used, but none of "
            f"{counted(len(broken), what)} can be: {reason.rstrip('.')}."
        )
    notices = [n for n in pool.notices if n.code != "no_embedding"]
    ordered = pool.item_ids[pool.tie_order].tolist()
    without = [item for item in ordered if item not in vectors and item not in broken]
    notices += _left_out(without, f"without a{'n' if what == 'image' else ''} {what}", f"no_{what}")
    unreadable = [item for item in ordered if item in broken]
    why = f". Of {unreadable[0]}: {broken[unreadable[0]].rstrip('.')}" if unreadable else ""
    notices += _left_out(unreadable, f"whose {what} can't be used", f"broken_{what}", why)
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


def _left_out(items: Sequence[str], what: str, code: str, why: str = "") -> list[Notice]:
    if not items:
        return []
    message = f"No embedding for {counted(len(items), 'item')} {what}: {listed(items)}{why}."
    return [Notice(code, message, tuple(items))]
