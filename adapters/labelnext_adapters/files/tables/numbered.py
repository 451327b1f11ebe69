"""Columns that hold an embedding, or one number each of it, by their names: embeddings, emb_0."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from labelnext.errors import listed
from labelnext.pool.objects import Notice
from labelnext_adapters.files.tables.arrow import is_list, is_number, is_text, number_rows
from labelnext_adapters.files.tables.column_names import plain, spelt
from labelnext_adapters.files.tables.score_columns import are_scores
from labelnext_adapters.files.tables.table_options import TableOptions, flat_columns, stated_in

_WRITTEN = re.compile(r"\s*\[\s*[-+.]?\d[-+.\d\se,]*\]\s*")
_NUMBERED = re.compile(r"(.*?)[_\-. (\[]*(\d{1,5})[)\]]?")
#: What parts of an embedding are called before their number.
_EMBEDDINGS = {"emb", "embs", "embed", "embedding", "embeddings", "dim", "dims"}
#: What they may be called; so may be what a model of tables reads.
_PERHAPS = {
    "feature", "features", "feat", "feats", "f", "x", "v", "z", "h", "d", "vec", "vector",
    "latent", "pc", "pca", "umap", "tsne", "component", "hidden", "e",
}  # fmt: skip
#: What a column of such lists is called; `dims` may be the size of an image.
_LISTS = _EMBEDDINGS - {"dim", "dims"}
#: What it may be called.
_PERHAPS_LISTS = {
    "feature", "features", "feat", "feats", "vec", "vecs", "vector", "vectors", "latent", "latents",
    "hidden", "representation", "representations",
}  # fmt: skip
_SAMPLED = 1000  # rows


def numbered(names: Iterable[str]) -> dict[str, list[str]]:
    """Columns that are numbered without a gap from 0 or 1, by what stands before, in their order.

    Example:
        >>> numbered(["id", "emb_0", "emb_2", "emb_1", "x7"])
        {'emb': ['emb_0', 'emb_1', 'emb_2']}
    """
    parts: dict[str, dict[int, str]] = {}
    for name in names:
        if told := _NUMBERED.fullmatch(name.strip()):
            parts.setdefault(told[1], {})[int(told[2])] = name
    return {
        stem: [by[number] for number in sorted(by)]
        for stem, by in parts.items()
        if len(by) > 1 and min(by) in (0, 1) and max(by) - min(by) == len(by) - 1
    }


def with_embedding(
    table: pa.Table, columns: Mapping[str, str | Sequence[str]]
) -> tuple[dict[str, str | Sequence[str]], list[Notice]]:
    """Our names to the table's, with the columns that are called as an embedding or its parts.

    A column that may be one isn't taken; a notice names it.

    Args:
        table: as it stands in the file.
        columns: our names to the table's.
    """
    named = "embedding" in columns or "embedding" in table.column_names
    if named or flat_columns("embedding", table.column_names):
        return dict(columns), []
    taken = stated_in(columns)
    free = [field.name for field in table.schema if is_number(field.type)]
    runs = [
        run
        for stem, run in numbered(name for name in free if name not in taken).items()
        if plain(stem).rpartition("_")[2] in _EMBEDDINGS and not _are_scores(table, run)
    ]
    if len(runs) == 1:
        message = f"Read columns {listed(runs[0])} as embeddings."
        return {**columns, "embedding": runs[0]}, [Notice("layout", message)]
    return _with_list(columns, [name for name in _lists(table) if name not in taken])


def _lists(table: pa.Table) -> list[str]:
    """Columns of lists of numbers, also as text."""
    return [f.name for f in table.schema if _is_of_numbers(f.type) or _is_written(table, f)]


def _is_of_numbers(kind: pa.DataType) -> bool:
    return is_list(kind) and is_number(kind.value_type)


def _is_written(table: pa.Table, field: pa.Field) -> bool:
    """Whether a column holds lists of numbers as text, as pandas writes them to CSV."""
    if not is_text(field.type):
        return False
    texts = table.column(field.name).slice(0, _SAMPLED).drop_null().to_pylist()
    return bool(texts) and all(_WRITTEN.fullmatch(text) for text in texts)


def _with_list(
    columns: Mapping[str, str | Sequence[str]], names: Sequence[str]
) -> tuple[dict[str, str | Sequence[str]], list[Notice]]:
    """The only column of lists that is called as an embedding; or what to do about others."""
    last = {name: plain(name).rpartition("_")[2] for name in names}
    sure = [name for name in names if last[name] in _LISTS]
    if len(sure) == 1:
        message = f"Read column {sure[0]!r} as embeddings."
        return {**columns, "embedding": sure[0]}, [Notice("layout", message)]
    maybe = sure or [name for name in names if last[name] in _PERHAPS_LISTS]
    if not maybe:
        return dict(columns), []
    verb = "holds lists of numbers and was" if len(maybe) == 1 else "hold lists of numbers and were"
    message = (
        f"{'Column' if len(maybe) == 1 else 'Columns'} {listed(maybe)} {verb} not read; to use "
        f"{'it' if len(maybe) == 1 else 'one'} as embeddings, set source.columns: "
        f"{{embedding: {spelt(maybe[0])}}}."
    )
    return dict(columns), [Notice("not_read", message)]


def like_an_embedding(names: Sequence[str]) -> list[str]:
    """The columns that are called as the parts of an embedding may be, if most columns are.

    Example:
        >>> like_an_embedding(["age", "x0", "x1"]), like_an_embedding(["class_0", "class_1"])
        (['x0', 'x1'], [])
    """
    for stem, run in numbered(names).items():
        if plain(stem).rpartition("_")[2] in _PERHAPS | _EMBEDDINGS and 2 * len(run) > len(names):
            return run
    return []


def _are_scores(table: pa.Table, names: Sequence[str]) -> bool:
    """Whether rows sum to 1, as those of a softmax with numbered outputs."""
    return are_scores(number_rows(table.slice(0, _SAMPLED), names), TableOptions())
