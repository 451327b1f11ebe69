"""predictions(config, path): a file of what is predicted of every item, by the probe or a model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labelnext.adapter.protocol import Adapter
from labelnext.config.config import Config
from labelnext.config.opened import loaded, opened, read_pool
from labelnext.config.places import check_places
from labelnext.errors import InvalidInput
from labelnext.journal.plan import Progress
from labelnext.pool.objects import Notice
from labelnext.pool.pool import Pool
from labelnext.ranking.files import ranking_format, write_rows
from labelnext.support.files import check_writable
from labelnext.support.refused import refusals_told


@dataclass(frozen=True)
class PredictionFile:
    """A file of predictions that was written.

    Attributes:
        path: of the file.
        items: number of items with a prediction, one a row.
        without: number of items without one, which have no row.
        notices: what was adjusted or left out where the items were read.
    """

    path: Path
    items: int
    without: int
    notices: tuple[Notice, ...] = ()

    def to_json(self) -> str:
        """The result as JSON text."""
        return json.dumps({**asdict(self), "path": str(self.path)}, indent=2, ensure_ascii=False)


@refusals_told()
def predictions(
    config: Config | Path | str | Mapping[str, Any],
    path: Path | str,
    *,
    adapter: Adapter | None = None,
    progress: Progress | None = None,
) -> PredictionFile:
    """Write the class probabilities of every item, labelled ones included: one row an item.

    The columns are item_id, prediction (the likeliest class, where there is one class an item) and
    p_<class> for each class; of predicted numbers, item_id, estimate and confidence. The former are
    what `labelnext push` and the files adapter read. Of several model
    versions, it is the mean. A probe's probabilities of labelled items are out of fold: from a fit
    that did not see their label.

    Args:
        config: a checked configuration, the path of a YAML file, or its content as a mapping.
        path: ends in .parquet, .csv or .jsonl; an earlier file is replaced whole.
        adapter: an open adapter for the source; if None, one from the configuration.
        progress: called with a stage, how much is done, and of how much (None if unknown).

    Raises:
        ConfigError: if the file has another ending, is one that the configuration reads, or can't
            be written.
        InvalidInput: if the items have no class probabilities.
        Unavailable: if a server or database does not answer.
    """
    settings, out = loaded(config), Path(path)
    ranking_format(out)
    check_places(settings, {"the file of predictions": out})
    check_writable(out)
    with opened(settings, adapter, progress) as platform:
        pool = read_pool(settings, platform, progress)
    probabilities = pool.mean_probabilities
    if (probabilities is None and pool.estimates is None) or pool.missing.all():
        notes = " ".join(notice.message for notice in pool.notices)
        raise InvalidInput(
            f"predictions needs class probabilities, and the items have none. {notes}".strip(),
            hint="label two items of each class for a probe (source.model: probe), or add a "
            "model's predictions.",
        )
    rows = np.flatnonzero(~pool.missing)
    _write(out, pool, rows.tolist(), excel_safe=settings.write.excel_safe)
    return PredictionFile(out, len(rows), len(pool) - len(rows), pool.notices)


def _write(path: Path, pool: Pool, rows: list[int], *, excel_safe: bool) -> None:
    texts, columns, each = _of_estimates(pool, rows) or _of_classes(pool, rows)

    def schema() -> Any:
        import pyarrow as pa

        kinds = [(name, pa.string()) for name in texts]
        return pa.schema(kinds + [(name, pa.float64()) for name in columns])

    write_rows(path, each, schema, excel_safe=excel_safe)


_Rows = tuple[list[str], list[str], Iterator[dict[str, Any]]]  # texts, numbers, and the rows


def _of_estimates(pool: Pool, rows: list[int]) -> _Rows | None:
    if pool.estimates is None or pool.answer is None:
        return None
    columns = pool.estimates[rows], pool.answer.confidences
    ids = pool.item_ids[rows].tolist()
    names = ["estimate", "confidence"]
    cells = zip(ids, *(column.tolist() for column in columns), strict=True)
    return ["item_id"], names, (dict(zip(("item_id", *names), c, strict=True)) for c in cells)


def _of_classes(pool: Pool, rows: list[int]) -> _Rows:
    probabilities = pool.mean_probabilities
    assert probabilities is not None
    classes = [str(name) for name in pool.classes or range(probabilities.shape[1])]
    columns = [f"p_{name}" for name in classes]
    texts = ["item_id", *([] if pool.multilabel else ["prediction"])]

    def each() -> Iterator[dict[str, Any]]:
        for row in rows:
            shares = probabilities[row].tolist()
            likeliest = classes[int(np.argmax(shares))]
            said = zip(texts, (str(pool.item_ids[row]), likeliest), strict=False)
            yield {**dict(said), **dict(zip(columns, shares, strict=True))}

    return texts, columns, each()


__all__ = ["PredictionFile", "predictions"]
